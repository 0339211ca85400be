//! Bundles in a zip archive: only members that a bundle has are inflated.

use flate2::{Decompress, FlushDecompress, Status};

use super::OpenError;
use super::contents::{Content, Contents, Extent};
use super::layout;
use super::limits::Budget;
use super::zip_directory::{self, Directory, Member};

/// Deflate can't do better than this: 258 bytes from two bits.
const DEFLATE_RATIO: u64 = 1032;

const WRONG_SIZE: &str = "its size is not what the archive says";

/// Reads the members of the zip archive that belong to a bundle.
///
/// A member that is damaged, encrypted or packed by another method than
/// deflate is kept as unread; an archive without a sound list of members, or
/// beyond the limits, is an error.
pub(super) fn read(
    archive: &[u8],
    extent: Extent,
    budget: &mut Budget<'_>,
) -> Result<Contents, OpenError> {
    let mut contents = Contents::default();
    let mut listed = Vec::new();
    for member in Directory::find(archive)? {
        let member = member?;
        budget.entry()?;
        let Some(path) = path(&mut contents, member.name) else {
            continue;
        };
        contents.look_at_name(&path);
        listed.push((path, member));
    }
    let roots = layout::roots(listed.iter().map(|(path, _)| path.as_str()));
    listed.retain(|(path, _)| {
        layout::root_of(&roots, path)
            .and_then(|root| layout::below(root, path))
            .is_some_and(|rest| layout::place(rest).is_some())
    });
    let spans: Vec<Member<'_>> = listed.iter().map(|(_, member)| member.clone()).collect();
    zip_directory::refuse_overlaps(&spans)?;

    let mut inflater = Inflater::new();
    for (path, member) in listed {
        let rest = layout::root_of(&roots, &path).and_then(|root| layout::below(root, &path));
        let content = if rest.is_some_and(|rest| extent.takes(rest)) || is_special(&member) {
            content(archive, &path, &member, &mut inflater, budget)?
        } else {
            Content::Passed
        };
        contents.keep(budget, path, content)?;
    }
    Ok(contents)
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
fn path(contents: &mut Contents, name: &[u8]) -> Option<String> {
    if name.contains(&b'\\') && !name.contains(&b'/') {
        let slashes: Vec<u8> = name
            .iter()
            .map(|&byte| if byte == b'\\' { b'/' } else { byte })
            .collect();
        return contents.path(&slashes);
    }
    contents.path(name)
}

fn content(
    archive: &[u8],
    path: &str,
    member: &Member<'_>,
    inflater: &mut Inflater,
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
    let limit = budget.file_limit(path);
    if member.size > limit {
        return Ok(Content::Unread(format!(
            "it has {} bytes, more than the {limit} allowed for one file",
            member.size
        )));
    }
    if member.size > member.compressed.saturating_mul(DEFLATE_RATIO) {
        return Ok(Content::Unread(WRONG_SIZE.into()));
    }
    // Nothing is inflated beyond the claimed size, so the claim is the cost.
    budget.bytes(member.size)?;
    let bytes = match zip_directory::content(archive, member)
        .and_then(|packed| inflater.inflate(packed, member))
    {
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

    fn inflate(&mut self, packed: &[u8], member: &Member<'_>) -> Result<Vec<u8>, String> {
        if member.flags & 1 != 0 {
            return Err("it is encrypted".into());
        }
        let bytes = match member.method {
            0 if packed.len() as u64 == member.size => packed.to_vec(),
            0 => return Err(WRONG_SIZE.into()),
            8 => self.deflated(packed, member.size)?,
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

    fn deflated(&mut self, packed: &[u8], size: u64) -> Result<Vec<u8>, String> {
        let size = usize::try_from(size).map_err(|_| WRONG_SIZE)?;
        self.raw.reset(false);
        // One byte more than claimed shows a member that goes on.
        let mut bytes = Vec::with_capacity(size + 1);
        let status = self
            .raw
            .decompress_vec(packed, &mut bytes, FlushDecompress::Finish)
            .map_err(|error| format!("it can't be inflated: {error}"))?;
        if status != Status::StreamEnd || bytes.len() != size {
            return Err(WRONG_SIZE.into());
        }
        Ok(bytes)
    }
}
