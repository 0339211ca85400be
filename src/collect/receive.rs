//! A bundle as it arrives: into a file, without what the remote shell printed
//! before it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};

/// How a bundle begins: a zip's first member, or gzip.
const MAGICS: [&[u8]; 2] = [b"PK\x03\x04", b"\x1f\x8b\x08"];

/// The longest of them.
const MAGIC_BYTES: usize = 4;

/// So many bytes may stand before a bundle.
const NOISE_BYTES: usize = 64 << 10;

/// What became of a stream.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// Bytes of the bundle; 0 where none began.
    pub(super) bytes: u64,
    /// What stood before it.
    pub(super) noise: Vec<u8>,
    /// It is larger than any bundle.
    pub(super) too_large: bool,
    /// Writing or reading failed.
    pub(super) error: Option<io::Error>,
}

/// Copies a bundle of at most `limit` bytes; `count` follows how far it got.
pub(super) fn receive(
    mut from: impl Read,
    to: &mut File,
    limit: u64,
    count: &AtomicU64,
) -> Received {
    let mut received = Received::default();
    if let Err(error) = copy(&mut from, to, limit, count, &mut received) {
        received.error = Some(error);
    }
    received
}

fn copy(
    from: &mut impl Read,
    to: &mut File,
    limit: u64,
    count: &AtomicU64,
    received: &mut Received,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return to.flush(),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = buffer.get(..read).unwrap_or_default();
        let begun;
        let bytes = if received.bytes > 0 {
            bytes
        } else {
            // One that began at the end of the last piece counts, too.
            let from = received.noise.len().saturating_sub(MAGIC_BYTES - 1);
            received.noise.extend_from_slice(bytes);
            match beginning(&received.noise, from) {
                Some(at) => begun = received.noise.split_off(at),
                // The rest of the stream is of no use.
                None if received.noise.len() > NOISE_BYTES => return Ok(()),
                None => continue,
            }
            &begun
        };
        received.bytes += bytes.len() as u64;
        if received.bytes > limit {
            received.too_large = true;
            return Ok(());
        }
        to.write_all(bytes)?;
        count.store(received.bytes, Ordering::Relaxed);
    }
}

fn beginning(bytes: &[u8], from: usize) -> Option<usize> {
    (from..bytes.len()).find(|&at| {
        let rest = bytes.get(at..).unwrap_or_default();
        MAGICS.iter().any(|magic| rest.starts_with(magic))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::io::Seek;

    /// A stream that comes in pieces of three bytes.
    struct Pieces<'a>(&'a [u8]);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(3);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn through(bytes: &[u8], limit: u64) -> (Received, Vec<u8>) {
        let mut file = tempfile::tempfile().unwrap();
        let received = receive(Pieces(bytes), &mut file, limit, &AtomicU64::new(0));
        file.rewind().unwrap();
        let mut written = Vec::new();
        file.read_to_end(&mut written).unwrap();
        (received, written)
    }

    #[test]
    fn a_banner_is_no_part_of_the_bundle() {
        for magic in MAGICS {
            for banner in ["", "W", "Welcome to pve1!\nPK\u{3}", "P"] {
                let bundle = [magic, b"PK\x03\x04 and more"].concat();
                let stream = [banner.as_bytes(), &bundle].concat();
                let (received, written) = through(&stream, 1000);
                assert_eq!(received.noise, banner.as_bytes(), "{banner:?}");
                assert_eq!(written, bundle, "{banner:?}");
                assert_eq!(received.bytes, bundle.len() as u64);
            }
        }
    }

    #[test]
    fn what_is_no_bundle_is_not_kept() {
        let (received, written) = through(b"This account is not available.\n", 1000);
        assert_eq!((received.bytes, written), (0, vec![]));
        assert_eq!(received.noise, b"This account is not available.\n");
        let (received, written) = through(&vec![b'x'; 1 << 20], 1 << 30);
        assert_eq!((received.bytes, written), (0, vec![]));
        assert!(received.noise.len() < 80 << 10);
    }

    #[test]
    fn an_endless_bundle_ends_at_the_limit() {
        let stream = [b"PK\x03\x04".to_vec(), vec![0; 10_000]].concat();
        let (received, written) = through(&stream, 1000);
        assert!(received.too_large);
        assert!(written.len() <= 1000);
    }
}
