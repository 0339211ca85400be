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
        let at = text.bytes().position(|byte| matches!(byte, b':' | b','));
        let (major, minor) = at
            .and_then(|at| text.split_at_checked(at))
            .ok_or(NotADevNo)?;
        let number = |text: Option<&str>| text?.trim().parse().ok();
        Ok(Self {
            major: number(Some(major)).ok_or(NotADevNo)?,
            minor: number(minor.get(1..)).ok_or(NotADevNo)?,
        })
    }
}
