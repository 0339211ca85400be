//! Reading xz with bounded memory.

use std::io::{self, Read};

use lzma_rust2::XzReader;

/// What a decoder may take. A block can demand any dictionary up to 4 GiB;
/// `xz -9` needs one of 64 MiB, sos uses 4 MiB.
const MEMORY_KIB: u32 = 66 << 10;

/// The inflated bytes of all streams of `input`.
pub(super) struct Xz<R: Read>(XzReader<R>);

impl<R: Read> Xz<R> {
    pub(super) fn new(input: R) -> Self {
        Self(XzReader::new_mem_limit(input, true, MEMORY_KIB))
    }
}

impl<R: Read> Read for Xz<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::OutOfMemory => io::Error::new(
                io::ErrorKind::OutOfMemory,
                "reading it needs too much memory: pack it again with a smaller dictionary \
                 (xz -6)",
            ),
            _ => error,
        })
    }
}
