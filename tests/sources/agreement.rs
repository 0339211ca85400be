//! The same node as bundle, pvereport and sosreport: the same verdicts wherever both have the evidence.

use std::collections::BTreeMap;

use dmaudit::audit::Audit;
use dmaudit::model::verdict::{Action, LvState, Verdict};

use super::reports::*;

/// Verdict, reason, and what LVM says, by entry.
type Lines = BTreeMap<String, (Verdict, Option<&'static str>, LvState)>;

fn lines(audit: &Audit) -> Lines {
    audit
        .verdicts
        .of(&audit.node)
        .map(|(_, device, judgement)| {
            let line = (judgement.verdict, judgement.reason, judgement.lv_state);
            (device.name.clone(), line)
        })
        .collect()
}

/// The checks that found something, with what they found it at.
fn found(audit: &Audit, check: &str) -> Vec<String> {
    let findings = audit
        .findings
        .iter()
        .filter(|finding| finding.check == check);
    findings.map(|finding| finding.subject.clone()).collect()
}

fn below(audit: &Audit) -> BTreeMap<String, Vec<String>> {
    let devices = &audit.node.devices;
    devices
        .iter()
        .map(|(index, device)| {
            let below = devices.below(index).filter_map(|below| devices.get(below));
            let mut names: Vec<String> = below.map(|below| below.name.clone()).collect();
            names.sort();
            (device.name.clone(), names)
        })
        .collect()
}

#[test]
fn a_pvereport_says_what_the_bundle_says() {
    for node in NODES {
        let bundle = audit_path(&recording(node));
        let expected = lines(&bundle);
        for form in ["6", "7", "9"] {
            let audit = audit("pvereport.txt", pvereport(node, form).as_bytes());
            assert_eq!(audit.node.name, bundle.node.name, "{node} {form}");
            assert_eq!(
                audit.node.membership, bundle.node.membership,
                "{node} {form}"
            );
            assert_eq!(audit.node.guests.unusable, None, "{node} {form}");
            assert_eq!(below(&audit), below(&bundle), "{node} {form}");
            let date = (form != "6").then_some(bundle.node.collected_at).flatten();
            assert_eq!(audit.node.collected_at, date, "{node} {form}");
            let lines = lines(&audit);
            assert_eq!(
                lines.keys().collect::<Vec<_>>(),
                expected.keys().collect::<Vec<_>>(),
                "{node} {form}"
            );
            for (name, (verdict, reason, state)) in lines {
                let (by_bundle, why, by_lvm) = expected[&name];
                assert_eq!(verdict, by_bundle, "{node} {form} {name}");
                // Other nodes' configurations are not in a pvereport.
                let why = match why {
                    Some("guest-gone" | "guest-elsewhere") if node != "solo" => {
                        Some("guest-not-here")
                    }
                    why => why,
                };
                assert_eq!(reason, why, "{node} {form} {name}");
                // Of an entry that is not a guest's, the name tells nothing.
                if state != LvState::Unknown {
                    assert_eq!(state, by_lvm, "{node} {form} {name}");
                }
                let guests = matches!(verdict, Verdict::Valid | Verdict::Orphan);
                if guests {
                    assert_ne!(state, LvState::Unknown, "{node} {form} {name}");
                }
            }
            // Holders that lsblk shows: what is on top, and mounts.
            for (index, device) in audit.node.devices.iter() {
                let other = bundle.node.devices.by_name(&device.name).unwrap();
                let mounts = |audit: &Audit, index| {
                    let mut holders = audit.node.holder_texts(index);
                    holders.retain(|holder| !holder.starts_with("process"));
                    holders.sort();
                    holders
                };
                assert_eq!(
                    mounts(&audit, index),
                    mounts(&bundle, other),
                    "{node} {form} {}",
                    device.name
                );
                // LVM's flag says of a volume what the count says.
                if let Some(flag) = device.flagged_open {
                    let open = bundle.node.devices.get(other).unwrap().open;
                    assert_eq!(
                        Some(flag),
                        open.map(|open| open > 0),
                        "{node} {form} {}",
                        device.name
                    );
                }
            }
            assert_eq!(
                found(&audit, "stale-mapping"),
                found(&bundle, "stale-mapping"),
                "{node} {form}"
            );
        }
    }
}

#[test]
fn nothing_is_planned_from_a_pvereport() {
    let report = pvereport("alpha/pve1", "9");
    let audit = audit("pvereport.txt", report.as_bytes());
    assert!(audit.planning.plan.items.is_empty());
    assert!(
        audit
            .planning
            .decisions
            .iter()
            .all(|decision| decision.action == Action::None)
    );
    assert_eq!(audit.planning.plan.items, []);
    assert!(
        audit
            .node
            .notes
            .iter()
            .any(|note| note.contains("sh dmaudit-collect.sh"))
    );
}

#[test]
fn a_sosreport_says_what_the_bundle_says_but_of_guests() {
    for node in NODES {
        let bundle = audit_path(&recording(node));
        let folder = sosreport(node);
        let tar = tar(folder.path());
        let audits = [
            audit_path(folder.path()),
            audit("sosreport.tar.gz", &gz(&tar)),
            audit("sosreport.tar.xz", &xz(&tar, 3)),
            audit("sosreport.tar", &tar),
        ];
        for audit in audits {
            assert_eq!(audit.node.name, bundle.node.name);
            assert_eq!(audit.node.collected_at, bundle.node.collected_at);
            assert_eq!(
                audit.node.machine_id_sha256.is_some(),
                bundle.node.machine_id_sha256.is_some()
            );
            assert_eq!(below(&audit), below(&bundle));
            let expected = lines(&bundle);
            for (name, (verdict, _, state)) in lines(&audit) {
                let (by_bundle, _, by_lvm) = expected[&name];
                let without_guests = match by_bundle {
                    Verdict::Dependent | Verdict::System => by_bundle,
                    _ => Verdict::Unknown,
                };
                assert_eq!(verdict, without_guests, "{node} {name}");
                assert_eq!(state, by_lvm, "{node} {name}");
            }
            for check in [
                "stale-mapping",
                "overlapping-mappings",
                "outdated-table",
                "suspended-device",
                "thin-pool-full",
                "thin-pool-failed",
            ] {
                // Without guests there are no duplicates: then one is an overlap.
                let mut found_here = found(&audit, check);
                found_here.retain(|name| {
                    expected
                        .get(name)
                        .is_none_or(|line| line.0 != Verdict::Duplicate)
                });
                assert_eq!(found_here, found(&bundle, check), "{node} {check}");
            }
            assert!(audit.planning.plan.items.is_empty());
        }
    }
}
