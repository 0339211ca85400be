//! How much of a stranger's archive is read before it is refused.

use super::kind::Kind;
use super::{OpenError, raise};

/// Bounds on one input. The defaults keep the reading of one hostile archive
/// below 256 MiB of memory and 10 seconds; a real bundle of a node
/// with 20,000 entries stays below a tenth of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an archive as it lies on disk (it is held in memory while it
    /// is read).
    pub archive_bytes: u64,
    /// Bytes of all members together, inflated. Of a tar every member counts
    /// (skipping one means inflating it), of a zip those that a bundle has.
    /// Several bundles in one archive may have half of it.
    pub total_bytes: u64,
    /// Bytes of one member, inflated. A larger one is left out with a note,
    /// the others are read.
    pub file_bytes: u64,
    /// Members of an archive, or files of a folder.
    pub entries: usize,
    /// Inflated bytes per byte of the archive, looked at once more than
    /// [`RATIO_FREE_BYTES`] were inflated.
    pub ratio: u64,
    /// Bundles in one archive.
    pub bundles: usize,
}

/// Inflated bytes that are allowed at any compression ratio: a small and
/// repetitive bundle is not a bomb.
pub const RATIO_FREE_BYTES: u64 = 16 << 20;

/// A sosreport may have so many times the bytes that are passed by unread,
/// together with [`Kind::cost`] for the bytes as they are packed. Inflating
/// that many takes at most 9 s: one that is packed with xz to a tenth may
/// have 750 MiB.
const WIDE_BYTES: u64 = 20;

/// … so many times the members,
const WIDE_ENTRIES: usize = 10;

/// … and on disk so many times the bytes: it is not held in memory.
pub(super) const WIDE_ARCHIVE: u64 = 16;

/// Bytes of a `manifest.json`: 20,000 files with their hashes need 4 MiB.
pub(super) const MANIFEST_BYTES: u64 = 8 << 20;

/// Bytes of a member's name. Linux itself allows 4,096 for a path.
pub(super) const NAME_BYTES: usize = 4096;

/// Folders above a member.
pub(super) const NAME_DEPTH: usize = 64;

/// Memory that keeping one member costs besides its bytes; it is charged
/// like bytes, so that a million empty members are not free.
const MEMBER_OVERHEAD: u64 = 128;

impl Default for Limits {
    fn default() -> Self {
        Self {
            archive_bytes: 64 << 20,
            total_bytes: 128 << 20,
            file_bytes: 64 << 20,
            entries: 100_000,
            ratio: 200,
            bundles: 1_000,
        }
    }
}

impl Limits {
    /// Whether so many bundles of one archive may have so many bytes together.
    /// All are in memory while the first is analyzed, so that several may have
    /// half of what a single one may.
    pub(super) fn allow_together(&self, bundles: usize, bytes: u64) -> Result<(), OpenError> {
        let limit = self.total_bytes / 2;
        match bundles > 1 && bytes > limit {
            true => Err(OpenError::Limit {
                what: "bytes for several bundles in one archive",
                limit,
                option: Some("--max-total"),
            }),
            false => Ok(()),
        }
    }

    /// Whether so many bytes may come out of so many packed ones.
    pub(super) fn allow_ratio(&self, unpacked: u64, packed: u64) -> Result<(), OpenError> {
        match unpacked > RATIO_FREE_BYTES && unpacked / packed.max(1) >= self.ratio {
            true => Err(OpenError::Limit {
                what: "times its own size when unpacked",
                limit: self.ratio,
                option: Some("--max-ratio"),
            }),
            false => Ok(()),
        }
    }
}

/// What is left of the limits while one input is read.
#[derive(Debug)]
pub(super) struct Budget<'a> {
    pub(super) limits: &'a Limits,
    /// Bytes of the archive; `None` for a folder, which has no ratio.
    archive: Option<u64>,
    used: u64,
    /// Bytes passed by unread in what is wide.
    passed: u64,
    /// What unpacking costs besides, whatever comes out: see [`Kind::cost`].
    cost: u64,
    entries: usize,
    wide: bool,
}

impl<'a> Budget<'a> {
    pub(super) fn new(limits: &'a Limits, archive: Option<u64>) -> Self {
        Self {
            limits,
            archive,
            used: 0,
            passed: 0,
            cost: 0,
            entries: 0,
            wide: false,
        }
    }

    /// Counts what unpacking the archive costs, whatever comes out of it: a
    /// stream can have thousands of tables and not one byte.
    pub(super) fn packed_as(&mut self, kind: Kind) -> Result<(), OpenError> {
        self.cost = self.archive.unwrap_or(0).saturating_mul(kind.cost());
        self.within_wide()
    }

    fn within_wide(&self) -> Result<(), OpenError> {
        let limit = self.limits.total_bytes.saturating_mul(WIDE_BYTES);
        match self.passed.saturating_add(self.cost) > limit {
            true => Err(OpenError::Limit {
                what: "bytes when unpacked, where each packed byte counts as 10 more, \
                       or 24 with xz,",
                limit,
                option: Some("--max-total"),
            }),
            false => Ok(()),
        }
    }

    /// Counts bytes that are about to be inflated or read.
    pub(super) fn bytes(&mut self, bytes: u64) -> Result<(), OpenError> {
        self.used = self.used.saturating_add(bytes);
        if self.used > self.limits.total_bytes {
            return Err(OpenError::Limit {
                what: "bytes when unpacked",
                limit: self.limits.total_bytes,
                option: Some("--max-total"),
            });
        }
        self.ratio()
    }

    fn ratio(&self) -> Result<(), OpenError> {
        let used = self.used.saturating_add(self.passed);
        self.archive
            .map_or(Ok(()), |archive| self.limits.allow_ratio(used, archive))
    }

    /// Counts bytes that are passed by: they cost time, and no memory.
    pub(super) fn passed(&mut self, bytes: u64) -> Result<(), OpenError> {
        if !self.wide {
            return self.bytes(bytes);
        }
        self.passed = self.passed.saturating_add(bytes);
        self.within_wide()?;
        self.ratio()
    }

    /// Allows for the size of a sosreport, of which little is kept.
    pub(super) fn widen(&mut self) {
        self.wide = true;
    }

    /// Whether the archive is larger on disk than a bundle may be: then only
    /// a sosreport is read.
    pub(super) fn is_too_large(&self) -> bool {
        let large = self
            .archive
            .is_some_and(|bytes| bytes > self.limits.archive_bytes);
        large && !self.wide
    }

    /// Counts a member whose name (of `length` bytes) is kept.
    pub(super) fn kept(&mut self, length: usize) -> Result<(), OpenError> {
        self.bytes(length as u64 + MEMBER_OVERHEAD)
    }

    /// Counts one more member, kept or not.
    pub(super) fn entry(&mut self) -> Result<(), OpenError> {
        self.entries += 1;
        let limit = match self.wide {
            true => self.limits.entries.saturating_mul(WIDE_ENTRIES),
            false => self.limits.entries,
        };
        if self.entries > limit {
            return Err(OpenError::Limit {
                what: "members",
                limit: limit as u64,
                option: Some("--max-entries"),
            });
        }
        Ok(())
    }

    /// Why the member at `path` is not read, which has more bytes than it
    /// may; so many, if that is known.
    pub(super) fn too_large(&self, path: &str, size: Option<u64>) -> String {
        let limit = self.file_limit(path);
        let raise = match limit == self.limits.file_bytes {
            true => format!("; {} where it comes from", raise(&Some("--max-file"))),
            false => String::new(),
        };
        match size {
            Some(size) => {
                format!("it has {size} bytes, more than the {limit} allowed for one file{raise}")
            }
            None => format!("it is larger than the {limit} bytes allowed for one file{raise}"),
        }
    }

    /// The most bytes that the member at `path` may have.
    pub(super) fn file_limit(&self, path: &str) -> u64 {
        if path == "manifest.json" || path.ends_with("/manifest.json") {
            self.limits.file_bytes.min(MANIFEST_BYTES)
        } else {
            self.limits.file_bytes
        }
    }
}
