//! Where entries and logical volumes lie: stretches of sectors (512 bytes) on
//! devices, by their tables and by LVM's metadata.
//!
//! A volume's extent lies at `pe_start + extent × extent size` of its
//! physical volume.

use std::collections::HashMap;

use smallvec::{SmallVec, smallvec};

use crate::model::device::Device;
use crate::model::lvm::{LogicalVolume, LvSegment, Lvm, PhysicalVolume};
use crate::model::node::Node;
use crate::parse::DevNo;
use crate::parse::dmsetup_table::{Segment, Target};

/// A stretch of a volume that lies on one device, or striped over several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// First sector within the volume.
    pub start: u64,
    /// Length in sectors.
    pub length: u64,
    /// Device and first sector on it, one for each stripe.
    pub stripes: Stripes,
}

/// Nearly all volumes lie on one device.
type Stripes = SmallVec<[(DevNo, u64); 1]>;

impl Piece {
    /// The sectors it takes up: device, first sector, and the one behind the
    /// last.
    pub fn stretches(&self) -> impl Iterator<Item = (DevNo, u64, u64)> {
        let each = self.per_stripe();
        self.stripes
            .iter()
            .map(move |(device, start)| (*device, *start, start.saturating_add(each)))
    }

    fn per_stripe(&self) -> u64 {
        self.length / (self.stripes.len() as u64).max(1)
    }

    /// Whether another piece goes on where this one ends.
    fn continues(&self, next: &Self) -> bool {
        let each = self.per_stripe();
        self.start.checked_add(self.length) == Some(next.start)
            && self.stripes.len() == next.stripes.len()
            && self
                .stripes
                .iter()
                .zip(&next.stripes)
                .all(|(a, b)| a.0 == b.0 && a.1.checked_add(each) == Some(b.1))
    }
}

/// Where a volume lies, as far as it lies plainly on devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// Its pieces by start; what goes on where another ends is one piece.
    pub pieces: Vec<Piece>,
    /// Whether the pieces are all of it: none of its segments is of a kind
    /// that says nothing of sectors, or lies on an unknown device.
    pub whole: bool,
}

impl Layout {
    fn new(all: impl IntoIterator<Item = Option<Piece>>) -> Self {
        let mut count = 0;
        let all = all.into_iter().inspect(|_| count += 1);
        let mut pieces: Vec<Piece> = all.flatten().collect();
        let whole = count > 0 && pieces.len() == count;
        pieces.sort_by_key(|piece| piece.start);
        pieces.dedup_by(|next, last| {
            let goes_on = last.continues(next);
            if goes_on {
                last.length += next.length;
            }
            goes_on
        });
        Self { pieces, whole }
    }

    /// Size in bytes.
    pub fn bytes(&self) -> u64 {
        let sectors = self
            .pieces
            .iter()
            .map(|piece| piece.start.saturating_add(piece.length))
            .max();
        sectors.unwrap_or(0).saturating_mul(512)
    }

    /// Whether a stretch of a device is all within it.
    pub fn holds(&self, device: DevNo, start: u64, end: u64) -> bool {
        self.pieces
            .iter()
            .flat_map(Piece::stretches)
            .any(|(on, from, to)| on == device && from <= start && end <= to)
    }

    /// Whether another layout begins with all of this one and goes on.
    pub fn is_beginning_of(&self, other: &Self) -> bool {
        let Some((last, before)) = self.pieces.split_last() else {
            return false;
        };
        self.bytes() < other.bytes()
            && other.pieces.starts_with(before)
            && other.pieces.get(before.len()).is_some_and(|piece| {
                piece.start == last.start
                    && piece.stripes == last.stripes
                    && piece.length >= last.length
            })
    }
}

/// What lies under a node's volumes.
pub(super) struct Ground<'a> {
    lvm: &'a Lvm,
    pvs: HashMap<&'a str, &'a PhysicalVolume>,
    multipaths: HashMap<DevNo, DevNo>,
}

impl<'a> Ground<'a> {
    pub fn of(node: &'a Node) -> Self {
        Self {
            lvm: &node.lvm,
            pvs: node
                .lvm
                .pvs
                .iter()
                .map(|pv| (pv.name.as_str(), pv))
                .collect(),
            multipaths: multipaths(node),
        }
    }

    /// The multipath device that a device is one path of.
    pub fn multipath_over(&self, device: DevNo) -> Option<DevNo> {
        self.multipaths.get(&device).copied()
    }

    /// The device itself, or the multipath device it is a path of: the same
    /// sectors either way.
    fn disk(&self, device: DevNo) -> DevNo {
        self.multipath_over(device).unwrap_or(device)
    }

    /// Where an entry's table puts it.
    pub fn of_entry(&self, device: &Device) -> Layout {
        let segments = device.segments.iter();
        Layout::new(segments.map(|segment| self.mapped(segment)))
    }

    fn mapped(&self, segment: &Segment) -> Option<Piece> {
        let stripes = match &segment.target {
            Target::Linear { device, offset } => smallvec![(self.disk(*device), *offset)],
            Target::Striped { stripes } => stripes
                .iter()
                .map(|(device, offset)| (self.disk(*device), *offset))
                .collect(),
            Target::Thin { .. } | Target::ThinPool { .. } | Target::Other { .. } => return None,
        };
        Some(Piece {
            start: segment.start,
            length: segment.length,
            stripes,
        })
    }

    /// Where the metadata puts a volume.
    pub fn of_volume(&self, lv: &LogicalVolume) -> Layout {
        let extent = self.lvm.vgs.get(&lv.vg_uuid).and_then(|vg| vg.extent_size);
        let segments = lv.segments.iter();
        Layout::new(segments.map(|segment| self.allotted(lv, segment, extent?)))
    }

    fn allotted(&self, lv: &LogicalVolume, segment: &LvSegment, extent: u64) -> Option<Piece> {
        if !matches!(&*segment.kind, "linear" | "striped") || segment.ranges.is_empty() {
            return None;
        }
        let each = segment.size / segment.ranges.len() as u64;
        let stripes: Option<Stripes> = segment
            .ranges
            .iter()
            .map(|range| {
                let pv = self.pvs.get(&*range.device)?;
                let count = range.last.checked_sub(range.first)?.checked_add(1)?;
                if pv.vg_uuid != lv.vg_uuid || count.checked_mul(extent)? != each {
                    return None;
                }
                let byte = pv.pe_start?.checked_add(range.first.checked_mul(extent)?)?;
                Some((self.disk(pv.devno?), byte / 512))
            })
            .collect();
        Some(Piece {
            start: segment.start / 512,
            length: segment.size / 512,
            stripes: stripes?,
        })
    }
}

/// Paths of multipath devices, by the tables and by `multipath -ll`.
fn multipaths(node: &Node) -> HashMap<DevNo, DevNo> {
    let mut over = HashMap::new();
    let major = node.devices.major();
    for multipath in &node.multipaths {
        let Some(major) = major else { break };
        let device = DevNo {
            major,
            minor: multipath.minor,
        };
        over.extend(
            multipath
                .paths
                .iter()
                .filter_map(|path| Some((path.devno?, device))),
        );
    }
    for (_, device) in node.devices.iter() {
        let (Some(number), true) = (device.devno, is_multipath(device)) else {
            continue;
        };
        over.extend(device.below.iter().map(|path| (*path, number)));
    }
    over
}

/// Whether an entry is a multipath device, by its table.
pub(super) fn is_multipath(device: &Device) -> bool {
    device
        .segments
        .iter()
        .any(|segment| matches!(&segment.target, Target::Other { kind, .. } if kind == "multipath"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn piece(start: u64, length: u64, stripes: &[(&str, u64)]) -> Option<Piece> {
        Some(Piece {
            start,
            length,
            stripes: stripes
                .iter()
                .map(|(device, at)| (device.parse().unwrap(), *at))
                .collect(),
        })
    }

    #[test]
    fn what_goes_on_is_one_piece() {
        let cut = Layout::new(vec![
            piece(100, 50, &[("8:0", 2148)]),
            piece(0, 100, &[("8:0", 2048)]),
            piece(150, 10, &[("8:0", 9000)]),
        ]);
        let whole = Layout::new(vec![
            piece(0, 150, &[("8:0", 2048)]),
            piece(150, 10, &[("8:0", 9000)]),
        ]);
        assert_eq!(cut, whole);
        assert_eq!(cut.bytes(), 160 * 512);
    }

    #[test]
    fn stripes_go_on_in_step() {
        let cut = Layout::new(vec![
            piece(0, 100, &[("8:0", 0), ("8:16", 500)]),
            piece(100, 100, &[("8:0", 50), ("8:16", 550)]),
        ]);
        assert_eq!(cut.pieces.len(), 1);
        assert!(cut.holds("8:16".parse().unwrap(), 500, 600));
        assert!(!cut.holds("8:16".parse().unwrap(), 500, 601));
        let apart = Layout::new(vec![
            piece(0, 100, &[("8:0", 0), ("8:16", 500)]),
            piece(100, 100, &[("8:0", 50), ("8:16", 551)]),
        ]);
        assert_eq!(apart.pieces.len(), 2);
    }

    #[test]
    fn a_part_that_is_not_known_is_not_left_out_silently() {
        assert!(!Layout::new(vec![piece(0, 1, &[("8:0", 0)]), None]).whole);
        assert!(!Layout::new(vec![]).whole);
    }

    #[test]
    fn growing_keeps_the_beginning() {
        let old = Layout::new(vec![piece(0, 100, &[("8:0", 0)])]);
        let grown = Layout::new(vec![
            piece(0, 100, &[("8:0", 0)]),
            piece(100, 9, &[("8:0", 500)]),
        ]);
        let longer = Layout::new(vec![piece(0, 150, &[("8:0", 0)])]);
        let moved = Layout::new(vec![piece(0, 150, &[("8:0", 700)])]);
        assert!(old.is_beginning_of(&grown) && old.is_beginning_of(&longer));
        assert!(!old.is_beginning_of(&moved) && !old.is_beginning_of(&old));
        assert!(!grown.is_beginning_of(&old));
    }
}
