//! Bundles in a zip archive: only members that a bundle has are inflated.

use std::borrow::Cow;

use flate2::{Decompress, FlushDecompress, Status};

use super::OpenError;
use super::contents::{Content, Contents, Extent};
use super::layout::{self, Place, Roots};
use super::limits::Budget;
use super::repeats::Repeats;
use super::zip_directory::{self, Directory, Member};

/// Deflate can't do better than this: 258 bytes from two bits.
const DEFLATE_RATIO: u64 = 1032;

/// Room that lets zlib-rs take the quick way up to a member's end: it needs 15
/// bytes to read and 260 to write. A member that goes on shows by them, too.
const INPUT_AHEAD: usize = 16;
const OUTPUT_AHEAD: usize = 272;

const WRONG_SIZE: &str = "its size is not what the archive says";

/// Reads the members of the zip archive that belong to a bundle.
///
/// A member that is damaged, encrypted or packed by another method than
/// deflate is kept as unread; an archive without a sound list of members, or
/// beyond the limits, is an error.
pub(super) fn read<'a>(
    archive: &'a [u8],
    extent: Extent,
    repeats: &Repeats,
    budget: &mut Budget<'_>,
) -> Result<Contents<'a>, OpenError> {
    let mut contents = Contents::default();
    let mut listed = Vec::new();
    for member in Directory::find(archive)? {
        let member = member?;
        budget.entry()?;
        if let Some(path) = path(&mut contents, member.name) {
            listed.push((path, member));
        }
    }
    let roots = Roots::shown_by(listed.iter().map(|(path, _)| &**path));
    if roots.sorted().is_empty() {
        for (path, _) in &listed {
            contents.look_at_name(path);
        }
    }
    let wanted: Vec<(Cow<'_, str>, Member<'_>, As)> = listed
        .into_iter()
        .filter_map(|(path, member)| {
            let (_, rest) = roots.split(&path)?;
            let place = layout::place(rest)?;
            let wanted = match place {
                _ if is_special(&member) => As::Bytes,
                _ if !extent.takes(&place) => As::Passed,
                Place::File(_) => As::File,
                Place::Manifest | Place::Command(..) => As::Bytes,
            };
            Some((path, member, wanted))
        })
        .collect();
    zip_directory::refuse_overlaps(wanted.iter().map(|(_, member, _)| member))?;

    let mut inflater = Inflater::new();
    for (path, member, wanted) in wanted {
        let files = (wanted == As::File).then_some(repeats);
        let content = match wanted {
            As::Passed => Content::Passed,
            _ => content(archive, &path, &member, (&mut inflater, files), budget)?,
        };
        contents.keep(budget, path, content)?;
    }
    Ok(contents)
}

/// What a member is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    Passed,
    Bytes,
    File,
}

/// Whether a member is anything but a regular file, by its mode or its name.
fn is_special(member: &Member<'_>) -> bool {
    member
        .mode
        .is_some_and(|mode| !matches!(mode & 0o170_000, 0 | 0o100_000))
        || member.name.ends_with(b"/")
        || member.name.ends_with(b"\\")
}

/// Some Windows tools write `\` between folders.
fn path<'a>(contents: &mut Contents<'_>, name: &'a [u8]) -> Option<Cow<'a, str>> {
    if name.contains(&b'\\') && !name.contains(&b'/') {
        let slashes: Vec<u8> = name
            .iter()
            .map(|&byte| if byte == b'\\' { b'/' } else { byte })
            .collect();
        return Some(contents.path(&slashes)?.into_owned().into());
    }
    contents.path(name)
}

fn content(
    archive: &[u8],
    path: &str,
    member: &Member<'_>,
    (inflater, files): (&mut Inflater, Option<&Repeats>),
    budget: &mut Budget<'_>,
) -> Result<Content, OpenError> {
    // The type bits of st_mode; archives of other systems have none.
    match member.mode.map_or(0, |mode| mode & 0o170_000) {
        0o040_000 => return Ok(Content::Directory),
        0 | 0o100_000 | 0o120_000 => {}
        _ => return Ok(Content::Unread("it is a device, a pipe or a socket".into())),
    }
    if member.name.ends_with(b"/") || member.name.ends_with(b"\\") {
        return Ok(Content::Directory);
    }
    if member.size > budget.file_limit(path) {
        return Ok(Content::Unread(budget.too_large(path, Some(member.size))));
    }
    if member.size > member.compressed.saturating_mul(DEFLATE_RATIO) {
        return Ok(Content::Unread(WRONG_SIZE.into()));
    }
    // Nothing is inflated beyond the claimed size, so the claim is the cost.
    budget.bytes(member.size)?;
    let begun = match zip_directory::content(archive, member) {
        Ok(begun) => begun,
        Err(why) => return Ok(Content::Unread(why)),
    };
    let mut inflated = || inflater.inflate(begun, member);
    let packed = usize::try_from(member.compressed).ok();
    let packed = packed.and_then(|packed| begun.get(..packed));
    if let (Some(files), Some(packed)) = (files, packed) {
        let file = files.get(packed, member, inflated);
        return Ok(file.map_or_else(Content::Unread, Content::File));
    }
    let bytes = match inflated() {
        Ok(bytes) => bytes,
        Err(why) => return Ok(Content::Unread(why)),
    };
    if member
        .mode
        .is_some_and(|mode| mode & 0o170_000 == 0o120_000)
    {
        return Ok(Content::Link(String::from_utf8_lossy(&bytes).into_owned()));
    }
    Ok(Content::Bytes(bytes))
}

/// One decompressor for all members: setting one up costs more than most
/// members do.
struct Inflater {
    raw: Decompress,
}

impl Inflater {
    fn new() -> Self {
        Self {
            raw: Decompress::new(false),
        }
    }

    /// A member's bytes; `begun` begins with them as they are packed, and goes
    /// on to the archive's end.
    fn inflate(&mut self, begun: &[u8], member: &Member<'_>) -> Result<Vec<u8>, String> {
        if member.flags & 1 != 0 {
            return Err("it is encrypted".into());
        }
        let size = usize::try_from(member.size).map_err(|_| WRONG_SIZE)?;
        let bytes = match member.method {
            0 if member.compressed == member.size => begun.get(..size).ok_or(WRONG_SIZE)?.to_vec(),
            0 => return Err(WRONG_SIZE.into()),
            8 => self.deflated(begun, member.compressed, size)?,
            method => {
                return Err(format!(
                    "it is packed by method {method}; only 0 (stored) and 8 (deflate) are read"
                ));
            }
        };
        if crc32fast::hash(&bytes) != member.crc32 {
            return Err("its checksum (CRC-32) is not what the archive says".into());
        }
        Ok(bytes)
    }

    fn deflated(&mut self, begun: &[u8], packed: u64, size: usize) -> Result<Vec<u8>, String> {
        let ahead = usize::try_from(packed).map_err(|_| WRONG_SIZE)? + INPUT_AHEAD;
        let input = begun.get(..ahead).unwrap_or(begun);
        let mut bytes = Vec::with_capacity(size + OUTPUT_AHEAD);
        self.raw.reset(false);
        let status = self
            .raw
            .decompress_vec(input, &mut bytes, FlushDecompress::Finish);
        // What went on behind the member's end, or its claimed size, is not
        // looked at.
        if self.raw.total_in() > packed || bytes.len() > size {
            return Err(WRONG_SIZE.into());
        }
        match status {
            Err(error) => Err(format!("it can't be inflated: {error}")),
            Ok(Status::StreamEnd) if bytes.len() == size => {
                bytes.shrink_to_fit();
                Ok(bytes)
            }
            Ok(_) => Err(WRONG_SIZE.into()),
        }
    }
}
