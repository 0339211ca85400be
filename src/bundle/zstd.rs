//! Reading Zstandard frames one after the other, with bounded memory.

use std::io::{self, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The largest window that is accepted: what `zstd` needs up to level 20. A
/// frame can demand any amount of memory by its window.
const WINDOW_BYTES: u64 = 32 << 20;

/// Blocks that are free, and the bytes that each further one must have, on
/// average. Writers fill blocks of 128 KiB; one of 16 bytes can have tables
/// that take 10 µs to build.
const FREE_BLOCKS: u64 = 100_000;
const BLOCK_BYTES: u64 = 4096;

/// The inflated bytes of all frames of `input`.
pub(super) struct ZstdReader<'a> {
    input: &'a [u8],
    decoder: FrameDecoder,
    in_frame: bool,
    /// Blocks and bytes so far.
    blocks: u64,
    bytes: u64,
}

impl<'a> ZstdReader<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_BYTES);
        Self {
            input,
            decoder,
            in_frame: false,
            blocks: 0,
            bytes: 0,
        }
    }

    /// Begins the next frame; a skippable one is passed over.
    fn begin(&mut self) -> io::Result<()> {
        match self.decoder.reset(&mut self.input) {
            Ok(()) => self.in_frame = true,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                self.input = usize::try_from(length)
                    .ok()
                    .and_then(|length| self.input.get(length..))
                    .ok_or(io::ErrorKind::UnexpectedEof)?;
            }
            Err(FrameDecoderError::WindowSizeTooBig { .. }) => {
                return Err(io::Error::new(
                    io::ErrorKind::OutOfMemory,
                    "reading it needs too much memory: pack it again without zstd's options \
                     --long and --ultra",
                ));
            }
            Err(error) => return Err(io::Error::other(error)),
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.in_frame = false;
        match self.decoder.get_checksum_from_data() {
            Some(stored) if Some(stored) != self.decoder.get_calculated_checksum() => Err(
                io::Error::other("the checksum of a zstd frame is not that of its bytes"),
            ),
            _ => Ok(()),
        }
    }
}

impl Read for ZstdReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.in_frame {
                if self.input.is_empty() {
                    return Ok(0);
                }
                self.begin()?;
                continue;
            }
            if self.decoder.can_collect() > 0 {
                let read = self.decoder.read(buffer)?;
                self.bytes += read as u64;
                return Ok(read);
            }
            if self.decoder.is_finished() {
                self.end()?;
                continue;
            }
            self.blocks += 1;
            if self.blocks > FREE_BLOCKS + self.bytes / BLOCK_BYTES {
                return Err(io::Error::new(
                    io::ErrorKind::OutOfMemory,
                    "its zstd blocks are too many and too small: pack it again",
                ));
            }
            self.decoder
                .decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1))
                .map_err(io::Error::other)?;
        }
    }
}
