//! What of a node waits for the last node of its cluster.

use std::io::{self, BufReader, BufWriter};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::checks::shared::Shared;

/// Guests and volumes of a node that wait as they are: packing more takes a
/// small part of the time that their node took.
const AS_IT_IS: usize = 1_000;

/// A node that waits: a large one is packed, since others are analyzed
/// meanwhile.
#[derive(Debug)]
pub(super) enum Waiting {
    AsItIs(Shared),
    Packed(Vec<u8>),
}

impl Waiting {
    pub(super) fn of(shared: Shared) -> Self {
        let size = shared.homes.len() + shared.volumes.len() + shared.opened.len();
        match size > AS_IT_IS {
            true => match pack(&shared) {
                Ok(bytes) => Self::Packed(bytes),
                Err(_) => Self::AsItIs(shared),
            },
            false => Self::AsItIs(shared),
        }
    }

    /// The node as it was: whatever it holds comes back, as from facts.
    pub(super) fn unpacked(self) -> Shared {
        match self {
            Self::AsItIs(shared) => shared,
            Self::Packed(bytes) => unpack(&bytes).unwrap_or_default(),
        }
    }
}

fn pack(shared: &Shared) -> io::Result<Vec<u8>> {
    let packed = DeflateEncoder::new(Vec::new(), Compression::fast());
    let mut text = BufWriter::new(packed);
    serde_json::to_writer(&mut text, shared)?;
    let mut bytes = text.into_inner()?.finish()?;
    bytes.shrink_to_fit();
    Ok(bytes)
}

fn unpack(bytes: &[u8]) -> serde_json::Result<Shared> {
    serde_json::from_reader(BufReader::new(DeflateDecoder::new(bytes)))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::checks::shared::Volume;

    #[test]
    fn a_large_node_is_packed_and_comes_back_whole() {
        let volume = |number: usize| Volume {
            vg: "v".to_owned(),
            lv: format!("vm-{number}-disk-0"),
            entry: format!("v-vm--{number}--disk--0"),
            vmid: Some(number as u64),
            home: (number.is_multiple_of(2)).then(|| "n\u{e4}\u{0}".to_owned()),
            stale: number.is_multiple_of(3),
            in_use: number.is_multiple_of(5),
            issue: number.is_multiple_of(7),
        };
        for (volumes, collected_at, is_packed) in [
            (AS_IT_IS, None, false),
            (AS_IT_IS + 1, None, true),
            (AS_IT_IS + 1, Some(DateTime::<Utc>::MIN_UTC), true),
            (AS_IT_IS + 1, Some(DateTime::<Utc>::MAX_UTC), true),
        ] {
            let shared = Shared {
                node: "n".to_owned(),
                collected_at,
                volumes: (0..volumes).map(volume).collect(),
                ..Shared::default()
            };
            let waiting = Waiting::of(shared.clone());
            assert_eq!(matches!(waiting, Waiting::Packed { .. }), is_packed);
            assert_eq!(waiting.unpacked(), shared);
        }
    }
}
