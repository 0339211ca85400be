//! Small files that were inflated before. The bundles of a cluster hold the
//! same files of `/etc/pve`, most of them packed to the same bytes.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

use super::zip_directory::Member;
use crate::remember::Memory;

/// Packed bytes of a file that is worth remembering: a guest's configuration
/// has a few hundred.
const SMALL: u64 = 4 << 10;

/// Packed bytes that are remembered at most: the files of some large
/// clusters. Inflated they are about three times as many.
const MOST: usize = 1 << 20;

/// A file's bytes, in all bundles that hold the same.
#[derive(Default)]
pub(super) struct StoredFile {
    bytes: Vec<u8>,
    sha256: OnceLock<[u8; 32]>,
}

impl StoredFile {
    /// The SHA-256 of the bytes.
    pub(super) fn sha256(&self) -> &[u8; 32] {
        self.sha256
            .get_or_init(|| Sha256::digest(&self.bytes).into())
    }
}

impl fmt::Debug for StoredFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes.fmt(f)
    }
}

impl From<Vec<u8>> for StoredFile {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            sha256: OnceLock::new(),
        }
    }
}

impl Deref for StoredFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Files of the zip archives that were read in a run, by their packed bytes.
#[derive(Debug)]
pub struct Repeats(Memory<Arc<StoredFile>>);

impl Default for Repeats {
    fn default() -> Self {
        Self(Memory::of(MOST))
    }
}

impl Repeats {
    /// What the same packed bytes, of the same length and checksum by the
    /// archive's list, were inflated to before, or what `inflate` makes of
    /// them. Nothing but these decides on what comes out.
    pub(super) fn get(
        &self,
        packed: &[u8],
        member: &Member<'_>,
        inflate: impl FnOnce() -> Result<Vec<u8>, String>,
    ) -> Result<Arc<StoredFile>, String> {
        let make = || inflate().map(|bytes| Arc::new(StoredFile::from(bytes)));
        if member.compressed > SMALL {
            return make();
        }
        let mut head = [0; 16];
        let (size, rest) = head.split_at_mut(8);
        let (crc32, rest) = rest.split_at_mut(4);
        let (method, flags) = rest.split_at_mut(2);
        size.copy_from_slice(&member.size.to_le_bytes());
        crc32.copy_from_slice(&member.crc32.to_le_bytes());
        method.copy_from_slice(&member.method.to_le_bytes());
        flags.copy_from_slice(&member.flags.to_le_bytes());
        self.0.get(&head, packed, make)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn member(compressed: u64, crc32: u32) -> Member<'static> {
        Member {
            name: b"files/etc/pve/nodes/n/lxc/100.conf",
            method: 8,
            flags: 0,
            crc32,
            compressed,
            size: 5,
            offset: 0,
            mode: None,
        }
    }

    #[test]
    fn what_is_packed_the_same_is_inflated_once() {
        let repeats = Repeats::default();
        let inflate = || Ok(b"a: b\n".to_vec());
        let never = || -> Result<Vec<u8>, String> { unreachable!("it was inflated before") };
        let first = repeats.get(b"packed", &member(6, 1), inflate).unwrap();
        let again = repeats.get(b"packed", &member(6, 1), never).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(&**again, b"a: b\n");
        assert_eq!(*again.sha256(), <[u8; 32]>::from(Sha256::digest("a: b\n")));
    }

    #[test]
    fn another_checksum_or_a_large_file_is_inflated_again() {
        let repeats = Repeats::default();
        let failed = || Err("its checksum is another".to_owned());
        let inflate = || Ok(b"a: b\n".to_vec());
        assert!(repeats.get(b"packed", &member(6, 1), inflate).is_ok());
        assert!(repeats.get(b"packed", &member(6, 2), failed).is_err());
        assert!(
            repeats
                .get(b"large", &member(SMALL + 1, 1), inflate)
                .is_ok()
        );
        assert!(
            repeats
                .get(b"large", &member(SMALL + 1, 1), failed)
                .is_err()
        );
    }
}
