//! The target-specific part of `dmsetup status` for thin pools and thin
//! volumes, as the kernel's `thin-provisioning` documentation describes it.

use std::str::FromStr;

/// The text was no status of a thin pool or thin volume.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct NotThinStatus(&'static str);

/// What a thin pool says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ThinPoolStatus {
    /// `Fail`: the pool gave up, all input and output on it fails.
    Fail,
    /// `Error`: the pool could not even say how it is.
    Error,
    /// The pool works, if perhaps not fully.
    Working(ThinPool),
}

/// A working thin pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThinPool {
    /// LVM's counter of changes to the pool's set of volumes.
    pub transaction: u64,
    /// Used metadata, in blocks of 4 KiB.
    pub used_metadata: u64,
    /// Size of the metadata, in blocks of 4 KiB.
    pub total_metadata: u64,
    /// Used data, in the pool's own blocks (their size is in its table).
    pub used_data: u64,
    /// Size of the data, in the pool's own blocks.
    pub total_data: u64,
    /// What the pool still allows.
    pub mode: PoolMode,
    /// The metadata must be checked offline (`thin_check`) before it can be
    /// written again.
    pub needs_check: bool,
    /// Writes that need space wait for it when there is none; otherwise they
    /// fail at once. None where the kernel doesn't print it.
    pub queue_if_no_space: Option<bool>,
}

/// What a thin pool allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolMode {
    /// `rw`: everything.
    ReadWrite,
    /// `ro`: no new blocks; the metadata can't be changed.
    ReadOnly,
    /// `out_of_data_space`: no new blocks, as there are none.
    OutOfDataSpace,
}

impl ThinPool {
    /// Share of the data in use, 0 to 100; none for an empty pool.
    pub fn data_percent(&self) -> Option<f64> {
        percent(self.used_data, self.total_data)
    }

    /// Share of the metadata in use, 0 to 100; none for an empty one.
    pub fn metadata_percent(&self) -> Option<f64> {
        percent(self.used_metadata, self.total_metadata)
    }
}

fn percent(used: u64, total: u64) -> Option<f64> {
    (total > 0).then(|| used as f64 * 100.0 / total as f64)
}

impl FromStr for ThinPoolStatus {
    type Err = NotThinStatus;

    /// Reads what follows `thin-pool` in a status line:
    /// `16 126/1024 109/8000 - rw discard_passdown queue_if_no_space - 256`.
    /// Older kernels print fewer words at the end.
    fn from_str(text: &str) -> Result<Self, NotThinStatus> {
        let error = NotThinStatus(
            "a thin pool's status: TRANSACTION USED/TOTAL USED/TOTAL ROOT MODE …, Fail or Error",
        );
        match text.trim() {
            "Fail" => Ok(Self::Fail),
            "Error" => Ok(Self::Error),
            text => working_pool(text).map(Self::Working).ok_or(error),
        }
    }
}

fn working_pool(text: &str) -> Option<ThinPool> {
    let mut words = text.split_whitespace();
    let transaction = words.next()?.parse().ok()?;
    let (used_metadata, total_metadata) = usage(words.next()?)?;
    let (used_data, total_data) = usage(words.next()?)?;
    let _held_metadata_root = words.next()?;
    let mode = match words.next()? {
        "rw" => PoolMode::ReadWrite,
        "ro" => PoolMode::ReadOnly,
        "out_of_data_space" => PoolMode::OutOfDataSpace,
        _ => return None,
    };
    let mut pool = ThinPool {
        transaction,
        used_metadata,
        total_metadata,
        used_data,
        total_data,
        mode,
        needs_check: false,
        queue_if_no_space: None,
    };
    for word in words {
        match word {
            "needs_check" => pool.needs_check = true,
            "queue_if_no_space" => pool.queue_if_no_space = Some(true),
            "error_if_no_space" => pool.queue_if_no_space = Some(false),
            _ => {}
        }
    }
    Some(pool)
}

/// `109/8000`.
fn usage(word: &str) -> Option<(u64, u64)> {
    let (used, total) = word.split_once('/')?;
    Some((used.parse().ok()?, total.parse().ok()?))
}

/// What a thin volume says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ThinVolumeStatus {
    /// `Fail`: its pool gave up.
    Fail,
    /// `Error`, or `-` where it has lost its pool: nothing is known.
    Unknown,
    /// It works.
    Working {
        /// Sectors (512 bytes) that have blocks of the pool behind them.
        mapped_sectors: u64,
        /// The last such sector; none if there are none.
        highest_sector: Option<u64>,
    },
}

impl FromStr for ThinVolumeStatus {
    type Err = NotThinStatus;

    /// Reads what follows `thin` in a status line: `384 2175`, or `0 -`.
    fn from_str(text: &str) -> Result<Self, NotThinStatus> {
        let error = NotThinStatus("a thin volume's status: SECTORS HIGHEST, Fail or Error");
        match text.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["Fail"] => Ok(Self::Fail),
            ["Error"] | ["-"] => Ok(Self::Unknown),
            [mapped, highest] => Ok(Self::Working {
                mapped_sectors: mapped.parse().map_err(|_| error.clone())?,
                highest_sector: match *highest {
                    "-" => None,
                    sector => Some(sector.parse().map_err(|_| error)?),
                },
            }),
            _ => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn pool(text: &str) -> ThinPool {
        match text.parse().unwrap() {
            ThinPoolStatus::Working(pool) => pool,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_healthy_pool() {
        let pool = pool("16 126/1024 109/8000 - rw discard_passdown queue_if_no_space - 256 ");
        assert_eq!(
            pool,
            ThinPool {
                transaction: 16,
                used_metadata: 126,
                total_metadata: 1024,
                used_data: 109,
                total_data: 8000,
                mode: PoolMode::ReadWrite,
                needs_check: false,
                queue_if_no_space: Some(true),
            }
        );
        assert_eq!(pool.data_percent(), Some(1.3625));
        assert_eq!(pool.metadata_percent(), Some(12.3046875));
    }

    #[test]
    fn a_pool_in_trouble() {
        let full =
            pool("1 9/1024 8000/8000 - out_of_data_space discard_passdown error_if_no_space - 256");
        assert_eq!(full.mode, PoolMode::OutOfDataSpace);
        assert_eq!(full.queue_if_no_space, Some(false));
        let broken =
            pool("1 1024/1024 80/8000 - ro no_discard_passdown queue_if_no_space needs_check 256");
        assert_eq!(broken.mode, PoolMode::ReadOnly);
        assert!(broken.needs_check);
        assert_eq!("Fail".parse(), Ok(ThinPoolStatus::Fail));
        assert_eq!(" Error\r\n".parse(), Ok(ThinPoolStatus::Error));
    }

    #[test]
    fn an_old_kernels_pool() {
        let old = pool("0 14/4096 0/1600 73 rw");
        assert_eq!(old.queue_if_no_space, None);
        assert_eq!(pool("0 1/2 0/0 - rw").data_percent(), None);
    }

    #[test]
    fn volumes() {
        let working = |mapped_sectors, highest_sector| ThinVolumeStatus::Working {
            mapped_sectors,
            highest_sector,
        };
        assert_eq!("384 2175".parse(), Ok(working(384, Some(2175))));
        assert_eq!("0 -".parse(), Ok(working(0, None)));
        assert_eq!("Fail".parse(), Ok(ThinVolumeStatus::Fail));
        assert_eq!("Error".parse(), Ok(ThinVolumeStatus::Unknown));
        assert_eq!("-".parse(), Ok(ThinVolumeStatus::Unknown));
    }

    #[test]
    fn other_text_is_an_error() {
        for text in [
            "",
            "16",
            "16 126 109/8000 - rw",
            "16 1/2 3/4 - maybe",
            "-1 1/2 3/4 - rw",
        ] {
            assert!(text.parse::<ThinPoolStatus>().is_err(), "{text}");
        }
        for text in ["", "1", "1 x", "1 2 3", "x -"] {
            assert!(text.parse::<ThinVolumeStatus>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            let _ = text.parse::<ThinPoolStatus>();
            let _ = text.parse::<ThinVolumeStatus>();
        }

        #[test]
        fn printed_numbers_come_back(n in any::<[u64; 5]>(), check in any::<bool>()) {
            let [t, um, tm, ud, td] = n;
            let check_word = if check { "needs_check" } else { "-" };
            let pool = pool(&format!("{t} {um}/{tm} {ud}/{td} - rw discard_passdown queue_if_no_space {check_word} 256"));
            prop_assert_eq!(
                [pool.transaction, pool.used_metadata, pool.total_metadata, pool.used_data, pool.total_data],
                n
            );
            prop_assert_eq!(pool.needs_check, check);
        }
    }
}
