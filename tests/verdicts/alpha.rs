//! What is true of the recorded cluster.

use crate::recording::Recording;

#[test]
fn pve1_has_sixteen_entries_of_guests() {
    let pve1 = Recording::of("pve1").audit();
    assert_eq!(
        [
            "valid",
            "duplicate",
            "orphan",
            "unknown",
            "dependent",
            "system"
        ]
        .map(|verdict| pve1.count(verdict)),
        [11, 1, 4, 0, 2, 4]
    );
    for (name, line) in [
        ("pve-vm--101--disk--0-old", "duplicate - unknown remove -"),
        (
            "pve-vm--104--disk--1",
            "orphan disk-unreferenced backed deactivate -",
        ),
        (
            "pve-vm--119--disk--0",
            "orphan guest-gone backed deactivate -",
        ),
        (
            "pve-vm--119--cloudinit",
            "orphan guest-gone backed deactivate -",
        ),
        (
            "pve-vm--150--disk--0",
            "orphan guest-gone backed deactivate -",
        ),
        ("pve-vm--150--disk--0p1", "dependent - unknown remove -"),
        ("ubuntu--vg-ubuntu--lv", "dependent - unknown none -"),
        ("pve-vm--100--state--before", "valid - backed none -"),
        ("pve-vm--103--disk--0", "valid - backed none -"),
        ("pve-vm--104--disk--2", "valid - backed none -"),
        ("pve-vm--200--disk--0", "valid - backed none -"),
        ("pve-vm--200--disk--1", "valid - backed none -"),
        ("ssd--ha01-vm--169--disk--0", "valid - backed none -"),
    ] {
        assert_eq!(pve1.line(name), line, "{name}");
    }
}

#[test]
fn pve2_has_a_stale_mapping_and_an_open_one_of_another_nodes_guest() {
    let pve2 = Recording::of("pve2").audit();
    for (name, line) in [
        (
            "ssd--ha01-vm--169--disk--0",
            "orphan guest-elsewhere backed none open",
        ),
        (
            "ssd--ha01-vm--170--disk--0",
            "orphan guest-gone stale remove -",
        ),
        ("ssd--ha01-vm--171--disk--0", "valid - backed none -"),
        ("ssd--ha01-vm--172--disk--0", "valid - backed none -"),
        (
            "pve-vm--119--disk--0",
            "orphan guest-gone backed deactivate -",
        ),
        (
            "pve-vm--180--disk--0",
            "orphan guest-gone backed deactivate -",
        ),
    ] {
        assert_eq!(pve2.line(name), line, "{name}");
    }
    assert_eq!(
        pve2.count("duplicate"),
        0,
        "two volumes on the same sectors are an overlap"
    );
}

#[test]
fn holders_are_told_by_number_and_kind() {
    let pve1 = Recording::of("pve1").audit();
    let holders = |name: &str| {
        let index = pve1.0.node.devices.by_name(name).unwrap();
        pve1.0.node.holder_texts(index)
    };
    assert_eq!(holders("pve-vm--100--disk--0"), ["process 394 (sleep)"]);
    assert_eq!(
        holders("pve-vm--103--disk--0"),
        ["device ubuntu--vg-ubuntu--lv"]
    );
    assert_eq!(
        holders("pve-vm--150--disk--0"),
        ["device pve-vm--150--disk--0p1"]
    );
    assert_eq!(holders("pve-vm--200--disk--0"), ["mounted on /mnt/ct200"]);
    assert!(holders("pve-vm--101--disk--0").is_empty());
}

#[test]
fn without_lsof_fuser_tells_the_processes() {
    let pve2 = Recording::of("pve2").remove("lsof").audit();
    let index = pve2
        .0
        .node
        .devices
        .by_name("ssd--ha01-vm--169--disk--0")
        .unwrap();
    assert_eq!(pve2.0.node.holder_texts(index), ["process 591 (sleep)"]);
}
