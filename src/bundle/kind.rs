//! Which kind of archive some bytes are, and which names promise one.

use tar::Header;

/// A kind of archive that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Zip,
    Tar,
    TarGz,
    TarZst,
    TarXz,
}

impl Kind {
    /// The time that unpacking takes for each packed byte whatever comes out
    /// of it, in that of an unpacked one passed by (4 ns): as measured with
    /// tables that are built anew every 12 to 16 bytes. A zip's members are
    /// unpacked only where a bundle has them.
    pub(super) fn cost(self) -> u64 {
        match self {
            Self::Zip | Self::Tar => 0,
            Self::TarGz | Self::TarZst => 10,
            Self::TarXz => 24,
        }
    }
}

/// What `dmaudit` reads, for messages.
pub(super) const EXPECTED: &str = "a bundle as .zip, .tar.gz, .tgz, .tar.zst or .tar, a pvereport's text or a sosreport's .tar.xz or .tar.gz";

const SUFFIXES: [&str; 9] = [
    ".zip",
    ".tar.gz",
    ".tgz",
    ".tar.zst",
    ".tar.zstd",
    ".tzst",
    ".tar.xz",
    ".txz",
    ".tar",
];

/// Names of texts that may be a pvereport, packed or not.
const TEXTS: [&str; 8] = [
    ".txt",
    ".log",
    ".report",
    ".pvereport",
    ".txt.gz",
    ".log.gz",
    ".txt.xz",
    ".log.xz",
];

/// Whether a file of this name may be a pvereport: its beginning tells.
pub(super) fn named_as_text(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TEXTS.iter().any(|suffix| name.ends_with(suffix))
}

/// Whether a file of this name holds facts.
pub(super) fn named_as_facts(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".dmfacts") || name.ends_with(".dmfacts.gz")
}

/// Whether a file of this name is looked at in a folder that is searched.
pub(super) fn named_as_archive(name: &str) -> bool {
    suffix(name).is_some()
}

fn suffix(name: &str) -> Option<&'static str> {
    SUFFIXES.into_iter().find(|suffix| {
        name.len()
            .checked_sub(suffix.len())
            .and_then(|at| name.as_bytes().get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(suffix.as_bytes()))
    })
}

/// A file's name without folders and without an archive's suffix.
pub(super) fn stem(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    let text = || TEXTS.into_iter().find(|suffix| name.ends_with(suffix));
    suffix(name)
        .or_else(text)
        .and_then(|suffix| name.get(..name.len() - suffix.len()))
        .filter(|stem| !stem.is_empty())
        .unwrap_or(name)
}

/// The kind of an archive by its first bytes; the error says what it is
/// instead.
pub(super) fn of(bytes: &[u8]) -> Result<Kind, String> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Ok(Kind::Zip);
    }
    if bytes.starts_with(b"\x1f\x8b") {
        return Ok(Kind::TarGz);
    }
    if bytes.starts_with(b"\x28\xb5\x2f\xfd") || is_zstd_skippable(bytes) {
        return Ok(Kind::TarZst);
    }
    if bytes.starts_with(b"\xfd7zXZ\0") {
        return Ok(Kind::TarXz);
    }
    // By its checksum: old tar headers have no magic number.
    if begins_with_tar_header(bytes) {
        return Ok(Kind::Tar);
    }
    Err(described(bytes))
}

/// Whether these bytes begin with a tar's header: its checksum, taken with spaces in
/// its own place, must be right.
pub(super) fn begins_with_tar_header(bytes: &[u8]) -> bool {
    let Some(block) = bytes.first_chunk() else {
        return false;
    };
    let mut header = Header::new_old();
    *header.as_mut_bytes() = *block;
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, &byte)| match at {
            148..156 => u32::from(b' '),
            _ => u32::from(byte),
        })
        .sum();
    header.cksum().is_ok_and(|stored| stored == sum)
}

fn is_zstd_skippable(bytes: &[u8]) -> bool {
    matches!(bytes, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

fn described(bytes: &[u8]) -> String {
    let known: [(&[u8], &str); 7] = [
        (b"BZh", "a bzip2 archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (b"Rar!", "a RAR archive"),
        (b"<", "a web page or XML"),
        (b"{", "JSON"),
        (b"%PDF", "a PDF"),
        (b"#!", "a script"),
    ];
    if bytes.is_empty() {
        return "it is empty".into();
    }
    known
        .iter()
        .find(|(magic, _)| bytes.starts_with(magic))
        .map_or("it is something else".into(), |(_, what)| {
            format!("it looks like {what}")
        })
}
