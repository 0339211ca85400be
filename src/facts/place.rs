//! Where a line of facts is, so that it can be read again.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Where lines can be read again.
#[derive(Debug, Clone)]
pub(super) enum Place {
    File(Arc<PathBuf>),
    Spool(Arc<Spool>),
}

/// Lines that can't be read again where they came from: one temporary file
/// without a name, gone with the program.
#[derive(Debug, Default)]
pub struct Spool(Mutex<Option<File>>);

impl Spool {
    fn add(&self, mut bytes: impl Read) -> io::Result<u64> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match &mut *slot {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        let at = file.seek(SeekFrom::End(0))?;
        io::copy(&mut bytes, file)?;
        Ok(at)
    }

    /// Reads some bytes from this place on.
    fn get(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let file = slot.as_mut().ok_or(io::ErrorKind::NotFound)?;
        file.seek(SeekFrom::Start(offset))?;
        file.read(bytes)
    }
}

/// The bytes of a line, wherever they are.
struct Bytes<'a> {
    place: Where<'a>,
    offset: u64,
    left: u64,
}

enum Where<'a> {
    File(File),
    Spool(&'a Spool),
}

impl Read for Bytes<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let bytes = bytes.get_mut(..most).unwrap_or_default();
        let read = match &mut self.place {
            Where::File(file) => file.read(bytes)?,
            Where::Spool(spool) => spool.get(self.offset, bytes)?,
        };
        self.offset += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

impl Place {
    /// Sees to it that a line can be read again, which begins with these bytes:
    /// where it begins then.
    pub(super) fn keep(&self, begins: u64, begun: &[u8], rest: &mut impl Read) -> io::Result<u64> {
        match self {
            Self::File(_) => io::copy(rest, &mut io::sink()).map(|_| begins),
            Self::Spool(spool) => spool.add(begun.chain(rest)),
        }
    }

    /// The bytes from `offset` on.
    pub(super) fn open(&self, offset: u64, length: u64) -> io::Result<impl Read + '_> {
        let place = match self {
            Self::File(path) => {
                let mut file = File::open(path.as_path())?;
                file.seek(SeekFrom::Start(offset))?;
                Where::File(file)
            }
            Self::Spool(spool) => Where::Spool(spool),
        };
        Ok(Bytes {
            place,
            offset,
            left: length,
        })
    }

    /// As [`Place::open`], many at once.
    pub(super) fn open_large(&self, offset: u64, length: u64) -> io::Result<impl Read + '_> {
        let bytes = self.open(offset, length)?;
        Ok(BufReader::with_capacity(BUFFER, bytes))
    }
}

/// Bytes that are read at once.
pub(super) const BUFFER: usize = 1 << 18;

/// The rest of a line as it passes by.
pub(super) struct Rest<'a, R> {
    pub(super) reader: &'a mut R,
    /// Bytes that may still come.
    pub(super) left: u64,
    /// Bytes of the line so far.
    pub(super) length: u64,
    /// Whether the line's end was read.
    pub(super) has_ended: bool,
    /// Why reading failed; to who reads, that is an end.
    pub(super) error: Option<io::Error>,
}

impl<R: BufRead> Read for Rest<'_, R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.has_ended || self.left == 0 || self.error.is_some() {
            return Ok(0);
        }
        let buffer = match self.reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.error = Some(error);
                return Ok(0);
            }
        };
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let length = buffer.len().min(bytes.len()).min(most);
        let (here, room) = (buffer.get(..length), bytes.get_mut(..length));
        let (Some(here), Some(room)) = (here, room) else {
            return Ok(0);
        };
        let end = memchr::memchr(b'\n', here);
        let used = end.map_or(length, |end| end + 1);
        room.copy_from_slice(here);
        self.has_ended = end.is_some() || buffer.is_empty();
        self.reader.consume(used);
        self.left -= used as u64;
        self.length += used as u64;
        Ok(used)
    }
}
