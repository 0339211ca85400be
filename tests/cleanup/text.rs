//! The script as a text: what the person who must approve it reads.

use std::process::Command;

use dmaudit::cleanup::script::{ScriptError, render};

use crate::node::Node;
use crate::world::{about, plan};

fn script() -> String {
    render(&plan(), &about("2026-11-20T10:00:00Z".parse().unwrap())).unwrap()
}

/// The lines that are no comments, with their numbers.
fn code(script: &str) -> impl Iterator<Item = (usize, &str)> {
    script
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.starts_with('#'))
}

/// The body of a function, as a range of line numbers.
fn body(script: &str, function: &str) -> std::ops::Range<usize> {
    let lines: Vec<&str> = script.lines().collect();
    let start = lines
        .iter()
        .position(|line| *line == format!("{function}() {{"))
        .unwrap();
    let length = lines[start..].iter().position(|line| *line == "}").unwrap();
    start + 1..start + length + 1
}

#[test]
fn what_is_particular_to_the_node_stands_first() {
    let script = script();
    let (head, _) = script.split_once("# From here on").unwrap();
    insta::assert_snapshot!(head);
}

#[test]
fn only_one_function_holds_commands_that_change_devices() {
    let script = script();
    let remover = body(&script, "take_out");
    // Its text holds functions of the undo script.
    let undo = body(&script, "undo_head").start..remover.start;
    let mut found = Vec::new();
    for (number, line) in code(&script) {
        let words: Vec<&str> = line
            .split(|c: char| c.is_whitespace() || "'\"`$();&|".contains(c))
            .collect();
        for (at, word) in words.iter().enumerate() {
            let next = words.get(at + 1).copied().unwrap_or_default();
            let allowed = match *word {
                "dmsetup" if next == "info" || next == "table" => true,
                "dmsetup" if next == "remove" => remover.contains(&number),
                "dmsetup" if next == "create" => undo.contains(&number),
                "lvchange" if next == "-an" => remover.contains(&number),
                "lvchange" if next == "-ay" => undo.contains(&number),
                // The list of needed commands, and what is said of an answer.
                "dmsetup" => line.starts_with("for command in "),
                "lvchange" => line.starts_with("for command in "),
                "remove_all" | "suspend" | "resume" | "reload" | "wipe_table" | "lvremove"
                | "vgremove" | "pvremove" | "vgchange" | "wipefs" | "dd" | "blkdiscard"
                | "mkfs" | "kpartx" | "losetup" | "umount" | "swapoff" | "kill" | "--force"
                | "-ff" | "--deferred" | "eval" | "wipe" => false,
                _ => true,
            };
            assert!(allowed, "line {number}: {line}");
            if remover.contains(&number) && ["dmsetup", "lvchange"].contains(word) {
                found.push(format!("{word} {next}"));
            }
        }
    }
    assert_eq!(found, ["dmsetup remove", "lvchange -an"]);
    let calls: Vec<_> = code(&script)
        .filter(|(_, line)| line.contains("take_out") && !line.ends_with("() {"))
        .collect();
    let [(number, "take_out")] = calls.as_slice() else {
        panic!("{calls:?}")
    };
    assert!(body(&script, "item").contains(number));
}

#[test]
fn deletes_no_file_but_its_own() {
    let script = script();
    let removals: Vec<&str> = code(&script)
        .map(|(_, line)| line)
        .filter(|line| {
            line.split(|c: char| !c.is_ascii_alphanumeric())
                .any(|word| ["rm", "rmdir", "unlink"].contains(&word))
        })
        .filter(|line| !line.starts_with("mv pct qm rm")) // the needed commands
        .collect();
    assert_eq!(
        removals,
        [
            r#"[ -z "$answer" ] || rm -f "$answer.out" "$answer.err" "$answer.status" "$answer.lost""#,
            // An undo script in which nothing is left.
            r#"rm -f "$UNDO""#,
            // One that could not be written to its end.
            r#"rm -f "$UNDO.new""#,
            r#"rm -rf "${TMP:?}""#,
        ]
    );
}

#[test]
fn nothing_runs_before_the_last_lines() {
    // A script that was cut off in a transfer does nothing.
    let node = Node::new();
    let whole = std::fs::read_to_string(node.script()).unwrap();
    let last = "{ start \"$@\"; entries; finish; }\n";
    assert!(whole.ends_with(&format!("\n{last}")));
    let cuts = (1..10).map(|tenth| whole.len() * tenth / 10);
    // The line is whole without its end.
    for keep in cuts.chain((2..=last.len()).map(|cut| whole.len() - cut)) {
        std::fs::write(node.path("cut.sh"), &whole[..keep]).unwrap();
        let output = Command::new("dash")
            .arg(node.path("cut.sh"))
            .args(["--execute", "--yes"])
            .output()
            .unwrap();
        let run = node.finish(output);
        assert_eq!(run.calls, [""; 0], "cut at {keep}: {}", run.text);
    }
}

#[test]
fn is_printable_ascii_without_blanks_at_line_ends() {
    for line in script().lines() {
        assert!(
            line.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
            "{line:?}"
        );
        assert_eq!(line.trim_end(), line);
    }
}

#[test]
fn the_same_plan_gives_the_same_script() {
    assert_eq!(script(), script());
}

#[test]
fn shellcheck_finds_nothing() {
    if Command::new("shellcheck")
        .arg("--version")
        .output()
        .is_err()
    {
        eprintln!("shellcheck is not installed: not checked");
        return;
    }
    let node = Node::new();
    node.run("dash", &["--execute", "--yes"]);
    let mut files = node.logs("undo");
    assert_eq!(files.len(), 1);
    files.push(node.path("rendered.sh"));
    node.write("rendered.sh", &script());
    let output = Command::new("shellcheck")
        .args(["-s", "sh"])
        .args(files)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn a_node_that_cannot_be_a_host_gets_no_script() {
    for name in [
        "",
        ".",
        "pve 1",
        "-pve",
        "pve1'",
        "pve\n1",
        "pv\u{e9}",
        "a/b",
        &"a".repeat(64),
    ] {
        let mut about = about("2026-11-20T10:00:00Z".parse().unwrap());
        about.node = name.into();
        let error = render(&plan(), &about).unwrap_err();
        assert!(
            matches!(&error, ScriptError::NodeName(given) if given == name),
            "{error}"
        );
    }
}

#[test]
fn a_domain_is_no_part_of_the_nodes_name() {
    let mut about = about("2026-11-20T10:00:00Z".parse().unwrap());
    about.node = "pve1.example.com".into();
    assert!(render(&plan(), &about).unwrap().contains("\nNODE='pve1'\n"));
}
