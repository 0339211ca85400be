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
mod folder;
mod kind;
mod layout;
mod limits;
mod loose_json;
mod manifest;
mod snapshot;
mod tar;
mod text;
mod verify;
mod zip;
mod zip_directory;
mod zstd;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

pub use discover::{Discovery, Rejected, Source, discover};
pub use limits::{Limits, RATIO_FREE_BYTES};
pub use manifest::{CommandRecord, FileRecord, MANIFEST_FORMAT, Manifest, UnreadRecord};
pub use snapshot::{Bundle, Output, Unread};

use contents::{Contents, Extent};
use discover::SourceKind;
use kind::{EXPECTED, Kind};
use limits::Budget;

/// Why an input is not read. The input's name is not in the message.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file system said so.
    #[error("it can't be read: {0}")]
    Io(#[source] io::Error),
    /// Its first bytes are not those of an archive that is read.
    #[error("expected {EXPECTED}: {0}")]
    Unknown(String),
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
    open_extent(source, limits, Extent::Whole)
}

/// Reads of the bundles of one input only what tells their nodes from others:
/// the same bundles in the same order as [`open`], most of whose outputs and
/// files are empty. Much quicker where the input is a zip.
///
/// # Errors
/// As those of [`open`], but damage to what is not looked at is not seen.
pub fn open_brief(source: &Source, limits: &Limits) -> Result<Vec<Bundle>, OpenError> {
    open_extent(source, limits, Extent::Brief)
}

fn open_extent(source: &Source, limits: &Limits, extent: Extent) -> Result<Vec<Bundle>, OpenError> {
    let name = source.name();
    let contents = match source.kind {
        SourceKind::Folder => return open_folder(&name, &source.path, limits),
        SourceKind::StandardInput => {
            let archive = source.once(|| all_of(io::stdin().lock(), 0, limits))?;
            contents_of(archive, limits, extent)?
        }
        SourceKind::Archive => {
            let file = File::open(&source.path).map_err(OpenError::Io)?;
            let about = file.metadata().map_err(OpenError::Io)?;
            if about.is_file() {
                contents_of(&all_of(file, about.len(), limits)?, limits, extent)?
            } else {
                let archive = source.once(|| all_of(file, 0, limits))?;
                contents_of(archive, limits, extent)?
            }
        }
    };
    assemble::bundles(&name, kind::stem(&name), contents, limits)
}

/// Reads the bundles of an archive that is in memory; `name` is what a person
/// calls it.
///
/// # Errors
/// As those of [`open`].
pub fn open_archive(name: &str, archive: &[u8], limits: &Limits) -> Result<Vec<Bundle>, OpenError> {
    let contents = contents_of(archive, limits, Extent::Whole)?;
    assemble::bundles(name, kind::stem(name), contents, limits)
}

fn contents_of(archive: &[u8], limits: &Limits, extent: Extent) -> Result<Contents, OpenError> {
    let mut budget = Budget::new(limits, Some(archive.len() as u64));
    match kind::of(archive).map_err(OpenError::Unknown)? {
        Kind::Zip => zip::read(archive, extent, &mut budget),
        Kind::Tar => tar::read(archive, &mut budget),
        Kind::TarGz => tar::read(flate2::bufread::MultiGzDecoder::new(archive), &mut budget),
        Kind::TarZst => tar::read(zstd::ZstdReader::new(archive), &mut budget),
    }
}

fn open_folder(name: &str, folder: &Path, limits: &Limits) -> Result<Vec<Bundle>, OpenError> {
    let contents = folder::read(folder, &mut Budget::new(limits, None))?;
    // `.` has a name, too.
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let top = real
        .file_name()
        .map_or_else(|| name.into(), |name| name.to_string_lossy());
    assemble::bundles(name, &top, contents, limits)
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
