//! Nodes on which something hangs, fails, is missing or may not be done.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::node::{Bundle, Node, find_tool};
use crate::{recorded, stderr};

#[test]
fn a_command_that_hangs_is_left_behind() {
    let node = Node::from("alpha/pve1");
    node.write("behave/hang-lvs", "");
    // Reading standard output to its end also shows that what was left behind does not hold it.
    let output = node.collect(&["-o", "-", "--timeout", "1"]);
    assert_eq!(output.status.code(), Some(0));
    let bundle = Bundle::from_zip(&output.stdout);
    for id in ["lvs", "lvs-json", "lvs-segments-json"] {
        assert_eq!(bundle.command(id)["status"], 124);
        assert_eq!(bundle.command(id)["timed_out"], true);
        assert!(bundle.command(id)["seconds"].as_f64().unwrap() >= 1.0);
        assert!(
            stderr(&output).contains(&format!("{id}: did not end within 1 s")),
            "{}",
            stderr(&output)
        );
    }
    for id in ["vgs-json", "pvs", "pvesm-status", "dmsetup-info"] {
        assert_eq!(bundle.command(id)["timed_out"], false);
        assert_eq!(
            bundle.text(&format!("commands/{id}.out")).as_bytes(),
            recorded(&format!("commands/{id}.out"))
        );
    }
    let left = node.left_behind();
    assert_eq!(left.len(), 3);
    for pid in left {
        assert!(
            fs::exists(format!("/proc/{pid}")).unwrap(),
            "the collector cannot have waited for {pid}"
        );
    }
}

#[test]
fn a_termination_leaves_nothing() {
    let node = Node::from("alpha/pve1");
    node.write("behave/hang-lvs", "");
    let collector = node.start(&["--sysroot", node.path("root").to_str().unwrap()]);
    while node.left_behind().is_empty() {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(
        Command::new("sh")
            .args(["-c", "kill \"$@\"", "sh"])
            .args(["-TERM", &collector.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    let output = collector.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    assert!(node.list("tmp").is_empty() && node.list("out").is_empty());
}

#[test]
fn commands_that_fail_or_are_missing_are_said_and_noted() {
    let node = Node::from("alpha/pve1");
    node.write("behave/fail-vgs", "  Volume group \"san\" not found\n");
    node.remove("bin/lsof");
    node.remove("bin/qm");
    let output = node.collect(&["-o", "a.zip"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        stderr(&output).contains("vgs: exit status 5: Volume group \"san\" not found"),
        "{}",
        stderr(&output)
    );
    assert!(
        stderr(&output)
            .contains("not installed here, so their evidence is missing: lsof qm-list\n"),
        "{}",
        stderr(&output)
    );
    let bundle = Bundle::from_zip(&fs::read(node.path("out/a.zip")).unwrap());
    assert_eq!(bundle.command("vgs")["status"], 5);
    assert_eq!(bundle.command("lsof")["status"], 127);
    assert_eq!(bundle.command("qm-list")["status"], 127);
    assert_eq!(
        bundle.text("commands/vgs.err"),
        "  Volume group \"san\" not found\n"
    );
    assert_eq!(bundle.text("commands/qm-list.err"), "qm: not installed\n");
    assert_eq!(bundle.command("pvs")["status"], 0);
}

#[test]
fn an_etc_pve_without_anything_is_unread_not_empty() {
    for (remade, error) in [
        (
            true,
            "empty: the cluster file system (pmxcfs) is not mounted",
        ),
        (false, "No such file or directory"),
    ] {
        let node = Node::from("alpha/pve1");
        node.remove("root/etc/pve");
        if remade {
            fs::create_dir(node.path("root/etc/pve")).unwrap();
        }
        let bundle = node.bundle(&[]);
        assert_eq!(
            bundle.manifest["unread"],
            serde_json::json!([{"path": "/etc/pve", "error": error}])
        );
        assert_eq!(bundle.manifest["directories"], serde_json::json!([]));
        assert_eq!(bundle.all("files", "path"), ["/etc/hostname"]);
        assert_eq!(bundle.manifest["node"], "pve1");
    }
}

#[test]
fn an_etc_pve_that_hangs_is_unread_as_a_whole() {
    let grep = find_tool("grep").unwrap();
    let hang = format!(
        "case $1 in -aH) head -n 3 etc/pve/storage.cfg; exec sleep 300;; esac; exec {} \"$@\"",
        grep.display()
    );
    for (tool, script) in [
        ("tools/find", "case $1 in etc/*) exec sleep 300;; esac"),
        ("tools/grep", hang.as_str()),
    ] {
        let node = Node::from("alpha/pve1");
        let real = find_tool("find").unwrap();
        node.script(tool, &format!("{script}\nexec {} \"$@\"", real.display()));
        let bundle = node.bundle(&["--timeout", "1"]);
        let expected =
            serde_json::json!([{"path": "/etc/pve", "error": "did not answer within 1 s"}]);
        assert_eq!(bundle.manifest["unread"], expected, "{tool}");
        assert_eq!(
            bundle.manifest["directories"],
            serde_json::json!([]),
            "{tool}"
        );
        assert!(
            bundle.files.keys().all(|path| !path.starts_with("files/")),
            "{tool}"
        );
        assert_eq!(bundle.command("pvs-json")["status"], 0, "{tool}");
    }
}

#[test]
fn what_cannot_be_read_is_unread_and_the_rest_is_there() {
    let node = Node::from("alpha/pve1");
    let grep = find_tool("grep").unwrap();
    let path = "etc/pve/nodes/pve1/qemu-server/104.conf";
    // A read that fails halfway: the first line came out.
    node.script("tools/grep", &format!(
        "case $1 in -aH) {0} \"$@\" | {0} -v '^{path}:scsi0'; echo 'grep: {path}: Input/output error' >&2; exit 2;; esac\nexec {0} \"$@\"",
        grep.display()
    ));
    fs::create_dir_all(node.path("root/etc/pve/nodes/pve2/qemu-server/odd name")).unwrap();
    node.write(
        "root/etc/pve/nodes/pve2/qemu-server/1 1.conf",
        "name: odd\n",
    );
    let bundle = node.bundle(&[]);
    assert_eq!(
        bundle.noted("unread", "path", &format!("/{path}"))["error"],
        "Input/output error"
    );
    assert!(
        bundle.noted("unread", "path", "/etc/pve/nodes/pve2/qemu-server/1?1.conf")["error"]
            .is_string()
    );
    assert_eq!(bundle.manifest["unread"].as_array().unwrap().len(), 2);
    assert!(
        !bundle.files.contains_key(&format!("files/{path}")),
        "half a file"
    );
    assert!(
        !bundle
            .all("files", "path")
            .contains(&format!("/{path}").as_str())
    );
    assert_eq!(bundle.all("files", "path").len(), 15);
}

#[test]
fn refuses_what_it_cannot_do() {
    let node = Node::from("alpha/pve1");
    node.script("tools/id", "echo 1000");
    let root = node.path("root").to_str().unwrap().to_owned();
    for (arguments, status, message) in [
        (vec![], 2, "must run as root"),
        (vec!["--frobnicate"], 2, "unknown argument '--frobnicate'"),
        (vec!["-o"], 2, "-o needs a value"),
        (
            vec!["--sysroot", "/nowhere"],
            2,
            "'/nowhere' is no directory",
        ),
        (
            vec!["--sysroot", &root, "--timeout", "0"],
            2,
            "is not a number of seconds",
        ),
        (
            vec!["--sysroot", &root, "--timeout", "soon"],
            2,
            "is not a number of seconds",
        ),
        (vec!["--sysroot", &root, "-o", "."], 2, "is a directory"),
        (
            vec!["--sysroot", &root, "-o", "/nowhere/a.zip"],
            1,
            "cannot write to directory '/nowhere/'",
        ),
    ] {
        let output = node.start(&arguments).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        assert!(
            stderr(&output).contains(message),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert!(
            output.stdout.is_empty() && node.calls().is_empty() && node.list("tmp").is_empty(),
            "{arguments:?}"
        );
    }
    for (argument, expected) in [
        ("--help", "Usage: sh dmaudit-collect.sh"),
        ("--version", "dmaudit-collect 0.1.0\n"),
    ] {
        let output = node.start(&[argument]).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(
            String::from_utf8(output.stdout)
                .unwrap()
                .starts_with(expected)
        );
    }
}
