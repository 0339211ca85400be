//! Bundles: one node's snapshot each, as bytes under names.
//!
//! A bundle comes from a stranger. Nothing of an archive is written to disk,
//! links are not followed, memory and time are bounded by [`Limits`], and
//! what is damaged is named instead of used. What the bytes mean is not known
//! here.
//!
//! [`discover`] finds the inputs, [`open`] reads one.

mod assemble;
mod contents;
mod discover;
mod draft;
mod folder;
mod kind;
mod layout;
mod limits;
mod listed;
mod loose_json;
mod manifest;
mod packed_facts;
mod pvereport;
mod repeats;
mod snapshot;
mod sosreport;
mod tar;
mod text;
mod verify;
mod xz;
mod zip;
mod zip_directory;
mod zstd;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

pub use discover::{Discovery, Rejected, Source, discover};
pub use limits::{Limits, RATIO_FREE_BYTES};
pub use manifest::{CommandRecord, FileRecord, MANIFEST_FORMAT, Manifest, UnreadRecord};
pub use packed_facts::FactsStream;
pub use repeats::Repeats;
pub use snapshot::{Bundle, Output, Unread};
pub(crate) use text::decode;

use contents::{Contents, Extent};
use discover::SourceKind;
use flate2::bufread::{self, MultiGzDecoder};
use kind::{EXPECTED, Kind};
use limits::{Budget, WIDE_ARCHIVE};

/// Why an input is not read. The input's name is not in the message.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file system said so.
    #[error("it can't be read: {0}")]
    Io(#[source] io::Error),
    /// Its first bytes are not those of an archive that is read.
    #[error("expected {EXPECTED}: {0}")]
    Unknown(String),
    /// It is named as facts.
    #[error("expected facts as `dmaudit facts` writes them: it begins otherwise")]
    NoFacts,
    /// It holds facts, where bundles are read.
    #[error("it holds facts, not a bundle: `dmaudit analyze` reads them")]
    Facts,
    /// It ends too early, or is damaged so that its end can't be reached.
    #[error(
        "the archive is cut short or damaged, and what is missing is not known: {0}; copy the \
         bundle again"
    )]
    Truncated(String),
    /// Its structure contradicts itself.
    #[error("{0}; copy the bundle again, and if that does not help collect a new one")]
    Malformed(String),
    /// It is larger than it may be.
    #[error(
        "it has more than the {limit} {what} that are allowed; {} where it comes from",
        raise(option)
    )]
    Limit {
        /// What there is too much of, in words.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
        /// The option of the command line that raises it, if there is one.
        option: Option<&'static str>,
    },
    /// It is packed so that unpacking it takes too much memory or time.
    #[error("{0}")]
    Costly(String),
    /// It is sound and holds no bundle.
    #[error("{0}")]
    NoBundle(String),
    /// It holds a bundle of which nothing can be used.
    #[error("nothing in the bundle can be used: {0}")]
    Unusable(String),
}

fn raise(option: &Option<&str>) -> String {
    match option {
        Some(option) => format!("raise the limit with {option} if you trust"),
        None => "split it if you trust".to_owned(),
    }
}

/// Reads the bundles of one input: most often one, several where an archive
/// has several top folders. They are sorted by top folder.
///
/// # Errors
/// Where the input as a whole can't be read; what is wrong with a part of it
/// is in [`Bundle::notes`] and [`Bundle::unread`].
pub fn open(source: &Source, limits: &Limits) -> Result<Vec<Bundle>, OpenError> {
    open_with(source, limits, &Repeats::default())
}

/// As [`open`], quicker where other bundles of the run hold the same files.
///
/// # Errors
/// As those of [`open`].
pub fn open_with(
    source: &Source,
    limits: &Limits,
    repeats: &Repeats,
) -> Result<Vec<Bundle>, OpenError> {
    open_extent(source, limits, (Extent::Whole, repeats))
}

/// Reads of the bundles of one input only what tells their nodes from others:
/// the same bundles in the same order as [`open`], most of whose outputs are
/// empty, and of most of whose files only the folders are known. Much quicker
/// where the input is a zip or a folder.
///
/// # Errors
/// As those of [`open`], but damage to what is not looked at is not seen.
pub fn open_brief(
    source: &Source,
    limits: &Limits,
    repeats: &Repeats,
) -> Result<Vec<Bundle>, OpenError> {
    open_extent(source, limits, (Extent::Brief, repeats))
}

fn open_extent(
    source: &Source,
    limits: &Limits,
    (extent, repeats): (Extent, &Repeats),
) -> Result<Vec<Bundle>, OpenError> {
    let name = source.name();
    let stem = kind::stem(&name);
    // Paths in the contents are the archive's own bytes.
    let archive;
    let contents = match source.kind {
        SourceKind::Folder => return open_folder(&name, &source.path, extent, limits),
        SourceKind::Facts => return Err(OpenError::Facts),
        SourceKind::StandardInput => {
            let archive = source.once(|| all_of(io::stdin().lock(), 0, limits))?;
            contents_of(archive, &name, limits, (extent, repeats))?
        }
        SourceKind::Archive => {
            let file = File::open(&source.path).map_err(OpenError::Io)?;
            let about = file.metadata().map_err(OpenError::Io)?;
            if !about.is_file() {
                let archive = source.once(|| all_of(file, 0, limits))?;
                contents_of(archive, &name, limits, (extent, repeats))?
            } else if about.len() > limits.archive_bytes {
                contents_of_large(file, about.len(), &name, limits)?
            } else {
                archive = all_of(file, about.len(), limits)?;
                contents_of(&archive, &name, limits, (extent, repeats))?
            }
        }
    };
    assemble::bundles(&name, stem, contents, extent, limits)
}

/// Reads the bundles of an archive that is in memory; `name` is what a person
/// calls it.
///
/// # Errors
/// As those of [`open`].
pub fn open_archive(name: &str, archive: &[u8], limits: &Limits) -> Result<Vec<Bundle>, OpenError> {
    let contents = contents_of(archive, name, limits, (Extent::Whole, &Repeats::default()))?;
    assemble::bundles(name, kind::stem(name), contents, Extent::Whole, limits)
}

fn contents_of<'a>(
    archive: &'a [u8],
    name: &str,
    limits: &Limits,
    (extent, repeats): (Extent, &Repeats),
) -> Result<Contents<'a>, OpenError> {
    let mut budget = Budget::new(limits, Some(archive.len() as u64));
    if pvereport::begins(archive) {
        return report(archive, name, &mut budget);
    }
    match kind_of(archive, &mut budget)? {
        Kind::Zip => zip::read(archive, extent, repeats, &mut budget),
        Kind::Tar => tar::read(archive, &mut budget),
        Kind::TarGz => packed(MultiGzDecoder::new(archive), name, &mut budget),
        Kind::TarXz => packed(xz::Xz::new(archive), name, &mut budget),
        Kind::TarZst => packed(zstd::ZstdReader::new(archive), name, &mut budget),
    }
}

/// The kind of an archive by its first bytes; what unpacking it costs is
/// counted.
fn kind_of(head: &[u8], budget: &mut Budget<'_>) -> Result<Kind, OpenError> {
    let kind = kind::of(head).map_err(OpenError::Unknown)?;
    budget.packed_as(kind)?;
    Ok(kind)
}

/// What a packed stream holds: a tar archive, or the text of a pvereport.
fn packed(
    mut stream: impl Read,
    name: &str,
    budget: &mut Budget<'_>,
) -> Result<Contents<'static>, OpenError> {
    let mut head = Vec::new();
    let began = (&mut stream)
        .take(pvereport::HEAD_BYTES as u64)
        .read_to_end(&mut head);
    if !pvereport::begins(&head) {
        // An error at the beginning is met where the stream was read to.
        let rest = Failing(began.err()).chain(stream);
        return tar::read(head.as_slice().chain(rest), budget);
    }
    let mut whole = head.as_slice().chain(stream);
    let limit = budget.limits.file_bytes;
    let mut text = Vec::new();
    let mut piece = [0; 16 << 10];
    loop {
        match whole
            .read(&mut piece)
            .map_err(|error| OpenError::Truncated(error.to_string()))?
        {
            0 => return report(&text, name, budget),
            read => {
                budget.passed(read as u64)?;
                text.extend_from_slice(piece.get(..read).unwrap_or_default());
            }
        }
        if text.len() as u64 > limit {
            return Err(OpenError::Limit {
                what: "bytes in one text",
                limit,
                option: Some("--max-file"),
            });
        }
    }
}

/// Ends at once, or with an error that came earlier.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// A pvereport's text.
fn report(
    text: &[u8],
    name: &str,
    budget: &mut Budget<'_>,
) -> Result<Contents<'static>, OpenError> {
    Ok(Contents {
        report: Some(pvereport::bundle(name, kind::stem(name), text, budget)?),
        ..Contents::default()
    })
}

/// An archive that is larger than a bundle may be: a sosreport, which is read
/// as it passes by.
fn contents_of_large(
    mut file: File,
    length: u64,
    name: &str,
    limits: &Limits,
) -> Result<Contents<'static>, OpenError> {
    let too_large = |limit| OpenError::Limit {
        what: "bytes as it is packed",
        limit,
        option: Some("--max-archive"),
    };
    let most = limits.archive_bytes.saturating_mul(WIDE_ARCHIVE);
    if length > most {
        return Err(too_large(most));
    }
    let mut head = Vec::new();
    (&mut file)
        .take(512)
        .read_to_end(&mut head)
        .map_err(OpenError::Io)?;
    file.rewind().map_err(OpenError::Io)?;
    let stream = BufReader::with_capacity(1 << 16, file);
    let mut budget = Budget::new(limits, Some(length));
    match kind_of(&head, &mut budget)? {
        Kind::Tar => tar::read(stream, &mut budget),
        Kind::TarGz => packed(bufread::MultiGzDecoder::new(stream), name, &mut budget),
        Kind::TarXz => packed(xz::Xz::new(stream), name, &mut budget),
        Kind::Zip | Kind::TarZst => Err(too_large(limits.archive_bytes)),
    }
}

/// Bytes in which a packed text's beginning must be.
const PACKED_HEAD_BYTES: u64 = 1 << 20;

/// Whether a file begins as a pvereport, packed or not.
fn is_pvereport(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    let mut head = Vec::new();
    let most = pvereport::HEAD_BYTES as u64;
    // A packed file can go on without a byte coming out of it.
    let mut stream = BufReader::new(file.take(PACKED_HEAD_BYTES));
    let name = path.to_string_lossy();
    // A damaged beginning is none.
    let _ = if name.ends_with(".gz") {
        bufread::MultiGzDecoder::new(stream)
            .take(most)
            .read_to_end(&mut head)
    } else if name.ends_with(".xz") {
        xz::Xz::new(stream).take(most).read_to_end(&mut head)
    } else {
        (&mut stream).take(most).read_to_end(&mut head)
    };
    pvereport::begins(&head)
}

fn open_folder(
    name: &str,
    folder: &Path,
    extent: Extent,
    limits: &Limits,
) -> Result<Vec<Bundle>, OpenError> {
    let contents = folder::read(folder, extent, &mut Budget::new(limits, None))?;
    // `.` has a name, too.
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let top = real
        .file_name()
        .map_or_else(|| name.into(), |name| name.to_string_lossy());
    assemble::bundles(name, &top, contents, extent, limits)
}

/// All bytes of an archive of `length`, where it is known.
fn all_of(reader: impl Read, length: u64, limits: &Limits) -> Result<Vec<u8>, OpenError> {
    let limit = limits.archive_bytes;
    let too_large = || OpenError::Limit {
        what: "bytes as it is packed",
        limit,
        option: Some("--max-archive"),
    };
    if length > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    reader
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(OpenError::Io)?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    Ok(bytes)
}
