//! What all configurations of a bundle together may take up.

use super::bounds::{GUESTS, REFERENCES, too_many};
use crate::model::guest::{Guest, Target};

/// Bytes of a reference that cost as much as the reference itself.
const UNIT: usize = 128;

/// What the configurations read so far have taken.
#[derive(Debug, Default)]
pub(super) struct Budget {
    guests: usize,
    references: usize,
}

impl Budget {
    /// Counts a guest in.
    ///
    /// # Errors
    ///
    /// Why it can't be: the configurations are more than any cluster's. Then
    /// it has to count as one whose configuration could not be read.
    pub fn take(&mut self, guest: &Guest) -> Result<(), String> {
        let cost = |target: &Target| match target {
            Target::Volume { storage, volume } => 1 + (storage.len() + volume.len()) / UNIT,
            Target::Path(path) => 1 + path.len() / UNIT,
        };
        let references: usize = guest
            .references
            .iter()
            .map(|reference| cost(&reference.target))
            .sum();
        let references = self.references + references + guest.snapshots.len();
        if references > REFERENCES {
            let what = "volumes and snapshots of guests";
            return Err(too_many(references, what, REFERENCES));
        }
        if self.guests == GUESTS {
            return Err(too_many(self.guests + 1, "guests", GUESTS));
        }
        self.guests += 1;
        self.references = references;
        Ok(())
    }
}
