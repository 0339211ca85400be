//! When the script refuses to start.

use std::process::{Command, Stdio};

use chrono::{TimeDelta, Utc};

use crate::node::{Node, shells};

/// Lets one thing be wrong; the script must not begin, neither dry nor for
/// real.
#[track_caller]
fn refused(said: &str, change: impl Fn(&mut Node)) {
    refused_with(&[], said, &change);
    refused_with(&["--execute", "--yes"], said, &change);
}

#[track_caller]
fn refused_with(arguments: &[&str], said: &str, change: impl Fn(&mut Node)) {
    for shell in shells() {
        let mut node = Node::new();
        change(&mut node);
        let run = node.run(shell, arguments);
        run.expect_nothing_done(2, said);
        assert!(
            !run.calls.iter().any(|call| call.starts_with("dmsetup")),
            "it asked: {:?}",
            run.calls
        );
    }
}

#[test]
fn not_root() {
    refused("only root may do this", |node| {
        node.write("world/id", "1000\n")
    });
}

#[test]
fn another_host_name() {
    for name in ["pve2", "pve10", "pve", ""] {
        refused("the snapshot is of pve1", |node| {
            node.write("world/uname", &format!("{name}\n"))
        });
    }
}

#[test]
fn another_machine_of_the_same_name() {
    refused("it is another one (machine-id)", |node| {
        node.write("root/etc/machine-id", "fedcba\n")
    });
    refused("etc/machine-id cannot be read", |node| {
        node.remove("root/etc/machine-id")
    });
}

#[test]
fn without_a_recorded_machine_id_the_host_name_is_all_there_is() {
    let mut node = Node::new();
    node.about.machine_id_sha256 = None;
    let run = node.run("dash", &[]);
    run.expect_nothing_done(0, "warning: the snapshot holds no machine-id");
    let text = std::fs::read_to_string(node.script()).unwrap();
    assert!(text.contains("#   machine     NOT RECORDED"));
}

#[test]
fn an_old_snapshot() {
    let aged = |hours: i64| {
        move |node: &mut Node| {
            node.about.collected_at = Utc::now() - TimeDelta::minutes(hours * 60 + 1)
        }
    };
    refused("the snapshot is 24 hours old, allowed are 24", aged(24));
    refused_with(
        &["--max-age", "2"],
        "the snapshot is 2 hours old, allowed are 2",
        aged(2),
    );
    for arguments in [
        ["--max-age", "25"],
        ["--max-age=26", "--only=pve-vm--119--disk--0"],
    ] {
        let mut node = Node::new();
        aged(24)(&mut node);
        assert_eq!(node.run("dash", &arguments).code, Some(0));
    }
}

#[test]
fn a_snapshot_from_the_future() {
    refused("is from the future: check the clocks", |node| {
        node.about.collected_at = Utc::now() + TimeDelta::minutes(12);
    });
    let mut node = Node::new();
    node.about.collected_at = Utc::now() + TimeDelta::minutes(8);
    assert_eq!(node.run("dash", &[]).code, Some(0));
}

#[test]
fn a_snapshot_of_an_unknown_time_is_too_old_unless_a_person_says_otherwise() {
    let mut node = Node::new();
    node.about.collected_at = chrono::DateTime::UNIX_EPOCH;
    let run = node.run("dash", &[]);
    assert_eq!(run.code, Some(2), "{}", run.text);
    assert!(
        run.text
            .contains("when the snapshot was taken is not recorded"),
        "{}",
        run.text
    );
    assert_eq!(node.run("dash", &["--max-age", "999999"]).code, Some(0));
}

#[test]
fn a_missing_command() {
    for command in [
        "dmsetup", "lvs", "lvchange", "qm", "pct", "flock", "timeout", "awk", "logger",
    ] {
        refused(&format!("the command {command} is missing"), |node| {
            node.remove(&format!("bin/{command}"));
        });
    }
}

#[test]
fn another_run_under_way() {
    let node = Node::new();
    let mut other = Command::new("flock")
        .arg(node.path("root/run/dmaudit-cleanup.lock"))
        .args(["sh", "-c", "echo held; read line"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut held = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(other.stdout.take().unwrap()),
        &mut held,
    )
    .unwrap();
    for shell in shells() {
        for arguments in [&[][..], &["--execute", "--yes"]] {
            node.run(shell, arguments)
                .expect_nothing_done(2, "another cleanup is under way on this node");
        }
    }
    drop(other.stdin.take());
    other.wait().unwrap();
    assert_eq!(node.run("dash", &[]).code, Some(0));
}

#[test]
fn no_terminal_and_no_yes() {
    refused_with(&["--execute"], "there is no terminal to ask on", |_| {});
}

#[test]
fn no_place_for_the_log() {
    refused_with(&["--execute", "--yes"], "the log file", |node| {
        node.remove("root/var/log")
    });
}

#[test]
fn options_that_are_none() {
    for (arguments, said) in [
        (&["--force"][..], "'--force' is not an option"),
        (
            &["pve-vm--119--disk--0"],
            "'pve-vm--119--disk--0' is not an option",
        ),
        (&["--yes"], "--yes means nothing without --execute"),
        (&["--only"], "--only needs a value"),
        (
            &["--only", "pve-vm--999--disk--0"],
            "this script has no such entry",
        ),
        (
            &["--only", "pve-vm--119--disk"],
            "this script has no such entry",
        ),
        (&["--only", ""], "that is no name of an entry"),
        (&["--only", "a\nb"], "that is no name of an entry"),
        (&["--only=$(x)"], "that is no name of an entry"),
        (&["--max-age"], "--max-age needs a value"),
        (&["--max-age", "0"], "expected hours"),
        (&["--max-age", "08"], "expected hours"),
        (&["--max-age", "1d"], "expected hours"),
        (&["--max-age", "-1"], "expected hours"),
        (&["--max-age", "1000000"], "expected hours"),
    ] {
        refused_with(arguments, said, |_| {});
    }
}

#[test]
fn help_needs_neither_root_nor_the_node() {
    for shell in shells() {
        let node = Node::new();
        node.write("world/id", "1000\n");
        node.write("world/uname", "laptop\n");
        let run = node.run(shell, &["--help"]);
        run.expect_nothing_done(
            0,
            "usage: sh cleanup-pve1.sh [--execute [--yes]] [--only NAME]... [--max-age HOURS]",
        );
        assert_eq!(run.calls, [""; 0]);
    }
}
