//! From verdicts to a plan: what a script may do, as far as the snapshot
//! shows, and why not where it may not.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::plan::{Item, Plan, Skipped};
use crate::model::device::{Device, Index};
use crate::model::names::{GuestVolume, is_safe, meant_by};
use crate::model::node::Node;
use crate::model::verdict::{Action, LvState, Verdict};
use crate::parse::dmsetup_table::{Segment, Target, holds_key};
use crate::verdicts::{Judgement, Verdicts, name_of_another};

/// Devices stacked deeper than this are left to a person; it bounds the
/// recursion on a forged tower of tables.
const MAX_STACKING: usize = 64;

/// What is planned for one entry, and why nothing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What the script may do.
    pub action: Action,
    /// Why nothing: the name of the guard that already fails.
    pub reason: Option<&'static str>,
    /// The same in a sentence.
    pub why: String,
}

/// The decisions of a node, by device, and the plan made of them.
#[derive(Debug, Clone, Default)]
pub struct Planning {
    /// By device.
    pub decisions: Vec<Decision>,
    /// What the script does.
    pub plan: Plan,
}

/// Plans a node's cleanup.
pub fn plan(node: &Node, verdicts: &Verdicts) -> Planning {
    let mut planner = Planner {
        node,
        verdicts,
        decisions: vec![None; node.devices.len()],
        open: BTreeSet::new(),
    };
    for (index, _) in node.devices.iter() {
        planner.decide(index);
    }
    let decisions: Vec<Decision> = planner
        .decisions
        .into_iter()
        .map(|decision| decision.unwrap_or_else(nothing))
        .collect();
    let plan = Plan {
        items: order(node, verdicts, &decisions)
            .into_iter()
            .filter_map(|index| item(node, verdicts, &decisions, index))
            .collect(),
        skipped: skipped(node, verdicts, &decisions),
    };
    Planning { decisions, plan }
}

fn nothing() -> Decision {
    Decision {
        action: Action::None,
        reason: None,
        why: String::new(),
    }
}

fn refuse(reason: &'static str, why: impl Into<String>) -> Decision {
    Decision {
        action: Action::None,
        reason: Some(reason),
        why: why.into(),
    }
}

struct Planner<'a> {
    node: &'a Node,
    verdicts: &'a Verdicts,
    decisions: Vec<Option<Decision>>,
    /// Entries being decided: a circle of tables decides nothing.
    open: BTreeSet<Index>,
}

impl Planner<'_> {
    fn decide(&mut self, index: Index) -> Decision {
        if let Some(Some(decision)) = self.decisions.get(index) {
            return decision.clone();
        }
        if self.open.len() > MAX_STACKING || !self.open.insert(index) {
            return refuse(
                "held",
                "its table leads back to itself, or is stacked too deep",
            );
        }
        let decision = self.fresh(index).unwrap_or_else(nothing);
        self.open.remove(&index);
        if let Some(slot) = self.decisions.get_mut(index) {
            *slot = Some(decision.clone());
        }
        decision
    }

    fn fresh(&mut self, index: Index) -> Option<Decision> {
        let (node, verdicts) = (self.node, self.verdicts);
        let device = node.devices.get(index)?;
        let judgement = verdicts.get(index)?;
        let root = verdicts.root(index);
        match judgement.verdict {
            Verdict::Duplicate | Verdict::Orphan => {}
            Verdict::Dependent => match verdicts.get(root)?.verdict {
                Verdict::Duplicate | Verdict::Orphan => {}
                Verdict::Unknown => {
                    return Some(refuse("evidence-missing", "its parent has no verdict"));
                }
                _ => return None,
            },
            Verdict::Unknown => {
                return Some(refuse("evidence-missing", judgement.explanation.clone()));
            }
            Verdict::Valid | Verdict::System => return None,
        }
        if is_part_of_backed(device, judgement) {
            return Some(refuse(
                "goes-with-volume",
                "an inner layer: it goes when LVM deactivates its volume",
            ));
        }
        let refusal = identity(device)
            .or_else(|| snapshot(node, device, judgement))
            .or_else(|| self.use_of(index, device))
            .or_else(|| guest(node, device, judgement))
            .or_else(|| reference(verdicts, index, root));
        Some(refusal.unwrap_or_else(|| Decision {
            action: match judgement.lv_state {
                LvState::Backed => Action::Deactivate,
                LvState::Stale | LvState::Unknown => Action::Remove,
            },
            reason: None,
            why: String::new(),
        }))
    }

    /// Whether something uses the entry that is not itself planned to go
    /// before it.
    fn use_of(&mut self, index: Index, device: &Device) -> Option<Decision> {
        let Some(open) = device.open else {
            return Some(refuse(
                "open-unknown",
                "its open count is not recorded, so it counts as in use",
            ));
        };
        let node = self.node;
        let above: BTreeSet<Index> = node.devices.above(index).iter().copied().collect();
        let going = above
            .iter()
            .filter(|above| self.decide(**above).action != Action::None)
            .count();
        let others = node.holders.get(&index).into_iter().flatten().next();
        let held_only_by_going = going == above.len() && others.is_none();
        if usize::try_from(open) != Ok(going) || (open > 0 && !held_only_by_going) {
            let holders = node.holder_texts(index).join(", ");
            return Some(refuse(
                "open",
                match (open, holders.as_str()) {
                    (_, "") => {
                        format!("open count {open}; the snapshot does not show who holds it")
                    }
                    (_, holders) => format!("open count {open}: {holders}"),
                },
            ));
        }
        if !held_only_by_going {
            let holders = node.holder_texts(index).join(", ");
            return Some(refuse("held", format!("held by {holders}")));
        }
        if open == 0 && device.in_use() {
            return Some(refuse(
                "open",
                "dmsetup says that it is not open, LVM that it is",
            ));
        }
        if device.suspended {
            return Some(refuse("suspended", "the device is suspended"));
        }
        if device.live_table == Some(false) {
            return Some(refuse("no-live-table", "the device has no live table"));
        }
        None
    }
}

/// An inner layer or hidden part that LVM knows is taken down with its volume.
fn is_part_of_backed(device: &Device, judgement: &Judgement) -> bool {
    let is_layer = device
        .lvm_uuid
        .as_ref()
        .is_some_and(|uuid| uuid.layer.is_some());
    let is_hidden = device.lvm_uuid.is_some() && device.is_hidden();
    judgement.lv_state == LvState::Backed && (judgement.is_part || is_layer || is_hidden)
}

/// LVM deactivates a snapshot (not a thin one) only with its origin and all
/// other snapshots of it (its `tools/lvchange.c` asks for that).
fn snapshot(node: &Node, device: &Device, judgement: &Judgement) -> Option<Decision> {
    let is_kind = |target: &Target| matches!(target, Target::Other { kind, .. } if kind.starts_with("snapshot"));
    let by_table = device
        .segments
        .iter()
        .any(|segment| is_kind(&segment.target));
    let by_lvm = || matches!(node.lvm.letter_of(device), Some('s' | 'S' | 'o' | 'O'));
    let with_others = judgement.lv_state != LvState::Stale && (by_table || by_lvm());
    with_others.then(|| {
        refuse(
            "snapshot",
            "a snapshot or the origin of one: LVM takes them down together, so a person must decide",
        )
    })
}

/// Whether the script could tell the entry from another one.
fn identity(device: &Device) -> Option<Decision> {
    if !is_safe(&device.name) {
        return Some(refuse(
            "unsafe-name",
            "its name has characters that no script of ours touches; a person must",
        ));
    }
    if device.uuid.is_none() && device.segments.is_empty() {
        return Some(refuse(
            "evidence-missing",
            "it has no UUID and its table was not collected, so it could not be recognized",
        ));
    }
    if device
        .uuid
        .as_deref()
        .is_some_and(|uuid| !is_plain_word(uuid))
    {
        return Some(refuse(
            "unsafe-name",
            "its UUID has characters that no script of ours touches",
        ));
    }
    // dmsetup prints keys as zeros: what an undo script would make of that
    // table is another disk.
    let keyed = |segment: &Segment| {
        let kind = segment.line.split_whitespace().nth(2);
        kind.is_some_and(holds_key)
    };
    if device.segments.iter().any(keyed) {
        return Some(refuse(
            "key-in-table",
            "its table holds a key that is not recorded, so it could not be put back; close it with the program that opened it \
             (cryptsetup close, integritysetup close)",
        ));
    }
    None
}

/// Whether the guest that an entry belongs to runs or is locked: that of the
/// entry it lies on, that of its own name, and that of its volume by UUID.
fn guest(node: &Node, device: &Device, judgement: &Judgement) -> Option<Decision> {
    let by_name = device.volume().and_then(|(_, lv)| GuestVolume::parse(lv));
    let by_uuid = node.lvm.of(device);
    let by_uuid = by_uuid.and_then(|lv| GuestVolume::parse(&lv.name));
    let named = by_name.into_iter().chain(by_uuid);
    let vmids: BTreeSet<u64> = judgement
        .vmid
        .into_iter()
        .chain(named.map(|volume| volume.vmid))
        .collect();
    vmids.into_iter().find_map(|vmid| busy(node, vmid))
}

fn busy(node: &Node, vmid: u64) -> Option<Decision> {
    if let Some(guest) = node.guests.here(vmid)
        && guest.running() == Some(true)
    {
        let status = guest.status.as_deref().unwrap_or_default();
        return Some(refuse(
            "guest-running",
            format!("guest {vmid} is {status} on this node"),
        ));
    }
    let lock = node
        .guests
        .anywhere(vmid)
        .and_then(|guest| guest.lock.as_deref());
    lock.map(|lock| {
        refuse(
            "guest-locked",
            format!("guest {vmid} is locked ({lock}): an operation is under way"),
        )
    })
}

fn reference(verdicts: &Verdicts, index: Index, root: Index) -> Option<Decision> {
    let hit = [index, root]
        .into_iter()
        .find_map(|index| verdicts.get(index)?.referenced.as_ref())?;
    Some(refuse(
        "referenced",
        format!(
            "guest {} on {} references it ({})",
            hit.vmid, hit.node, hit.place
        ),
    ))
}

/// The planned entries in the order of removal: duplicates before orphans,
/// what lies on an entry before the entry.
fn order(node: &Node, verdicts: &Verdicts, decisions: &[Decision]) -> Vec<Index> {
    let planned = |index: &Index| {
        decisions
            .get(*index)
            .is_some_and(|decision| decision.action != Action::None)
    };
    let mut roots: Vec<(Verdict, Index)> = verdicts
        .of(node)
        .map(|(index, _, _)| index)
        .filter(planned)
        .filter_map(|index| Some((verdicts.get(verdicts.root(index))?.verdict, index)))
        .collect();
    roots.sort_unstable_by_key(|(verdict, index)| (*verdict != Verdict::Duplicate, *index));
    let mut done = BTreeSet::new();
    let mut ordered = Vec::new();
    for (_, index) in roots {
        // Depth first, by a list of our own: a forged tower of tables must
        // not exhaust the stack.
        let mut waiting = vec![(index, false)];
        while let Some((index, above_done)) = waiting.pop() {
            if above_done {
                ordered.push(index);
            } else if done.insert(index) {
                waiting.push((index, true));
                let above = node.devices.above(index).iter().copied();
                waiting.extend(above.filter(planned).map(|above| (above, false)));
            }
        }
    }
    ordered
}

fn item(node: &Node, verdicts: &Verdicts, decisions: &[Decision], index: Index) -> Option<Item> {
    let device = node.devices.get(index)?;
    let judgement = verdicts.get(index)?;
    let action = decisions.get(index)?.action;
    let root = verdicts.get(verdicts.root(index))?;
    Some(Item {
        name: device.name.clone(),
        uuid: device.uuid.clone(),
        table: device
            .segments
            .iter()
            .map(|segment| segment.line.clone())
            .collect(),
        devno: device.devno?,
        action,
        lv_state: judgement.lv_state,
        verdict: judgement.verdict,
        vg_lv: volume(node, device),
        vmid: judgement.vmid,
        guest_gone: matches!(root.reason, Some("guest-gone" | "guest-not-here")),
        words: words(node, verdicts, index, device),
        why: why(judgement, action),
    })
}

/// VG and LV: by LVM's metadata where it has the UUID, else by the name.
fn volume(node: &Node, device: &Device) -> Option<(String, String)> {
    let known = node.lvm.of(device).map(|lv| (&*lv.vg, lv.name.as_str()));
    known
        .or_else(|| device.volume())
        .filter(|(vg, lv)| is_safe(vg) && is_safe(lv))
        .map(|(vg, lv)| (vg.to_owned(), lv.to_owned()))
}

/// What no configuration may name when the script runs. For a double that is
/// not the disk's own name, by which its guest goes on using the kept entry.
fn words(node: &Node, verdicts: &Verdicts, index: Index, device: &Device) -> Vec<String> {
    let root = verdicts.root(index);
    let mut words: Vec<String> = device.uuid.iter().cloned().collect();
    let root_device = node.devices.get(root).unwrap_or(device);
    let doubled = verdicts
        .get(root)
        .filter(|root| root.verdict == Verdict::Duplicate)
        .and_then(|root| node.devices.get(root.of?));
    for device in [device, root_device] {
        // The name of another volume by now is named by that one's guest.
        let is_another = name_of_another(node, device).is_some();
        if !is_another {
            words.push(device.name.clone());
        }
        let by_name = device.volume().filter(|_| !is_another);
        let by_uuid = node.lvm.of(device).map(|lv| (&*lv.vg, lv.name.as_str()));
        let volumes = by_name.into_iter().chain(by_uuid);
        let kept = doubled.and_then(Device::volume);
        let own = volumes.filter(|volume| Some(*volume) != kept);
        let kept = kept.map(|(_, lv)| lv);
        words.extend(own.flat_map(|(_, lv)| {
            let meant = meant_by(lv).filter(move |name| name == lv || Some(&**name) != kept);
            meant.map(Cow::into_owned)
        }));
    }
    words.retain(|word| is_plain_word(word));
    words.sort_unstable();
    words.dedup();
    words
}

fn is_plain_word(word: &str) -> bool {
    !word.is_empty()
        && word.len() <= 128
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+_.-".contains(&byte))
}

fn why(judgement: &Judgement, action: Action) -> String {
    let reason = judgement
        .reason
        .map_or_else(String::new, |reason| format!(", {reason}"));
    let effect = match (action, judgement.lv_state) {
        (Action::Deactivate, _) => "LVM knows the volume: it is deactivated, its data stays.",
        (_, LvState::Stale) => "LVM has no such volume any more: only the mapping is removed.",
        _ if judgement.verdict == Verdict::Dependent => "Only the mapping is removed.",
        _ => "The mapping is removed; if LVM turns out to know it, it is deactivated instead.",
    };
    format!(
        "{}{reason}: {} {effect}",
        judgement.verdict.as_str(),
        judgement.explanation
    )
}

fn skipped(node: &Node, verdicts: &Verdicts, decisions: &[Decision]) -> Vec<Skipped> {
    verdicts
        .of(node)
        .filter(|(_, _, judgement)| {
            matches!(judgement.verdict, Verdict::Duplicate | Verdict::Orphan)
        })
        .filter_map(|(index, device, judgement)| {
            let decision = decisions.get(index)?;
            let reason = decision.reason?;
            Some(Skipped {
                name: device.name.clone(),
                reason: reason.to_owned(),
                why: format!(
                    "{}: {}; {}",
                    judgement.verdict.as_str(),
                    judgement.explanation.trim_end_matches('.'),
                    decision.why
                ),
            })
        })
        .collect()
}
