//! What a report does not hold, or holds damaged, is not taken for absent.

use std::fs;

use super::reports::*;

fn unusable(report: &str) -> bool {
    audit("r.txt", report.as_bytes())
        .node
        .guests
        .unusable
        .is_some()
}

fn verdicts(report: &str, verdict: &str) -> usize {
    let audit = audit("r.txt", report.as_bytes());
    let of = audit.verdicts.of(&audit.node);
    of.filter(|(_, _, judgement)| judgement.verdict.as_str() == verdict)
        .count()
}

#[test]
fn a_cut_report_judges_no_guest() {
    let report = pvereport("solo", "9");
    assert!(!unusable(&report));
    let conf = report.find("# cat /etc/pve/qemu-server/").unwrap();
    let tail = &report[report.find("\n==== info about block devices").unwrap()..];
    let (start, _) = report.split_at(conf);
    assert!(unusable(start));
    // Its end is there, its middle is not.
    assert!(unusable(&format!("{start}{tail}")));
}

#[test]
fn an_error_among_the_guests_judges_none() {
    let report = pvereport("alpha/pve1", "9");
    assert!(verdicts(&report, "orphan") > 0);
    let failed = report.replace("\n# pct list\n", "\nERROR: got timeout\n\n# pct list\n");
    assert_ne!(failed, report);
    assert_eq!(verdicts(&failed, "orphan"), 0);
    assert!(unusable(&failed));
}

#[test]
fn a_report_without_corosync_conf_is_not_a_standalone_node() {
    let report = pvereport("alpha/pve1", "7");
    let without = report.replace(
        "# cat /etc/pve/corosync.conf 2>/dev/null",
        "# cat /etc/issue",
    );
    assert_ne!(without, report);
    let audit = audit("r.txt", without.as_bytes());
    assert_eq!(audit.node.membership.environment.as_str(), "unknown");
    let gone = audit
        .verdicts
        .of(&audit.node)
        .filter(|(_, _, judgement)| judgement.reason == Some("guest-gone"));
    assert_eq!(gone.count(), 0);
}

#[test]
fn lvs_that_reported_an_error_proves_no_volume_gone() {
    let report = pvereport("alpha/pve2", "9");
    let stale = |report: &str| {
        let audit = audit("r.txt", report.as_bytes());
        audit
            .findings
            .iter()
            .filter(|finding| finding.check == "stale-mapping")
            .count()
    };
    assert_eq!(stale(&report), 1);
    let failed = report.replace(
        "\n# lvs\n",
        "\n# lvs\n  WARNING: Couldn't find device with uuid x.\n",
    );
    assert_eq!(stale(&failed), 0);
    let failed = report.replace(
        "\n# vgs\n",
        "\nERROR: command 'lvs' failed: got timeout\n\n# vgs\n",
    );
    assert_eq!(stale(&failed), 0);
}

#[test]
fn inner_layers_are_no_duplicates() {
    // A thick volume with a snapshot: LVM's own layers carry its name.
    let line = "    |-pve-vm--100--cloudinit     254:14";
    let report = pvereport("alpha/pve1", "9");
    let before = verdicts(&report, "duplicate");
    let layers = "\
    vdx                          252:0    0   64M  0 disk
    |-pve-vm--100--disk--9-real  254:30   0   64M  0 lvm
    | `-pve-vm--100--disk--9     254:31   0   64M  0 lvm
    `-pve-vm--100--disk--9-cow   254:32   0   64M  0 lvm
";
    let at = report.find(line).unwrap();
    let end = report[at..].find("\n    vda").unwrap() + at + 1;
    let report = format!("{}{layers}{}", &report[..end], &report[end..]);
    assert_eq!(verdicts(&report, "duplicate"), before);
    let audit = audit("r.txt", report.as_bytes());
    for layer in ["pve-vm--100--disk--9-real", "pve-vm--100--disk--9-cow"] {
        let index = audit.node.devices.by_name(layer).unwrap();
        assert_eq!(
            audit.verdicts.get(index).unwrap().verdict.as_str(),
            "dependent"
        );
    }
}

#[test]
fn a_sosreport_without_lvm_knows_no_volume_stale() {
    let folder = sosreport("alpha/pve2");
    let root = fs::read_dir(folder.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    fs::remove_dir_all(root.join("sos_commands/lvm2")).unwrap();
    let audit = audit_path(folder.path());
    assert!(!audit.node.devices.is_empty());
    assert!(
        audit
            .findings
            .iter()
            .all(|finding| finding.check != "stale-mapping")
    );
}
