//! The way back.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::node::{Node, shells};
use crate::running::PLANNED;
use crate::world::{
    KEPT, PVE, SHARED, dm_uuid, known_to_lvm, lv_uuid, partition, partitioned, second_mapping,
    stale,
};

pub fn undo_script(node: &Node) -> PathBuf {
    let scripts = node.logs("dmaudit-undo-pve1-");
    let [script] = scripts.as_slice() else {
        panic!("{scripts:?}")
    };
    script.clone()
}

/// Names and UUIDs, in any order.
fn identities(node: &Node) -> Vec<String> {
    let mut rows: Vec<_> = node
        .read("world/dm")
        .lines()
        .map(|row| row.splitn(3, '|').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    rows.sort();
    rows
}

#[test]
fn brings_everything_back_the_last_first() {
    for shell in shells() {
        let node = Node::new();
        let before = identities(&node);
        node.run(shell, &["--execute", "--yes"]);
        assert_eq!(node.devices(), KEPT);
        let script = undo_script(&node);
        assert_eq!(
            script.metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );

        let run = node.run_file(shell, &script);
        assert_eq!(run.code, Some(0), "{shell}: {}", run.text);
        let stale_uuid = stale().uuid.unwrap();
        let part_uuid = partition().uuid.unwrap();
        assert_eq!(
            run.changes(),
            [
                format!("dmsetup create ssd--ha01-vm--170--disk--0 --uuid {stale_uuid}"),
                "lvchange -ay -K pve/vm-150-disk-0".into(),
                format!("dmsetup create pve-vm--150--disk--0p1 --uuid {part_uuid}"),
                "lvchange -ay -K pve/vm-119-disk-0".into(),
                "dmsetup create pve-vm--101--disk--0-old".into(),
            ]
        );
        assert_eq!(identities(&node), before);
        assert_eq!(
            node.read("world/table/ssd--ha01-vm--170--disk--0"),
            "0 65536 linear 253:32 67584\n"
        );
        // Other device-mapper devices by name: their numbers may change.
        let mapper = node.path("root/dev/mapper").display().to_string();
        assert_eq!(
            node.read("world/table/pve-vm--150--disk--0p1"),
            format!("0 129024 linear {mapper}/pve-vm--150--disk--0 2048\n")
        );
        assert_eq!(
            node.read("world/table/pve-vm--101--disk--0-old"),
            format!("0 131072 thin {mapper}/pve-data-tpool 2\n")
        );
    }
}

#[test]
fn a_table_of_several_lines_and_a_read_only_device() {
    let table = "0 8192 linear 253:32 2048\n8192 8192 linear 8:16 40960\n16384 8 error\n";
    let mut item = stale();
    item.table = table.lines().map(str::to_owned).collect();
    let node = Node::with(vec![item]);
    node.write(&format!("world/table/{}", stale().name), table);
    node.edit("world/dm", "|254|4|0|L--w", "|254|4|0|L--r");
    let run = node.run("dash", &["--execute", "--yes"]);
    assert_eq!(run.changes(), [PLANNED[4]], "{}", run.text);
    let undone = node.run_file("dash", &undo_script(&node));
    let uuid = stale().uuid.unwrap();
    assert_eq!(
        undone.changes(),
        [format!(
            "dmsetup create ssd--ha01-vm--170--disk--0 --uuid {uuid} --readonly"
        )]
    );
    assert_eq!(node.read(&format!("world/table/{}", stale().name)), table);
}

#[test]
fn is_written_before_the_removal() {
    let node = Node::with(vec![stale()]);
    node.behave(
        "before-dmsetup-remove",
        "cp() { cat \"$1\" >\"$2\"; }; cp \"$here\"/root/var/log/dmaudit-undo-* \"$here/seen\"",
    );
    node.run("dash", &["--execute", "--yes"]);
    assert!(
        node.read("seen")
            .contains("create 'ssd--ha01-vm--170--disk--0'"),
        "{}",
        node.read("seen")
    );
}

#[test]
fn what_cannot_be_undone_is_not_done() {
    let node = Node::with(vec![stale(), known_to_lvm()]);
    node.behave(
        "before-lvs",
        r#"for log in "$here"/root/var/log/dmaudit-cleanup-*.log; do
            stamp=${log##*-}
            mkdir "$here/root/var/log/dmaudit-undo-pve1-${stamp%.log}.sh.new"
        done"#,
    );
    let run = node.run("dash", &["--execute", "--yes"]);
    run.expect_nothing_done(1, "the undo script");
    assert!(run.text.contains("skipped 2, failed 0"), "{}", run.text);
}

#[test]
fn leaves_alone_what_is_there() {
    let node = Node::with(vec![stale()]);
    node.run("dash", &["--execute", "--yes"]);
    node.run_file("dash", &undo_script(&node));
    let run = node.run_file("dash", &undo_script(&node));
    run.expect_nothing_done(0, "ssd--ha01-vm--170--disk--0: is there already");
}

#[test]
fn recreates_no_table_after_a_reboot() {
    let node = Node::with(vec![second_mapping(), known_to_lvm()]);
    node.run("dash", &["--execute", "--yes"]);
    node.write(
        "root/proc/sys/kernel/random/boot_id",
        "99999999-2222-3333-4444-555555555555\n",
    );
    let run = node.run_file("dash", &undo_script(&node));
    assert_eq!(
        run.changes(),
        ["lvchange -ay -K pve/vm-119-disk-0"],
        "{}",
        run.text
    );
    assert_eq!(run.code, Some(1), "{}", run.text);
    assert!(
        run.text
            .contains("pve-vm--101--disk--0-old: not brought back: the node was rebooted"),
        "{}",
        run.text
    );
}

#[test]
fn refuses_another_node() {
    let node = Node::with(vec![stale()]);
    node.run("dash", &["--execute", "--yes"]);
    node.write("world/uname", "pve2\n");
    node.run_file("dash", &undo_script(&node))
        .expect_nothing_done(2, "refused");
}

#[test]
fn a_dry_run_writes_none() {
    let node = Node::new();
    node.run("dash", &[]);
    assert!(node.logs("undo").is_empty());
}

#[test]
fn holds_nothing_of_what_stayed() {
    let node = Node::with(vec![stale(), second_mapping()]);
    // Opened while its way back was written, say: after the guards' look at it.
    node.behave(
        "before-fuser",
        r#"sed 's/|254|4|0|/|254|4|1|/' "$world/dm" >"$world/dm.new"; mv "$world/dm.new" "$world/dm""#,
    );
    let run = node.run("dash", &["--execute", "--yes"]);
    assert!(
        run.text.contains("now       remove ssd--ha01"),
        "{}",
        run.text
    );
    assert_eq!(run.changes().len(), 1, "{}", run.text);
    let undo = std::fs::read_to_string(undo_script(&node)).unwrap();
    assert!(!undo.contains("ssd--ha01-vm--170"), "{undo}");
    assert!(undo.contains("pve-vm--101--disk--0-old"), "{undo}");
}

#[test]
fn finds_its_commands_and_waits_for_no_cleanup() {
    let node = Node::with(vec![stale()]);
    node.run("dash", &["--execute", "--yes"]);
    let undo = undo_script(&node);
    let text = std::fs::read_to_string(&undo).unwrap();
    assert!(
        text.contains("PATH=${PATH:+$PATH:}/usr/sbin:/usr/bin:/sbin:/bin\n"),
        "{text}"
    );
    let lock = node.path("root/run/dmaudit-cleanup.lock");
    let held = std::process::Command::new("flock")
        .arg(&lock)
        .arg("sleep")
        .arg("30")
        .spawn();
    let mut held = held.unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let run = node.run_file("dash", &undo);
    held.kill().unwrap();
    held.wait().unwrap();
    run.expect_nothing_done(2, "a cleanup is under way on this node");
}

#[test]
fn activates_no_other_volume_of_that_name() {
    let node = Node::with(vec![known_to_lvm()]);
    node.run("dash", &["--execute", "--yes"]);
    let lvs = node.read("world/lvs");
    node.edit("world/lvs", &lv_uuid(119), &lv_uuid(998));
    let run = node.run_file("dash", &undo_script(&node));
    run.expect_nothing_done(1, "another volume has its name now");
    node.write("world/lvs", &lvs);
    node.behave("fail-lvs", "no answer\n");
    let run = node.run_file("dash", &undo_script(&node));
    run.expect_nothing_done(1, "not activated: lvs failed");
    node.remove("behave/fail-lvs");
    let run = node.run_file("dash", &undo_script(&node));
    assert_eq!(run.changes(), ["lvchange -ay -K pve/vm-119-disk-0"]);
}

#[test]
fn brings_nothing_back_in_the_way_of_a_volume() {
    let node = Node::with(vec![stale()]);
    node.run("dash", &["--execute", "--yes"]);
    let lvs = node.read("world/lvs");
    let volume = format!("{SHARED}|{}|ssd-ha01|vm-170-disk-0\n", lv_uuid(170));
    node.write("world/lvs", &(lvs + &volume));
    let run = node.run_file("dash", &undo_script(&node));
    run.expect_nothing_done(1, "LVM has a volume of that name now");
}

#[test]
fn refuses_another_machine_of_that_name() {
    let node = Node::with(vec![stale()]);
    node.run("dash", &["--execute", "--yes"]);
    node.write("root/etc/machine-id", "0123456789abcdee\n");
    node.run_file("dash", &undo_script(&node))
        .expect_nothing_done(2, "but it is another one (machine-id)");
}

#[test]
fn brings_back_what_was_in_the_way_before() {
    let node = Node::with(vec![stale()]);
    let lvs = node.read("world/lvs");
    let volume = format!("{SHARED}|{}|ssd-ha01|vm-170-disk-0\n", lv_uuid(998));
    node.write("world/lvs", &(lvs + &volume));
    let before = identities(&node);
    node.run("dash", &["--execute", "--yes"]);
    assert_ne!(identities(&node), before);
    let run = node.run_file("dash", &undo_script(&node));
    assert_eq!(run.code, Some(0), "{}", run.text);
    assert_eq!(identities(&node), before);
}

/// The name of what a mapping lay on may be another guest's disk by now.
#[test]
fn puts_nothing_on_another_device() {
    let node = Node::with(vec![partition(), partitioned()]);
    node.run("dash", &["--execute", "--yes"]);
    assert!(!node.devices().contains(&"pve-vm--150--disk--0".to_owned()));
    let lvs = node.read("world/lvs");
    node.edit("world/lvs", &lv_uuid(150), &lv_uuid(998));
    let dm = node.read("world/dm");
    let other = dm_uuid(PVE, 998);
    let reused = format!("{dm}pve-vm--150--disk--0|{other}|254|60|1|L--w\n");
    node.write("world/dm", &reused);
    let run = node.run_file("dash", &undo_script(&node));
    run.expect_nothing_done(1, "pve-vm--150--disk--0, which it lay on, is not there");
    // It is not there at all.
    node.write("world/dm", &dm);
    let run = node.run_file("dash", &undo_script(&node));
    run.expect_nothing_done(1, "pve-vm--150--disk--0, which it lay on, is not there");
    // Its volume is, again.
    node.write("world/lvs", &lvs);
    let run = node.run_file("dash", &undo_script(&node));
    assert_eq!(run.code, Some(0), "{}", run.text);
    assert_eq!(run.changes().len(), 2, "{}", run.text);
}

#[test]
fn takes_no_other_device_of_the_name_for_what_it_brings_back() {
    let node = Node::with(vec![second_mapping()]);
    node.run("dash", &["--execute", "--yes"]);
    let dm = node.read("world/dm");
    let other = "pve-vm--101--disk--0-old|CRYPT-x|254|50|1|L--w\n";
    node.write("world/dm", &(dm + other));
    let run = node.run_file("dash", &undo_script(&node));
    run.expect_nothing_done(1, "another device has its name now");
}
