//! A zip archive's list of members: the central directory, read in place.
//!
//! Why not a library's reader: one that looks for the directory of a damaged
//! archive can be made to search for minutes, and one that builds an index
//! reserves memory by the number of members the archive claims. Here nothing
//! is allocated by a claimed number, only one place is looked at for each
//! record, and what does not fit is an error. The format is that of PKWARE's
//! APPNOTE.TXT 6.3, sections 4.3 and 4.5.3.

use super::OpenError;

/// One member as the central directory describes it.
#[derive(Debug, Clone)]
pub(super) struct Member<'a> {
    /// The name's bytes.
    pub(super) name: &'a [u8],
    /// 0 stored, 8 deflated.
    pub(super) method: u16,
    /// Bit 0: encrypted.
    pub(super) flags: u16,
    /// Checksum of the inflated bytes.
    pub(super) crc32: u32,
    /// Bytes in the archive.
    pub(super) compressed: u64,
    /// Bytes when inflated, by the archive's word.
    pub(super) size: u64,
    /// Where the member's local header begins.
    pub(super) offset: u64,
    /// The Unix file type and mode, where the archive has it.
    pub(super) mode: Option<u32>,
}

const END: [u8; 4] = *b"PK\x05\x06";
const END_LENGTH: usize = 22;
const END64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR64: [u8; 4] = *b"PK\x06\x07";
const LOCATOR64_LENGTH: usize = 20;
const HEADER: [u8; 4] = *b"PK\x01\x02";
const HEADER_LENGTH: usize = 46;
const LOCAL: [u8; 4] = *b"PK\x03\x04";
const LOCAL_LENGTH: usize = 30;

/// The members of an archive, one after the other. After an error there is
/// nothing further.
pub(super) struct Directory<'a> {
    rest: &'a [u8],
    listed: u64,
    seen: u64,
}

impl<'a> Directory<'a> {
    /// Finds the directory by the record at the archive's end.
    pub(super) fn find(archive: &'a [u8]) -> Result<Self, OpenError> {
        let end = find_end(archive).ok_or_else(|| {
            OpenError::Truncated(
                "a zip archive has its list of members at its end, this one has none".into(),
            )
        })?;
        let record = slice(archive, end as u64, END_LENGTH as u64)?;
        let mut listed = u64::from(u16_at(record, 10)?);
        let mut length = u64::from(u32_at(record, 12)?);
        let mut start = u64::from(u32_at(record, 16)?);
        let mut bound = end as u64;
        let locator = end
            .checked_sub(LOCATOR64_LENGTH)
            .and_then(|at| archive.get(at..end))
            .filter(|locator| locator.starts_with(&LOCATOR64));
        if let Some(locator) = locator {
            bound = u64_at(locator, 8)?;
            let record = slice(archive, bound, 56)?;
            if !record.starts_with(&END64) {
                return Err(malformed("its zip64 end record is not where it says"));
            }
            let wide = [32, 40, 48].map(|at| u64_at(record, at));
            let [wide_listed, wide_length, wide_start] = wide;
            // Some readers take these numbers, others those: they must agree.
            listed = agreed(listed, 0xffff, wide_listed?)?;
            length = agreed(length, 0xffff_ffff, wide_length?)?;
            start = agreed(start, 0xffff_ffff, wide_start?)?;
        }
        // Other readers look for the list right before the end record,
        // wherever the record says it is.
        if start.checked_add(length) != Some(bound) {
            return Err(malformed(
                "its list of members does not end where its end record begins",
            ));
        }
        Ok(Self {
            rest: slice(archive, start, length)?,
            listed,
            seen: 0,
        })
    }

    fn member(&mut self) -> Result<Member<'a>, OpenError> {
        let listed = self.rest;
        if !listed.starts_with(&HEADER) {
            return Err(malformed("its list of members holds something else"));
        }
        let short = || malformed("its list of members is cut short");
        let header: &[u8; HEADER_LENGTH] = listed.first_chunk().ok_or_else(short)?;
        let name_length = usize::from(u16_at(header, 28)?);
        let extra_length = usize::from(u16_at(header, 30)?);
        let comment_length = usize::from(u16_at(header, 32)?);
        let name_end = HEADER_LENGTH + name_length;
        let extra_end = name_end + extra_length;
        let name = listed.get(HEADER_LENGTH..name_end).ok_or_else(short)?;
        let extra = listed.get(name_end..extra_end).ok_or_else(short)?;
        self.rest = listed.get(extra_end + comment_length..).ok_or_else(short)?;
        if has_another_name(extra, name) {
            return Err(malformed("a member of it has two names"));
        }
        self.seen += 1;
        // Sizes and offset that need more than 32 bits stand in the zip64
        // field, in this order, each only where its 32 bits are all ones.
        let mut wide = zip64_field(extra);
        let mut widened = |value: u32| match value {
            0xffff_ffff => wide
                .next()
                .ok_or_else(|| malformed("a zip64 size is missing")),
            value => Ok(u64::from(value)),
        };
        let size = widened(u32_at(header, 24)?)?;
        let compressed = widened(u32_at(header, 20)?)?;
        let offset = widened(u32_at(header, 42)?)?;
        // Made by Unix (3) or macOS (19): the upper half is st_mode.
        let made_by = u16_at(header, 4)? >> 8;
        let mode = u32_at(header, 38)? >> 16;
        Ok(Member {
            name,
            method: u16_at(header, 10)?,
            flags: u16_at(header, 8)?,
            crc32: u32_at(header, 16)?,
            compressed,
            size,
            offset,
            mode: matches!(made_by, 3 | 19).then_some(mode),
        })
    }
}

impl<'a> Iterator for Directory<'a> {
    type Item = Result<Member<'a>, OpenError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            let (listed, seen) = (self.listed, self.seen);
            self.listed = seen;
            return (listed != seen).then(|| {
                Err(malformed(&format!(
                    "it claims {listed} members and lists {seen}"
                )))
            });
        }
        let member = self.member();
        if member.is_err() {
            self.rest = &[];
            self.listed = self.seen;
        }
        Some(member)
    }
}

/// What begins with a member's bytes as they lie in the archive, and goes on
/// to the archive's end. The local header in front of them must name the same member: an archive in which the two differ shows
/// different readers different files.
pub(super) fn content<'a>(archive: &'a [u8], member: &Member<'_>) -> Result<&'a [u8], String> {
    let outside = |_| "its bytes lie outside of the archive".to_owned();
    let header = slice(archive, member.offset, LOCAL_LENGTH as u64).map_err(outside)?;
    if !header.starts_with(&LOCAL) {
        return Err("there is no member where the archive's list says".into());
    }
    let name_length = u64::from(u16_at(header, 26).map_err(outside)?);
    let extra_length = u64::from(u16_at(header, 28).map_err(outside)?);
    let name_start = member.offset + LOCAL_LENGTH as u64;
    let name = slice(archive, name_start, name_length).map_err(outside)?;
    if name != member.name {
        return Err("the archive's list and the member itself differ in its name".into());
    }
    let extra = slice(archive, name_start + name_length, extra_length).map_err(outside)?;
    if has_another_name(extra, name) {
        return Err("it has two names".into());
    }
    let start = name_start + name_length + extra_length;
    slice(archive, start, member.compressed).map_err(outside)?;
    let rest = (archive.len() as u64).saturating_sub(start);
    slice(archive, start, rest).map_err(outside)
}

/// Refuses members that share bytes: a small archive could claim any size
/// with them.
pub(super) fn refuse_overlaps<'a>(
    members: impl Iterator<Item = &'a Member<'a>>,
) -> Result<(), OpenError> {
    let mut spans: Vec<(u64, u64)> = members
        .map(|member| {
            let header = LOCAL_LENGTH as u64 + member.name.len() as u64;
            (member.offset, member.compressed.saturating_add(header))
        })
        .collect();
    spans.sort_unstable();
    let overlap = spans
        .iter()
        .zip(spans.iter().skip(1))
        .any(|((start, length), (next, _))| start.saturating_add(*length) > *next);
    if overlap {
        return Err(malformed("members of it share the same bytes"));
    }
    Ok(())
}

/// The end record lies at the very end, behind it only a comment of the
/// length that it says.
fn find_end(archive: &[u8]) -> Option<usize> {
    let last = archive.len().checked_sub(END_LENGTH)?;
    let first = last.saturating_sub(usize::from(u16::MAX));
    (first..=last).rev().find(|&at| {
        archive.get(at..).is_some_and(|record| {
            record.starts_with(&END)
                && u16_at(record, 20)
                    .is_ok_and(|comment| END_LENGTH + usize::from(comment) == record.len())
        })
    })
}

/// What a number of the end record is, given the zip64 record's.
fn agreed(value: u64, saturated: u64, wide: u64) -> Result<u64, OpenError> {
    match value == saturated || value == wide {
        true => Ok(wide),
        false => Err(malformed("its two end records differ")),
    }
}

/// Whether a member has a name in Info-ZIP's Unicode path field that readers
/// who know it would take instead. A name that is no ASCII in both is spelled
/// in two character sets.
fn has_another_name(extra: &[u8], name: &[u8]) -> bool {
    const UNICODE_PATH: u16 = 0x7075;
    fields(extra).any(|(id, field)| {
        let other = field.get(5..).unwrap_or_default();
        id == UNICODE_PATH && other != name && (name.is_ascii() || other.is_ascii())
    })
}

/// The extra fields: id and value.
fn fields(mut extra: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let [id, length] = extra.first_chunk().map(halves)?;
        let end = 4 + usize::from(length);
        let field = extra.get(4..end)?;
        extra = extra.get(end..).unwrap_or_default();
        Some((id, field))
    })
}

/// The 64-bit values of the extra field with the id 1.
fn zip64_field(extra: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let field = fields(extra).find(|(id, _)| *id == 1);
    field
        .map_or(&[][..], |(_, values)| values)
        .chunks_exact(8)
        .filter_map(|bytes| bytes.try_into().ok().map(u64::from_le_bytes))
}

/// The two numbers in front of an extra field: its id and its length.
fn halves(&[a, b, c, d]: &[u8; 4]) -> [u16; 2] {
    [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])]
}

fn slice(bytes: &[u8], start: u64, length: u64) -> Result<&[u8], OpenError> {
    usize::try_from(start)
        .ok()
        .zip(usize::try_from(length).ok())
        .and_then(|(start, length)| bytes.get(start..start.checked_add(length)?))
        .ok_or_else(|| malformed("it says that something lies behind its end"))
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], OpenError> {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .ok_or_else(|| malformed("one of its records is cut short"))
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, OpenError> {
    array(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, OpenError> {
    array(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64, OpenError> {
    array(bytes, at).map(u64::from_le_bytes)
}

fn malformed(what: &str) -> OpenError {
    OpenError::Malformed(format!("the zip archive is damaged: {what}"))
}
