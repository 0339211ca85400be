//! What the kernel's log says went wrong with device-mapper.

use std::collections::BTreeMap;

use super::facts::word;
use super::{Case, Check, Outcome, Run, info_evidence};
use crate::model::device::{Device, Index};
use crate::model::finding::{Finding, Severity};
use crate::model::node::Node;
use crate::parse::DevNo;
use crate::parse::kernel_log::{KernelLine, Subject};

pub(super) const CHECK: Check = Check {
    name: "kernel-dm-errors",
    title: "The kernel's log shows device-mapper failures",
    page: include_str!("../../docs/checks/kernel-dm-errors.md"),
    run: Run::Node(run),
};

/// Failures of entries that are told one by one, the others are counted; …
const MOST_OF_ENTRIES: usize = 2_000;

/// … and failures of what is no entry now: its number may be any.
const MOST_WITHOUT_ENTRY: usize = 200;

/// What went wrong. A log tells of the past, so nothing in it is critical by
/// itself: what is wrong now, other checks say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    ThinSpace,
    ThinMetadata,
    InputOutput,
    Path,
    Busy,
    Table,
    Other,
    LowWater,
}

impl Kind {
    fn of(line: &KernelLine) -> Self {
        let text = line.text.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&["low water mark"]) {
            Self::LowWater
        } else if has(&[
            "out-of-data-space",
            "out of data space",
            "no free data",
            "no free space",
        ]) {
            Self::ThinSpace
        } else if has(&["thin", "metadata"])
            && has(&[
                "read-only mode",
                "needs_check",
                "needs to be checked",
                "aborting",
                "metadata operation",
            ])
        {
            Self::ThinMetadata
        } else if has(&["device-mapper: table", "too small", "lookup failed"]) {
            Self::Table
        } else if has(&["multipath"]) {
            Self::Path
        } else if has(&["busy", "unable to remove open"]) {
            Self::Busy
        } else if has(&["i/o error", "error"]) {
            Self::InputOutput
        } else {
            Self::Other
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::ThinSpace => "the thin pool ran out of space",
            Self::ThinMetadata => "the thin pool's metadata could not be written",
            Self::InputOutput => "input and output failed",
            Self::Path => "a path to the disk failed",
            Self::Busy => "it was busy when it was to be made or removed",
            Self::Table => "its table could not be loaded",
            Self::LowWater => "the thin pool reached its low water mark",
            Self::Other => "something failed",
        }
    }

    fn severity(self) -> Severity {
        match self {
            Self::LowWater => Severity::Info,
            _ => Severity::Warning,
        }
    }

    fn impact(self) -> &'static str {
        match self {
            Self::ThinSpace | Self::ThinMetadata => {
                "Guests in the pool stalled or got write errors at that time."
            }
            Self::InputOutput => {
                "What was read or written then is lost or was repeated; a disk may be failing."
            }
            Self::Path => "The disk went on through its other paths, if it has any.",
            Self::Busy => {
                "What was asked for did not happen: a volume was not activated, or a mapping stayed."
            }
            Self::Table => "The volume was not activated, or only with its old table.",
            Self::LowWater => "The pool is close to full, or was.",
            Self::Other => "What the kernel was asked to do did not happen.",
        }
    }

    fn remedy(self, name: &str) -> String {
        match self {
            Self::ThinSpace | Self::ThinMetadata | Self::LowWater => {
                "See what the checks of thin pools say of it now; if it works again, check the file systems of the guests that were running then."
                    .to_owned()
            }
            Self::InputOutput => "Look at the disks below (smartctl, the storage's log), and check the file systems on it.".to_owned(),
            Self::Path => "See what multipath -ll says of its paths now.".to_owned(),
            Self::Busy => format!("See who holds it (dmsetup info {name}; ls /sys/block/dm-*/holders), and whether this report calls it stale or orphaned."),
            Self::Table => format!("Compare its table with LVM's metadata (dmsetup table {name}; lvs -a --segments), and look that the disks below are there."),
            Self::Other => "Read the lines, and look whether it happens again.".to_owned(),
        }
    }
}

fn run(case: &Case<'_>) -> Outcome {
    let node = case.node;
    if !node.evidence.has("kernel-dm") {
        return Outcome::needs("the kernel's log (kernel-dm)");
    }
    let mut groups: BTreeMap<(Kind, Option<Index>, String), Vec<&KernelLine>> = BTreeMap::new();
    for line in node.kernel_log.iter().filter(|line| line.is_failure()) {
        let (index, name) = subject(node, line);
        groups
            .entry((Kind::of(line), index, name))
            .or_default()
            .push(line);
    }
    let (mut of_entries, mut without_entry) = (MOST_OF_ENTRIES, MOST_WITHOUT_ENTRY);
    let (mut further, mut lines_of_further) = (Vec::new(), Vec::new());
    let mut findings = Vec::new();
    for ((kind, index, name), lines) in groups {
        let device = index.and_then(|index| node.devices.get(index));
        let left = match device {
            Some(_) => &mut of_entries,
            None => &mut without_entry,
        };
        if *left > 0 {
            *left -= 1;
            findings.push(finding(case, kind, index, device, &name, &lines));
        } else {
            further.push(kind);
            lines_of_further.extend(lines);
        }
    }
    // The worst kind comes first.
    if let Some(worst) = further.iter().min() {
        findings.push(others(*worst, further.len(), &lines_of_further));
    }
    Outcome::found(findings)
}

/// Failures that are not told one by one.
fn others(worst: Kind, failures: usize, lines: &[&KernelLine]) -> Finding {
    Finding {
        check: CHECK.name,
        severity: worst.severity(),
        subject: "further devices".to_owned(),
        vmid: None,
        message: format!(
            "The kernel's log has {failures} more failures besides those that are told one by one, the worst: {}.",
            worst.what()
        ),
        impact: worst.impact().into(),
        remedy: "Read them (dmesg -T | grep device-mapper): so many have one cause, often a disk or a storage that was gone for a while.".into(),
        evidence: evidence(lines).collect(),
    }
}

/// The first lines and the last one.
fn evidence(lines: &[&KernelLine]) -> impl Iterator<Item = String> {
    let first = lines.iter().take(3);
    let some = first.chain(lines.iter().skip(3).next_back());
    some.map(|line| match line.seconds {
        Some(seconds) => format!("kernel-dm line {}: [{seconds:.3}] {}", line.line, line.text),
        None => format!("kernel-dm line {}: {}", line.line, line.text),
    })
}

/// The entry that a line names, and its name in words.
fn subject(node: &Node, line: &KernelLine) -> (Option<Index>, String) {
    let devices = &node.devices;
    let (index, written) = match &line.subject {
        Subject::Name(name) => (devices.by_name(name), name.clone()),
        Subject::DevNo(devno) => (devices.by_devno(*devno), devno.to_string()),
        Subject::Minor(minor) => {
            let major = devices.major();
            let devno = major.map(|major| DevNo {
                major,
                minor: *minor,
            });
            (
                devno.and_then(|devno| devices.by_devno(devno)),
                format!("dm-{minor}"),
            )
        }
        Subject::None => (None, "device-mapper".to_owned()),
    };
    let name = index
        .and_then(|index| devices.get(index))
        .map(|device| device.name.clone());
    (index, name.unwrap_or(written))
}

fn finding(
    case: &Case<'_>,
    kind: Kind,
    index: Option<Index>,
    device: Option<&Device>,
    name: &str,
    lines: &[&KernelLine],
) -> Finding {
    let times = match lines.len() {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    };
    let by_number = lines
        .iter()
        .any(|line| matches!(line.subject, Subject::DevNo(_) | Subject::Minor(_)));
    let mut evidence: Vec<String> = evidence(lines).collect();
    evidence.extend(device.map(info_evidence));
    Finding {
        check: CHECK.name,
        severity: kind.severity(),
        subject: name.to_owned(),
        vmid: index
            .and_then(|index| case.verdicts.get(index))
            .and_then(|judgement| judgement.vmid),
        message: format!(
            "{name}: {}, {times} by the kernel's log{}.",
            kind.what(),
            if device.is_some() && by_number {
                " (told by its number, which an older device may have had then)"
            } else {
                ""
            }
        ),
        impact: kind.impact().into(),
        remedy: kind.remedy(word(name)).into(),
        evidence,
    }
}
