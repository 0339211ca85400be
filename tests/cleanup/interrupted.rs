//! Tools that are killed, files that are cut or lost, and a shell that gives
//! up: never a guard that passes, never an end that passes for a good one.

use std::fs;
use std::process::Command;

use crate::node::{Node, real, shells};
use crate::undo::undo_script;
use crate::world::{SHARED, dm_uuid, known_to_lvm, lv_uuid, second_mapping, stale};
use crate::{goes, left_alone};

/// As from a transfer: a table that ends early is another table.
#[test]
fn an_undo_script_that_is_cut_off_does_nothing_and_says_so() {
    let node = Node::new();
    node.run("dash", &["--execute", "--yes"]);
    let undo = undo_script(&node);
    let whole = fs::read_to_string(&undo).unwrap();
    let steps = whole.find("\nsteps() {").unwrap();
    let table = whole.find("67584\nTABLE").unwrap();
    let last = whole.len() - 2; // the line is whole without its end
    for shell in shells() {
        let cuts = (0..12).map(|part| steps + (last - steps) * part / 12);
        for cut in cuts.chain([table, table + 3, table + 6, last]) {
            fs::write(&undo, &whole[..cut]).unwrap();
            let run = node.run_file(shell, &undo);
            assert_eq!(run.changes(), [""; 0], "{shell} {cut}: {}", run.text);
            assert_ne!(run.code, Some(0), "{shell} {cut}: {}", run.text);
        }
    }
}

/// Its disk would be in the way of another guest's new one.
#[test]
fn an_undo_whose_tool_is_killed_makes_no_mapping() {
    for shell in shells() {
        let node = Node::with(vec![stale()]);
        node.run(shell, &["--execute", "--yes"]);
        let new = dm_uuid(SHARED, 999);
        assert_ne!(stale().uuid.as_ref(), Some(&new));
        let other = format!(
            "  {SHARED}|{}|ssd-ha01|vm-170-disk-0|254|99|-wi-a-----\n",
            lv_uuid(999)
        );
        node.write("world/lvs-more", &other);
        let undo = undo_script(&node);
        let run = node.run_file(shell, &undo);
        run.expect_nothing_done(1, "LVM has a volume of that name now");
        node.replace(
            "awk",
            "case $* in *'part[1]'*) kill -KILL $$;; esac; exec \"$real\" \"$@\"",
        );
        let run = node.run_file(shell, &undo);
        run.expect_nothing_done(1, "LVM has a volume of that name now");
    }
}

#[test]
fn an_undo_that_was_cut_short_leaves_a_device_that_is_not_whole() {
    let node = Node::with(vec![stale()]);
    node.run("dash", &["--execute", "--yes"]);
    let half = format!("{}|{}|254|77|0|---w\n", stale().name, stale().uuid.unwrap());
    let dm = node.read("world/dm");
    node.write("world/dm", &(dm.clone() + &half));
    let run = node.run_file("dash", &undo_script(&node));
    run.expect_nothing_done(1, "is there without its table");
    node.write("world/dm", &(dm + &half.replace("---w", "L--w")));
    let run = node.run_file("dash", &undo_script(&node));
    run.expect_nothing_done(0, "is there already");
}

/// A way back without its beginning, or with half of a table, is none.
#[test]
fn what_is_killed_while_the_way_back_is_written_stops_the_removal() {
    for (tool, script) in [
        ("cat", "[ $# != 0 ] || kill -KILL $$"),
        ("tr", "case $* in *a-f0-9*) kill -KILL $$;; esac"),
        (
            "sed",
            "case $* in *' *$'*) head -c 9 \"$2\"; kill -KILL $$;; esac",
        ),
    ] {
        for shell in shells() {
            let node = Node::with(vec![second_mapping()]);
            node.replace(tool, &format!("{script}\nexec \"$real\" \"$@\""));
            let run = node.run(shell, &["--execute", "--yes"]);
            assert_eq!(run.changes(), [""; 0], "{tool} {shell}: {}", run.text);
            assert_eq!(run.code, Some(1), "{tool} {shell}: {}", run.text);
            let logs = node.logs("dmaudit-undo-pve1-");
            assert!(logs.is_empty(), "{tool} {shell}: {logs:?}");
        }
    }
}

/// As where somebody cleans /run.
#[test]
fn a_list_that_is_lost_before_it_is_looked_through() {
    let lost = "case $* in *'$3 \"/\" $4 \"|\" $5'*) \"$real\" \"$@\"; status=$?; rm -f \"${0%/*}\"/../root/run/dmaudit-cleanup.*/volumes; exit $status;; esac\nexec \"$real\" \"$@\"";
    left_alone(second_mapping(), "cannot be read", |node| {
        node.replace("awk", lost);
    });
}

#[test]
fn a_member_list_that_cannot_be_read() {
    for why in ["Transport endpoint is not connected", "Input/output error"] {
        left_alone(stale(), why, |node| {
            let members = node.path("root/etc/pve/.members");
            node.replace("cat", &format!(
                "case $1 in *.members) rm -f '{}'; echo \"cat: $1: {why}\" >&2; exit 1;; esac\nexec \"$real\" \"$@\"",
                members.display()
            ));
        });
    }
    left_alone(
        stale(),
        "whether the cluster has quorum is not known",
        |node| {
            node.write("root/etc/pve/.members", "");
        },
    );
}

/// Where a path leads is not known; one that leads nowhere is no doubt.
#[test]
fn a_path_of_a_configuration_that_cannot_be_followed() {
    let named = |node: &Node, path: &str| {
        let config = "root/etc/pve/nodes/pve2/qemu-server/300.conf";
        node.write(config, &format!("scsi7: {path}\n"));
    };
    left_alone(stale(), "Transport endpoint is not connected", |node| {
        named(node, "/dev/odd/one");
        node.behave(
            "before-stat",
            "echo \"stat: cannot statx '/dev/odd/one': Transport endpoint is not connected\" >&2; exit 1",
        );
    });
    goes(
        stale(),
        "dmsetup remove ssd--ha01-vm--170--disk--0",
        |node| named(node, "/dev/odd/one"),
    );
}

/// A full /run: no answer fits.
#[test]
fn what_has_no_room_for_answers_is_not_waited_for() {
    left_alone(known_to_lvm(), "full?", |node| {
        node.patience = 300;
        // As good as no room: it can't be made.
        node.behave(
            "before-lvs",
            "for out in \"$here\"/root/run/dmaudit-cleanup.*/*.out; do /bin/ln -s /nowhere/x \"${out%.out}.status\"; done",
        );
    });
    // One that is there and can't be read is none either, not the one before.
    left_alone(known_to_lvm(), "full?", |node| {
        node.behave(
            "before-lvs",
            "for out in \"$here\"/root/run/dmaudit-cleanup.*/*.out; do mkdir \"${out%.out}.status\"; done",
        );
    });
}

/// No process or no pipe to be had, after the first removal.
#[test]
fn a_shell_that_gives_up_says_what_was_done() {
    let node = Node::with(vec![stale(), known_to_lvm()]);
    node.behave(
        "before-dmsetup-remove",
        "/usr/bin/prlimit --nofile=4:4 --pid \"$(cat \"$here/pid\")\"",
    );
    let child = node.command(&["--execute", "--yes"]).spawn().unwrap();
    node.write("pid", &child.id().to_string());
    let run = node.finish(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(3), "{}", run.text);
    assert!(run.text.contains("ENDED EARLY: removed"), "{}", run.text);
    assert!(run.text.contains("undo: sh "), "{}", run.text);
}

/// Somebody presses it to stop.
#[test]
fn ctrl_backslash_stops_it_as_ctrl_c_does() {
    let node = Node::with(vec![stale(), known_to_lvm()]);
    node.behave(
        "before-dmsetup-remove",
        "until [ -s \"$here/pid\" ]; do sleep 0.01; done; kill -QUIT \"$(cat \"$here/pid\")\"",
    );
    let mut command = Command::new("env");
    let script = node.command(&["--execute", "--yes"]);
    command.arg("--default-signal").arg(script.get_program());
    command.args(script.get_args());
    command.stdin(std::process::Stdio::null());
    command.stdout(std::process::Stdio::piped());
    command.stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    node.write("pid", &child.id().to_string());
    let run = node.finish(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(1), "{}", run.text);
    assert!(run.text.contains("not done: interrupted"), "{}", run.text);
    assert_eq!(run.changes().len(), 1, "{}", run.text);
}

/// The folder that one happens to be in holds somebody else's programs.
#[test]
fn an_empty_path_is_not_the_current_folder() {
    for shell in shells() {
        let node = Node::with(vec![stale()]);
        let script = dmaudit::cleanup::script::render(&node.plan, &node.about).unwrap();
        node.write("evil/script.sh", &script);
        node.write("evil/id", "#!/bin/sh\ntouch ran\n");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(node.path("evil/id"), mode).unwrap();
        let mut words = shell.split(' ');
        let shell_path = real(words.next().unwrap()).unwrap();
        let output = Command::new(shell_path)
            .args(words)
            .arg("script.sh")
            .current_dir(node.path("evil"))
            .env("PATH", "")
            .output()
            .unwrap();
        // Another node, and no device-mapper: refused either way.
        assert_eq!(output.status.code(), Some(2), "{shell}: {output:?}");
        assert!(!node.path("evil/ran").exists(), "{shell}");
    }
}
