//! What a run must never do: pass half a picture for a whole one, leave its
//! folder behind, harm what it runs beside.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use crate::node::{Node, find_tool};
use crate::stderr;

/// A file that is cut short, or that looks empty, makes orphans of its disks.
#[test]
fn a_tool_that_dies_while_etc_pve_is_read_leaves_all_of_it_unread() {
    let [find, grep, tr] = ["find", "grep", "tr"].map(|tool| find_tool(tool).unwrap());
    let [find, grep, tr] = [find.display(), grep.display(), tr.display()];
    for (tool, script, error) in [
        (
            "grep",
            format!(
                "case $1 in -aH) {grep} \"$@\" | sed 75q; kill -9 $$;; esac\nexec {grep} \"$@\""
            ),
            "could not be copied: xargs: grep: terminated by signal 9",
        ),
        (
            "grep",
            format!(
                "case $1 in -aH) {grep} \"$@\" | sed 75q; echo 'grep: memory exhausted' >&2; exit 2;; esac\nexec {grep} \"$@\""
            ),
            "could not be copied: grep: memory exhausted",
        ),
        (
            "tr",
            format!("case $2 in *000) sed 75q; exit 1;; esac\nexec {tr} \"$@\""),
            "could not be copied",
        ),
        (
            "find",
            format!(
                "case $1 in etc/*) {find} \"$@\" | sed 16q; kill -9 $$;; esac\nexec {find} \"$@\""
            ),
            "could not be listed: ",
        ),
        (
            "find",
            format!(
                "case $1 in etc/*) {find} \"$@\" | sed 16q; echo 'find: odd' >&2; exit 1;; esac\nexec {find} \"$@\""
            ),
            "could not be listed: find: odd",
        ),
    ] {
        let node = Node::from("alpha/pve1");
        node.script(&format!("tools/{tool}"), &script);
        let bundle = node.bundle(&[]);
        let unread = bundle.manifest["unread"].as_array().unwrap();
        assert_eq!(unread.len(), 1, "{tool}: {unread:?}");
        assert_eq!(unread[0]["path"], "/etc/pve");
        let said = unread[0]["error"].as_str().unwrap();
        assert!(said.starts_with(error), "{tool}: {said}");
        let none = |path: &String| !path.starts_with("files/");
        assert!(bundle.files.keys().all(none), "{:?}", bundle.files.keys());
    }
}

#[test]
fn a_configuration_that_is_no_file_is_unread() {
    let node = Node::from("alpha/pve1");
    let folder = node.path("root/etc/pve/nodes/pve2/qemu-server");
    std::os::unix::fs::symlink("171.conf", folder.join("999.conf")).unwrap();
    let bundle = node.bundle(&[]);
    let path = "/etc/pve/nodes/pve2/qemu-server/999.conf";
    assert_eq!(
        bundle.noted("unread", "path", path)["error"],
        "it is no file"
    );
}

/// Whoever reads is gone: a connection that was lost, `| head`.
#[test]
fn a_reader_that_goes_away_leaves_nothing_on_the_node() {
    for shell in ["dash", "busybox", "bash"] {
        let Some(path) = find_tool(shell) else {
            eprintln!("not tried, for it is not installed: {shell}");
            continue;
        };
        let node = Node::from("alpha/pve1");
        node.use_shell(&path);
        node.write("behave/fail-vgs", "odd\n");
        let root = node.path("root");
        let mut child = node.start(&["--sysroot", root.to_str().unwrap(), "-o", "-"]);
        drop((child.stdout.take(), child.stderr.take()));
        assert!(!child.wait().unwrap().success(), "{shell}");
        assert_eq!(node.list("tmp"), Vec::<String>::new(), "{shell}");
    }
}

#[test]
fn whichever_key_ends_it_nothing_is_left() {
    for (signal, status) in [("-INT", 130), ("-QUIT", 131), ("-HUP", 129)] {
        let node = Node::from("alpha/pve1");
        node.write("behave/hang-lvs", "");
        // A shell can't trap what was ignored when it began, as in the background or under nohup.
        let sh = find_tool("sh").unwrap();
        let env = find_tool("env").unwrap();
        let caller = format!(
            "exec {} --default-signal {} \"$@\"",
            env.display(),
            sh.display()
        );
        node.script("tools/sh-with-signals", &caller);
        let root = node.path("root");
        let mut child = node.start_by(
            "tools/sh-with-signals",
            &["--sysroot", root.to_str().unwrap()],
        );
        while node.left_behind().is_empty() {
            std::thread::sleep(Duration::from_millis(20));
        }
        let pid = child.id().to_string();
        // Those who are impatient: the second one must not end the cleaning up.
        for _ in 0..3 {
            let sent = Command::new("sh")
                .args(["-c", "kill \"$@\"", "sh"])
                .args([signal, &pid])
                .status();
            assert!(sent.unwrap().success());
        }
        assert_eq!(child.wait().unwrap().code(), Some(status));
        assert_eq!(node.list("tmp"), Vec::<String>::new(), "{signal}");
        assert_eq!(node.list("out"), Vec::<String>::new(), "{signal}");
    }
}

/// pvesm activates storages: what then serves one lives on.
#[test]
fn what_pvesm_starts_has_no_limit_and_no_mask_of_ours() {
    let node = Node::from("alpha/pve1");
    let seen = node.path("seen");
    for tool in ["pvesm", "vgs"] {
        let note = format!("echo {tool} $(umask) $(ulimit -f) >>{}", seen.display());
        node.script(&format!("bin/{tool}"), &note);
    }
    let bundle = node.bundle(&[]);
    assert_eq!(bundle.command("pvesm-status")["status"], 0);
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.contains("pvesm 0022 unlimited"), "{seen}");
    assert!(seen.contains("vgs 0077 131072"), "{seen}");
}

#[test]
fn a_command_whose_end_is_not_known_is_not_waited_for() {
    let node = Node::from("alpha/pve1");
    // What runs the command is gone with it.
    node.script("bin/vgs", "kill -KILL $PPID");
    let bundle = node.bundle(&["--timeout", "300"]);
    assert_eq!(bundle.command("vgs")["status"], 125);
    assert_eq!(bundle.command("vgs")["timed_out"], false);
    assert_eq!(bundle.command("pvs")["status"], 0);
}

#[test]
fn holders_are_not_known_without_sys() {
    let node = Node::from("alpha/pve1");
    node.remove("root/sys");
    let bundle = node.bundle(&[]);
    assert_eq!(bundle.command("holders")["status"], 1);
}

#[test]
fn a_commands_words_cant_act_on_the_terminal() {
    let node = Node::from("alpha/pve1");
    node.write("behave/fail-vgs", "\u{1b}]0;owned\u{7}\u{1b}[2J\n");
    let output = node.collect(&["-o", "a.zip"]);
    let said = stderr(&output);
    assert!(
        said.contains("vgs: exit status 5: ?]0;owned??[2J\n"),
        "{said}"
    );
}

#[test]
fn the_bundle_is_its_owners_only_and_a_relative_tmpdir_works() {
    let node = Node::from("alpha/pve1");
    fs::write(node.path("out/a.zip"), "old").unwrap();
    let readable = fs::Permissions::from_mode(0o644);
    fs::set_permissions(node.path("out/a.zip"), readable).unwrap();
    let root = node.path("root");
    let sh = find_tool("sh").unwrap();
    node.script(
        "tools/relative-sh",
        &format!("TMPDIR=../tmp exec {} \"$@\"", sh.display()),
    );
    let mut child = node.start_by(
        "tools/relative-sh",
        &["--sysroot", root.to_str().unwrap(), "-o", "a.zip"],
    );
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    let there = fs::metadata(node.path("out/a.zip")).unwrap();
    assert_eq!(there.permissions().mode() & 0o777, 0o600);
    assert!(there.len() > 1000);
    assert_eq!(node.list("tmp"), Vec::<String>::new());
}
