//! Bundles in a tar stream, packed or not: members are kept as they pass by.
//!
//! Headers are decoded by the `tar` crate; the walk from one to the next is
//! here, because the name records in front of a member (GNU `L` and `K`, pax
//! `x`) are of any length that the archive claims, and because a stream that
//! simply stops must be told from one that ends.

use std::borrow::Cow;
use std::io::{self, Read};

use tar::{EntryType, Header};

use super::OpenError;
use super::contents::{Content, Contents};
use super::limits::Budget;
use super::sosreport;
use super::{kind, layout};

const BLOCK: usize = 512;

/// Bytes of a name record: a path and some attributes.
const RECORD_BYTES: u64 = 64 << 10;

/// Bytes behind the mark of the end: tar fills up its last record, which has
/// 10 KiB unless told otherwise.
const BEHIND: u64 = 16 << 20;

/// Why the walk stopped early.
enum Stop {
    /// The input is beyond the limits.
    Refused(OpenError),
    /// The stream is damaged or ends too early; what was read before is kept.
    Cut(String),
}

impl From<OpenError> for Stop {
    fn from(error: OpenError) -> Self {
        Self::Refused(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Cut("it ends in the middle of a member".into()),
            io::ErrorKind::OutOfMemory => Self::Refused(OpenError::Costly(error.to_string())),
            _ => Self::Cut(error.to_string()),
        }
    }
}

/// Reads the members of the tar stream that may belong to a bundle.
///
/// A stream that is cut or damaged is no error here: `Contents::cut` says why
/// it ended. Limits are errors.
pub(super) fn read(
    stream: impl Read,
    budget: &mut Budget<'_>,
) -> Result<Contents<'static>, OpenError> {
    let mut walk = Walk {
        stream,
        budget,
        contents: Contents::default(),
        names: Names::default(),
        begun: false,
    };
    let stop = loop {
        match walk.member() {
            Ok(true) => {}
            Ok(false) => break None,
            Err(Stop::Cut(why)) => break Some(why),
            Err(Stop::Refused(error)) => return Err(error),
        }
    };
    walk.contents.cut = stop;
    Ok(walk.contents)
}

/// What the records in front of a member said about it.
#[derive(Default, PartialEq, Eq)]
struct Names {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
    /// The name of a sparse file, which stands before any other.
    sparse_name: Option<Vec<u8>>,
    /// Whether one of them was said twice: readers differ in which counts.
    twice: bool,
}

struct Walk<'b, 'l, R> {
    stream: R,
    budget: &'b mut Budget<'l>,
    contents: Contents<'static>,
    names: Names,
    /// Whether a sound header was seen: what has none is no tar at all.
    begun: bool,
}

impl<R: Read> Walk<'_, '_, R> {
    /// Reads one header and what follows it; false at the end.
    fn member(&mut self) -> Result<bool, Stop> {
        let mut header = Header::new_old();
        match self.block(header.as_mut_bytes())? {
            BLOCK => {}
            _ if !self.begun => return Err(no_tar()),
            0 => return Err(Stop::Cut("it ends without the mark of its end".into())),
            _ => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        }
        if header.as_bytes().iter().all(|&byte| byte == 0) {
            self.finish()?;
            return Ok(false);
        }
        if !kind::begins_with_tar_header(header.as_bytes()) {
            return Err(match self.begun {
                true => Stop::Cut("a member's header is damaged".into()),
                false => no_tar(),
            });
        }
        self.begun = true;
        let kind = header.entry_type();
        let size = match kind {
            EntryType::Link => 0,
            _ => header.entry_size()?,
        };
        match kind {
            EntryType::GNULongName => {
                let name = self.name_record(size)?;
                self.names.take_path(name);
            }
            EntryType::GNULongLink => {
                let name = self.name_record(size)?;
                self.names.take_link(name);
            }
            EntryType::XHeader => {
                let record = self.record(size)?;
                self.names.pax(&record);
            }
            EntryType::XGlobalHeader => {
                let record = self.record(size)?;
                let mut names = Names::default();
                names.pax(&record);
                if names != Names::default() {
                    return Err(ambiguous("a name or size is given for all members"));
                }
            }
            _ => {
                let names = std::mem::take(&mut self.names);
                self.budget.entry()?;
                let size = names.size.unwrap_or(size);
                if names.twice {
                    return Err(ambiguous("a member of it has two names or sizes"));
                }
                if size > 0 && has_no_bytes(kind) {
                    return Err(ambiguous("a folder, link or device of it has bytes"));
                }
                self.described(&header, kind, size, names)?;
            }
        }
        Ok(true)
    }

    fn described(
        &mut self,
        header: &Header,
        kind: EntryType,
        size: u64,
        names: Names,
    ) -> Result<(), Stop> {
        let name = names
            .sparse_name
            .or(names.path)
            .unwrap_or_else(|| header.path_bytes().into_owned());
        if size > 0 && kind == EntryType::Regular && name.ends_with(b"/") {
            return Err(ambiguous("a folder, link or device of it has bytes"));
        }
        let Some(path) = self.contents.path(&name).map(Cow::into_owned) else {
            return self.skip(size);
        };
        self.contents.look_at_name(&path);
        if sosreport::is_tree(&path) {
            self.budget.widen();
        }
        self.may_go_on()?;
        if !layout::may_matter(&path) && !sosreport::may_matter(&path) {
            return self.skip(size);
        }
        let content = match kind {
            EntryType::Directory => Content::Directory,
            EntryType::Regular if name.ends_with(b"/") => Content::Directory,
            EntryType::Symlink => {
                let target = names
                    .link
                    .or_else(|| header.link_name_bytes().map(|name| name.into_owned()))
                    .unwrap_or_default();
                Content::Link(String::from_utf8_lossy(&target).into_owned())
            }
            EntryType::Link => Content::Unread("it is a hard link to another member".into()),
            EntryType::GNUSparse => Content::Unread("it is stored as a sparse file".into()),
            EntryType::Regular | EntryType::Continuous if names.sparse => {
                Content::Unread("it is stored as a sparse file".into())
            }
            EntryType::Regular | EntryType::Continuous => {
                let limit = self.budget.file_limit(&path);
                if size <= limit {
                    let bytes = self.bytes(size)?;
                    return Ok(self.contents.keep(
                        self.budget,
                        path.into(),
                        Content::Bytes(bytes),
                    )?);
                }
                Content::Unread(self.budget.too_large(&path, Some(size)))
            }
            _ => Content::Unread("it is a device, a pipe or of another special kind".into()),
        };
        self.contents.keep(self.budget, path.into(), content)?;
        self.skip(size)
    }

    /// Only a sosreport may be larger on disk than a bundle.
    fn may_go_on(&self) -> Result<(), Stop> {
        match self.budget.is_too_large() {
            false => Ok(()),
            true => Err(Stop::Refused(OpenError::Limit {
                what: "bytes as it is packed",
                limit: self.budget.limits.archive_bytes,
                option: Some("--max-archive"),
            })),
        }
    }

    /// Reads a name in front of a member, up to its NUL.
    fn name_record(&mut self, size: u64) -> Result<Vec<u8>, Stop> {
        let mut name = self.record(size)?;
        name.truncate(
            name.iter()
                .position(|&byte| byte == 0)
                .unwrap_or(name.len()),
        );
        Ok(name)
    }

    fn record(&mut self, size: u64) -> Result<Vec<u8>, Stop> {
        if size > RECORD_BYTES {
            return Err(Stop::Cut(format!(
                "a member's name is said to have {size} bytes"
            )));
        }
        self.budget.entry()?;
        self.bytes(size)
    }

    /// Reads a member's bytes and the padding behind them.
    fn bytes(&mut self, size: u64) -> Result<Vec<u8>, Stop> {
        self.budget.bytes(size)?;
        // The claimed size is believed for a few pages only.
        let mut bytes = Vec::with_capacity(size.min(RECORD_BYTES) as usize + 1);
        let read = (&mut self.stream).take(size).read_to_end(&mut bytes)?;
        if read as u64 != size {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        bytes.shrink_to_fit();
        self.skip_exactly(padding(size))?;
        Ok(bytes)
    }

    fn skip(&mut self, size: u64) -> Result<(), Stop> {
        self.skip_exactly(size)?;
        self.skip_exactly(padding(size))
    }

    fn skip_exactly(&mut self, mut rest: u64) -> Result<(), Stop> {
        let mut buffer = [0; 16 << 10];
        while rest > 0 {
            let wanted = rest.min(buffer.len() as u64);
            let room = buffer.get_mut(..wanted as usize).unwrap_or_default();
            self.stream.read_exact(room)?;
            self.budget.passed(wanted)?;
            rest -= wanted;
        }
        Ok(())
    }

    /// Reads one block, and says how much of it there was.
    fn block(&mut self, block: &mut [u8]) -> Result<usize, Stop> {
        self.budget.passed(block.len() as u64)?;
        let mut filled = 0;
        while let Some(room) = block.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.stream.read(room) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(filled)
    }

    /// Reads what follows the mark of the end: only there do gzip and zstd
    /// say whether the bytes were intact.
    fn finish(&mut self) -> Result<(), Stop> {
        let mut buffer = [0; 16 << 10];
        let mut behind = 0;
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => {
                    self.may_go_on()?;
                    self.budget.passed(read as u64)?;
                    behind += read as u64;
                    if behind > BEHIND {
                        return Err(Stop::Cut(format!(
                            "more than {BEHIND} bytes follow the mark of its end"
                        )));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Names {
    /// Takes what matters from a pax record: lines of `length key=value\n`,
    /// the length being that of the whole line (POSIX pax, "Extended header").
    fn pax(&mut self, mut record: &[u8]) {
        while let Some(space) = record.iter().position(|&byte| byte == b' ') {
            let (digits, rest) = record.split_at(space);
            let length = std::str::from_utf8(digits)
                .ok()
                .and_then(|digits| digits.parse::<usize>().ok())
                .filter(|&length| length > space + 1 && length <= record.len());
            let Some(length) = length else { return };
            let line = rest.get(1..length - space - 1).unwrap_or_default();
            if let Some(equals) = line.iter().position(|&byte| byte == b'=') {
                let (key, value) = line.split_at(equals);
                self.pax_value(key, value.get(1..).unwrap_or_default());
            }
            record = record.get(length..).unwrap_or_default();
        }
    }

    fn pax_value(&mut self, key: &[u8], value: &[u8]) {
        match key {
            b"path" => self.take_path(value.to_vec()),
            b"linkpath" => self.take_link(value.to_vec()),
            b"size" => {
                let size = std::str::from_utf8(value).ok().and_then(|v| v.parse().ok());
                self.twice |= self.size.is_some() || size.is_none();
                self.size = size;
            }
            b"GNU.sparse.name" => {
                self.twice |= self.sparse_name.replace(value.to_vec()).is_some();
                self.sparse = true;
            }
            _ if key.starts_with(b"GNU.sparse.") => self.sparse = true,
            _ => {}
        }
    }

    fn take_path(&mut self, path: Vec<u8>) {
        self.twice |= self.path.replace(path).is_some();
    }

    fn take_link(&mut self, link: Vec<u8>) {
        self.twice |= self.link.replace(link).is_some();
    }
}

/// Whether members of a kind have no bytes in an archive. Readers differ in
/// whether they skip what one is said to have, and so in what comes next.
fn has_no_bytes(kind: EntryType) -> bool {
    matches!(
        kind,
        EntryType::Directory
            | EntryType::Link
            | EntryType::Symlink
            | EntryType::Char
            | EntryType::Block
            | EntryType::Fifo
    )
}

/// An archive that shows different readers different files is none to rely
/// on.
fn ambiguous(what: &str) -> Stop {
    Stop::Refused(OpenError::Malformed(format!(
        "{what}, which readers of archives take differently"
    )))
}

fn no_tar() -> Stop {
    Stop::Refused(OpenError::Unknown("no tar archive is in it".into()))
}

/// Bytes from a member's end to the next header.
fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}
