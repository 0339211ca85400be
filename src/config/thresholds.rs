//! Numbers from which something counts as a finding.

use serde::{Deserialize, Serialize};

/// Numbers from which something counts as a finding.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Per cent of a thin pool's data or metadata in use from which it is
    /// running full.
    pub thin_pool_high: f64,
    /// Per cent from which that is critical.
    pub thin_pool_urgent: f64,
    /// Minutes between the snapshots of a cluster's nodes from which a report
    /// says that they describe different moments.
    pub snapshots_apart_minutes: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            thin_pool_high: 80.0,
            thin_pool_urgent: 90.0,
            snapshots_apart_minutes: 15,
        }
    }
}

impl Thresholds {
    /// Whether they are per cent, the lower one first.
    pub fn are_sane(&self) -> bool {
        let (high, urgent) = (self.thin_pool_high, self.thin_pool_urgent);
        // What is no number is not sane either.
        high > 0.0 && high <= urgent && urgent <= 100.0
    }
}

/// As it stands in the file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    thin_pool_high: Option<f64>,
    thin_pool_urgent: Option<f64>,
    snapshots_apart_minutes: Option<u32>,
}

impl Raw {
    pub(super) fn checked(self) -> Result<Thresholds, String> {
        let usual = Thresholds::default();
        let thresholds = Thresholds {
            thin_pool_high: self.thin_pool_high.unwrap_or(usual.thin_pool_high),
            thin_pool_urgent: self.thin_pool_urgent.unwrap_or(usual.thin_pool_urgent),
            snapshots_apart_minutes: self
                .snapshots_apart_minutes
                .unwrap_or(usual.snapshots_apart_minutes),
        };
        let (high, urgent) = (thresholds.thin_pool_high, thresholds.thin_pool_urgent);
        if !thresholds.are_sane() {
            return Err(format!(
                "thin_pool_high is {high} and thin_pool_urgent {urgent}; expected per cent, the first no more than the second"
            ));
        }
        Ok(thresholds)
    }
}
