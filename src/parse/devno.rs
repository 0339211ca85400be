//! Device numbers.

use std::fmt;
use std::str::FromStr;

/// A block device's number, as the kernel prints it: `major:minor`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct DevNo {
    /// The driver's number; device-mapper's is assigned when it loads (254,
    /// 253 or 252 on common kernels), so it is never assumed.
    pub major: u32,
    /// The device's number within its driver: the `N` of `/dev/dm-N`.
    pub minor: u32,
}

impl fmt::Display for DevNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

/// The text was not `major:minor`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a device number like 253:4")]
pub struct NotADevNo;

impl FromStr for DevNo {
    type Err = NotADevNo;

    /// Reads `major:minor`; `major,minor` (as `lsof` prints it) and blanks
    /// around the numbers are allowed.
    fn from_str(text: &str) -> Result<Self, NotADevNo> {
        let (major, minor) = text
            .split_once(':')
            .or_else(|| text.split_once(','))
            .ok_or(NotADevNo)?;
        Ok(Self {
            major: major.trim().parse().map_err(|_| NotADevNo)?,
            minor: minor.trim().parse().map_err(|_| NotADevNo)?,
        })
    }
}
