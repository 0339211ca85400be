//! What a run does when nothing stands in its way, and when a removal fails.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use crate::node::{Node, shells};
use crate::world::{KEPT, known_to_lvm, second_mapping, stale};

/// The removals of the plan, in its order.
pub const PLANNED: [&str; 5] = [
    "dmsetup remove pve-vm--101--disk--0-old",
    "lvchange -an pve/vm-119-disk-0",
    "dmsetup remove pve-vm--150--disk--0p1",
    "lvchange -an pve/vm-150-disk-0",
    "dmsetup remove ssd--ha01-vm--170--disk--0",
];

#[test]
fn execute_calls_the_planned_removals_and_nothing_else() {
    for shell in shells() {
        let node = Node::new();
        let run = node.run(shell, &["--execute", "--yes"]);
        assert_eq!(run.changes(), PLANNED, "{shell}: {}", run.text);
        assert_eq!(run.code, Some(0), "{shell}: {}", run.text);
        assert_eq!(node.devices(), KEPT, "{shell}: {}", run.text);
        assert!(
            run.text
                .contains("removed 3, deactivated 2, already gone 0, skipped 0, failed 0")
        );
        let left = "for a person to decide, after a look at the backups:\n    pve/vm-119-disk-0\n    pve/vm-150-disk-0\n";
        assert!(run.text.contains(left), "{}", run.text);
    }
}

#[test]
fn a_dry_run_says_the_same_and_changes_nothing() {
    for shell in shells() {
        let node = Node::new();
        let before = node.devices();
        let run = node.run(shell, &[]);
        run.expect_nothing_done(0, "would take out 5, already gone 0, would skip 0");
        for line in [
            "would     remove pve-vm--101--disk--0-old\n",
            "would     deactivate pve-vm--119--disk--0 (volume pve/vm-119-disk-0)\n",
            "would     remove pve-vm--150--disk--0p1\n",
            "would     deactivate pve-vm--150--disk--0 (volume pve/vm-150-disk-0)\n",
            "would     remove ssd--ha01-vm--170--disk--0\n",
        ] {
            assert!(
                run.text.contains(line),
                "{shell}: {line:?} is not in {}",
                run.text
            );
        }
        assert_eq!(node.devices(), before);
        assert!(
            node.logs("").is_empty(),
            "a dry run wrote {:?}",
            node.logs("")
        );
        assert!(
            !run.calls.iter().any(|call| call.starts_with("logger")),
            "a dry run wrote to syslog"
        );
    }
}

#[test]
fn a_dry_run_skips_what_execute_would_skip() {
    let node = Node::new();
    node.edit("world/dm", "|254|22|0|", "|254|22|1|");
    let dry = node.run("dash", &[]);
    dry.expect_nothing_done(1, "skip      pve-vm--150--disk--0p1: open count is 1");
    assert!(dry.text.contains(
        "skip      pve-vm--150--disk--0: open count is 1: the device dm-22 is on top of it"
    ));
    let run = node.run("dash", &["--execute", "--yes"]);
    assert_eq!(run.code, Some(1), "{}", run.text);
    assert_eq!(run.changes(), [PLANNED[0], PLANNED[1], PLANNED[4]]);
    assert!(
        run.text
            .contains("skipped:\n    pve-vm--150--disk--0p1: open count is 1"),
        "{}",
        run.text
    );
}

#[test]
fn a_second_run_finds_all_gone() {
    let node = Node::new();
    node.run("dash", &["--execute", "--yes"]);
    node.write("calls", "");
    let run = node.run("dash", &[]);
    run.expect_nothing_done(0, "already gone 5, would skip 0");
}

#[test]
fn only_what_is_named() {
    for shell in shells() {
        let node = Node::new();
        let run = node.run(
            shell,
            &[
                "--execute",
                "--yes",
                "--only",
                &stale().name,
                "--only=pve-vm--119--disk--0",
            ],
        );
        assert_eq!(run.changes(), [PLANNED[1], PLANNED[4]], "{}", run.text);
        assert_eq!(run.code, Some(0), "{}", run.text);
    }
}

#[test]
fn everything_is_logged_to_a_private_file_and_to_syslog() {
    let node = Node::new();
    let run = node.run("dash", &["--execute", "--yes"]);
    let logs = node.logs("dmaudit-cleanup-pve1-");
    let [log] = logs.as_slice() else {
        panic!("{logs:?}")
    };
    let text = std::fs::read_to_string(log).unwrap();
    for name in [
        "pve-vm--101--disk--0-old",
        "pve-vm--119--disk--0 ",
        "pve-vm--150--disk--0 ",
        "ssd--ha01-vm--170",
    ] {
        assert!(text.contains(name), "{name} is not in the log:\n{text}");
        assert!(
            run.calls
                .iter()
                .any(|call| call.starts_with("logger -t dmaudit-cleanup -- done")
                    && call.contains(name.trim()))
        );
    }
    assert_eq!(log.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_refused_removal_is_reported_and_the_others_go_on() {
    let node = Node::new();
    node.behave(
        "fail-dmsetup-remove",
        "device-mapper: remove ioctl failed: Device or resource busy\n",
    );
    let run = node.run("dash", &["--execute", "--yes"]);
    assert_eq!(run.code, Some(3), "{}", run.text);
    assert_eq!(
        run.changes(),
        [PLANNED[0], PLANNED[1], PLANNED[2], PLANNED[4]],
        "{}",
        run.text
    );
    let said = "FAILED    pve-vm--101--disk--0-old: refused (exit status 5): device-mapper: remove ioctl failed";
    assert!(run.text.contains(said), "{}", run.text);
    assert!(
        run.text
            .contains("skip      pve-vm--150--disk--0: open count is 1"),
        "{}",
        run.text
    );
    // What was refused is still there: there is nothing to bring back.
    let scripts = node.logs("dmaudit-undo-pve1-");
    assert_eq!(scripts.len(), 1);
    let undo = std::fs::read_to_string(&scripts[0]).unwrap();
    assert!(undo.contains("activate 'pve/vm-119-disk-0'"), "{undo}");
    assert!(!undo.contains("pve-vm--101--disk--0-old"), "{undo}");
}

/// LVM warns of other devices before it says why.
#[test]
fn the_reason_of_a_refusal_is_told_and_all_of_it_is_logged() {
    let node = Node::with(vec![known_to_lvm()]);
    let said = "  WARNING: Device /dev/sdq has size of 0 sectors.\n  Logical volume pve/vm-119-disk-0 in use.\n  Hint.\n";
    node.behave("fail-lvchange", said);
    let run = node.run("dash", &["--execute", "--yes"]);
    assert_eq!(run.code, Some(3), "{}", run.text);
    let reason = "refused (exit status 5):   Logical volume pve/vm-119-disk-0 in use.\n";
    assert!(run.text.contains(reason), "{}", run.text);
    let log = std::fs::read_to_string(&node.logs("dmaudit-cleanup-")[0]).unwrap();
    for line in said.lines() {
        assert!(log.contains(&format!("\n    {line}\n")), "{log}");
    }
}

/// After an outcome that nobody understands, nothing more is tried.
fn stops_after(behave: &str, text: &str, said: &str) {
    for shell in shells() {
        let mut node = Node::new();
        node.patience = if behave.starts_with("hang") { 2 } else { 30 };
        node.behave(behave, text);
        let run = node.run(shell, &["--execute", "--yes"]);
        assert_eq!(run.code, Some(3), "{shell}: {}", run.text);
        assert_eq!(run.changes(), [PLANNED[0]], "{shell}: {}", run.text);
        assert!(
            run.text.contains(said),
            "{shell}: {said} is not in {}",
            run.text
        );
        assert!(
            run.text.contains("skipped 4, failed 1"),
            "{shell}: {}",
            run.text
        );
    }
}

#[test]
fn a_removal_that_reports_success_and_did_nothing_stops_the_run() {
    stops_after(
        "before-dmsetup-remove",
        "exit 0",
        "reported success, but the entry is still there",
    );
}

#[test]
fn a_removal_that_fails_and_did_something_stops_the_run() {
    stops_after(
        "before-dmsetup-remove",
        "forget() { :; }; sed '/^pve-vm--101--disk--0-old/d' \"$world/dm\" >\"$world/dm.new\"; mv \"$world/dm.new\" \"$world/dm\"; echo late >&2; exit 1",
        "(exit status 1: late), but the entry is gone",
    );
}

#[test]
fn another_device_under_the_name_afterwards_is_not_the_entry() {
    stops_after(
        "before-dmsetup-remove",
        "sed 's/^\\(pve-vm--101--disk--0-old|\\)[^|]*/\\1CRYPT-x/' \"$world/dm\" >\"$world/dm.new\"; mv \"$world/dm.new\" \"$world/dm\"; echo busy >&2; exit 1",
        "(exit status 1: busy), but the entry is gone",
    );
}

#[test]
fn a_removal_that_does_not_end_stops_the_run() {
    stops_after(
        "hang-dmsetup-remove",
        "",
        "did not end within 2 seconds; the entry is still there",
    );
}

#[test]
fn a_removal_whose_outcome_cannot_be_seen_stops_the_run() {
    stops_after(
        "before-dmsetup-remove",
        "echo no answer >\"$here/behave/fail-dmsetup-info\"",
        "what became of it is not known: dmsetup info failed",
    );
}

#[test]
fn interrupted_it_ends_before_the_next_removal_with_a_summary() {
    for (signal, during) in [
        // Neither INT nor HUP: who runs the tests in the background or under
        // nohup has them ignored, and a shell can't change that.
        ("TERM", "before-lvs"),
        ("TERM", "before-pct"),
        ("TERM", "before-dmsetup-remove"),
    ] {
        let node = Node::with(vec![stale(), known_to_lvm(), second_mapping()]);
        node.behave(
            during,
            &format!("until [ -s \"$here/pid\" ]; do sleep 0.01; done; kill -{signal} \"$(cat \"$here/pid\")\""),
        );
        let child = node.command(&["--execute", "--yes"]).spawn().unwrap();
        node.write("pid", &child.id().to_string());
        let run = node.finish(child.wait_with_output().unwrap());
        let done: &[&str] = if during == "before-dmsetup-remove" {
            &[PLANNED[4]]
        } else {
            &[]
        };
        assert_eq!(run.changes(), done, "{signal}: {}", run.text);
        assert_eq!(run.code, Some(1), "{signal}: {}", run.text);
        assert!(
            run.text.contains("not done: interrupted"),
            "{signal}: {}",
            run.text
        );
        assert!(
            run.text
                .contains(&format!("removed {}, deactivated 0", done.len())),
            "{signal}: {}",
            run.text
        );
    }
}

#[test]
fn killed_it_leaves_nothing_that_blocks_the_next_run() {
    let node = Node::new();
    node.behave("before-lvchange", "touch \"$here/behave/hang-lvs\"");
    let mut child = node.command(&["--execute", "--yes"]).spawn().unwrap();
    // The third item's lvs hangs: two are gone, and a child is left behind.
    node.wait_for_call("lvchange -an");
    while node.read("calls").matches("\nlvs ").count() < 3 {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended: {}",
            node.read("calls")
        );
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    node.remove("behave/hang-lvs");
    node.write("calls", "");
    let run = node.run("dash", &["--execute", "--yes"]);
    assert_eq!(run.code, Some(0), "{}", run.text);
    assert_eq!(run.changes(), PLANNED[2..], "{}", run.text);
    assert_eq!(node.devices(), KEPT);
}

#[test]
fn a_log_that_cannot_be_written_any_more_stops_removals() {
    let node = Node::with(vec![stale()]);
    node.behave("before-lvs", "rm -r \"$here/root/var/log\"");
    node.run("dash", &["--execute", "--yes"])
        .expect_nothing_done(1, "cannot be written");
}

#[test]
fn nothing_stays_behind_but_the_log_and_the_undo_script() {
    let node = Node::new();
    let run = node.run("dash", &["--execute", "--yes"]);
    assert_eq!(run.code, Some(0));
    let left: Vec<_> = std::fs::read_dir(node.path("root/run"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(
        left.len(),
        2,
        "qemu-server and the lock file are all that should be there: {left:?}"
    );
    assert_eq!(node.logs("").len(), 2, "{:?}", node.logs(""));
}

#[test]
fn a_syslog_that_hangs_is_asked_once() {
    let mut node = Node::with(vec![stale(), second_mapping()]);
    node.patience = 1;
    node.behave("hang-logger", "");
    let run = node.run("dash", &["--execute", "--yes"]);
    assert_eq!(run.code, Some(0), "{}", run.text);
    assert_eq!(run.changes().len(), 2, "{}", run.text);
    let asked = run.calls.iter().filter(|call| call.starts_with("logger"));
    assert_eq!(asked.count(), 1, "{:?}", run.calls);
}

/// A run in a process group of its own.
fn begun(node: &Node) -> Child {
    let mut command = node.command(&["--execute", "--yes"]);
    command.process_group(0).spawn().unwrap()
}

/// Sends a signal to a process or, behind a dash, to a group.
fn signal(name: &str, to: &str) {
    let sent = Command::new("sh")
        .args(["-c", "kill \"$@\"", "sh"])
        .args([name, to])
        .status();
    assert!(sent.unwrap().success());
}

/// Waits for a run of two entries, of which one was taken out and the other
/// skipped; what it said.
fn half_done(mut child: Child) -> String {
    let status = child.wait().unwrap();
    let mut text = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert!(
        text.contains("removed 1, deactivated 0, already gone 0, skipped 1, failed 0"),
        "{text}"
    );
    assert_eq!(status.code(), Some(1), "{text}");
    text
}

#[test]
fn a_signal_to_the_whole_group_loses_no_answer() {
    let node = Node::with(vec![stale(), second_mapping()]);
    node.behave("before-dmsetup-remove", "sleep 2");
    let child = begun(&node);
    node.wait_for_call("dmsetup remove");
    signal("-TERM", &format!("-{}", child.id()));
    // What was under way is seen to its end; the next does not begin.
    half_done(child);
}

/// Ctrl-Z, and hours later fg.
#[test]
fn halted_it_does_not_go_on_with_what_it_had_seen() {
    let node = Node::with(vec![stale(), second_mapping()]);
    node.behave("before-fuser", "sleep 1");
    let child = begun(&node);
    node.wait_for_call("fuser");
    for name in ["-STOP", "-CONT"] {
        signal(name, &child.id().to_string());
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    // The next entry has guards of its own.
    let text = half_done(child);
    let said = "skip      ssd--ha01-vm--170--disk--0: this script was halted meanwhile";
    assert!(text.contains(said), "{text}");
}
