//! Facts among the inputs: how they are told from bundles, and where their
//! bytes come from. What the bytes mean is not known here.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::PathBuf;

use flate2::read::{GzDecoder, MultiGzDecoder};

use super::discover::{Source, SourceKind};
use super::{Limits, OpenError, all_of, kind};

/// How every line of facts begins, as it is written. In a file that is named
/// as facts another program may have put the fields in another order.
const BEGINNING: &[u8] = b"{\"dmaudit_facts\"";

/// Bytes that tell facts, packed or not.
const HEAD_BYTES: u64 = 4096;

/// Facts: lines of JSON, a node each.
pub enum FactsStream {
    /// A file, of which any line can be read again.
    File(PathBuf),
    /// What can be read only once, or only from its beginning.
    Passing(Box<dyn Read + Send>),
}

impl Source {
    /// The input's facts; `None` if it is a bundle or something else.
    ///
    /// # Errors
    /// Where it can't be read, or is named as facts and holds none.
    pub fn facts(&self, limits: &Limits) -> Result<Option<FactsStream>, OpenError> {
        match self.kind {
            SourceKind::Folder => Ok(None),
            SourceKind::StandardInput => self.passing(io::stdin(), limits),
            SourceKind::Archive | SourceKind::Facts => {
                let named = self.kind == SourceKind::Facts;
                if !named && kind::named_as_archive(&self.name()) {
                    return Ok(None);
                }
                let file = File::open(&self.path).map_err(OpenError::Io)?;
                if !file.metadata().map_err(OpenError::Io)?.is_file() {
                    return self.passing(file, limits);
                }
                let (head, rest) = head(file)?;
                match told(&head, self.begins()) {
                    Told::Facts => Ok(Some(FactsStream::File(self.path.clone()))),
                    Told::Packed => Ok(Some(unpacked(Cursor::new(head).chain(rest), limits))),
                    Told::Nothing if named && head.is_empty() => {
                        Ok(Some(FactsStream::File(self.path.clone())))
                    }
                    Told::Nothing if named => Err(OpenError::NoFacts),
                    Told::Nothing => Ok(None),
                }
            }
        }
    }

    /// As [`Source::facts`]; what is a bundle is kept, since it can't be read
    /// again.
    fn passing(
        &self,
        stream: impl Read + Send + 'static,
        limits: &Limits,
    ) -> Result<Option<FactsStream>, OpenError> {
        let (head, rest) = head(stream)?;
        let found = told(&head, self.begins());
        let stream = Cursor::new(head).chain(rest);
        match found {
            Told::Facts => Ok(Some(FactsStream::Passing(Box::new(stream)))),
            Told::Packed => Ok(Some(unpacked(stream, limits))),
            Told::Nothing => {
                self.once(|| all_of(stream, 0, limits))?;
                Ok(None)
            }
        }
    }

    /// What tells facts in it.
    fn begins(&self) -> &'static [u8] {
        match self.kind {
            SourceKind::Facts => b"{",
            _ => BEGINNING,
        }
    }

    /// Calls a bundle on standard input by another name.
    pub fn call_standard_input(&mut self, name: &str) {
        if self.kind == SourceKind::StandardInput {
            self.path = name.into();
        }
    }
}

/// What the first bytes say.
enum Told {
    Facts,
    Packed,
    Nothing,
}

fn told(head: &[u8], begins: &[u8]) -> Told {
    if head.starts_with(begins) {
        return Told::Facts;
    }
    let mut start = Vec::new();
    if head.starts_with(b"\x1f\x8b") {
        // The head may be cut anywhere: what it unpacks to until then counts.
        let _ = GzDecoder::new(head)
            .take(begins.len() as u64)
            .read_to_end(&mut start);
    }
    match start == begins {
        true => Told::Packed,
        false => Told::Nothing,
    }
}

fn head<R: Read>(mut stream: R) -> Result<(Vec<u8>, R), OpenError> {
    let mut head = Vec::new();
    stream
        .by_ref()
        .take(HEAD_BYTES)
        .read_to_end(&mut head)
        .map_err(OpenError::Io)?;
    Ok((head, stream))
}

fn unpacked(stream: impl Read + Send + 'static, limits: &Limits) -> FactsStream {
    let packed = Counted {
        stream: BufReader::with_capacity(1 << 16, stream),
        bytes: 0,
    };
    FactsStream::Passing(Box::new(Unpacked {
        stream: Counted {
            stream: MultiGzDecoder::new(packed),
            bytes: 0,
        },
        limits: limits.clone(),
    }))
}

/// What comes out of packed facts: an error, once it is too many times what
/// went in.
struct Unpacked<R> {
    stream: Counted<MultiGzDecoder<Counted<R>>>,
    limits: Limits,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        let packed = self.stream.stream.get_ref().bytes;
        let allowed = self.limits.allow_ratio(self.stream.bytes, packed);
        allowed.map(|()| read).map_err(io::Error::other)
    }
}

/// Bytes that were read of a stream.
struct Counted<R> {
    stream: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.bytes = self.bytes.saturating_add(read as u64);
        Ok(read)
    }
}
