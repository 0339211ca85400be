//! Completions and manual pages, as the command prints and writes them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::process::{Command, Output};

fn dmaudit(args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    output
}

/// The subcommands, as `--help` lists them.
fn subcommands() -> Vec<String> {
    let help = String::from_utf8(dmaudit(&["--help"]).stdout).unwrap();
    let names: Vec<String> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .filter(|name| name != "help")
        .collect();
    assert!(names.iter().any(|name| name == "analyze"), "{help}");
    names
}

#[test]
fn each_shell_has_completions_of_every_subcommand() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let text = String::from_utf8(dmaudit(&["completions", shell]).stdout).unwrap();
        for name in subcommands() {
            assert!(text.contains(&name), "{shell} lacks {name}");
        }
    }
}

#[test]
fn bash_reads_its_completions() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dmaudit");
    fs::write(&file, dmaudit(&["completions", "bash"]).stdout).unwrap();
    let checked = Command::new("bash").arg("-n").arg(&file).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn every_subcommand_has_a_page_and_the_main_page_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    dmaudit(&["man", "-o", pages.to_str().unwrap()]);
    let main = fs::read(pages.join("dmaudit.1")).unwrap();
    assert_eq!(dmaudit(&["man"]).stdout, main);
    let main = String::from_utf8(main).unwrap().replace('\\', "");
    let names = subcommands();
    for name in &names {
        assert!(
            main.contains(&format!("dmaudit-{name}(1)")),
            "{name}: {main}"
        );
        let page = fs::read_to_string(pages.join(format!("dmaudit-{name}.1"))).unwrap();
        assert!(
            page.replace('\\', "")
                .contains(&format!(".TH DMAUDIT-{} 1", name.to_uppercase())),
            "{page}"
        );
    }
    let written = fs::read_dir(&pages).unwrap();
    assert_eq!(written.count(), names.len() + 1);
}

#[test]
#[ignore = "needs groff (Debian: groff-base)"]
fn groff_has_nothing_to_say_of_the_pages() {
    let folder = tempfile::tempdir().unwrap();
    dmaudit(&["man", "-o", folder.path().to_str().unwrap()]);
    let mut shown = String::new();
    for page in fs::read_dir(&folder).unwrap() {
        let page = page.unwrap().path();
        let groff = Command::new("groff")
            .args(["-man", "-Tutf8", "-ww"])
            .arg(&page)
            .output()
            .unwrap();
        assert!(
            groff.stderr.is_empty() && groff.status.success(),
            "{page:?}: {groff:?}"
        );
        shown += &String::from_utf8(groff.stdout).unwrap();
    }
    // Examples stand line by line, as they are typed.
    assert!(shown.contains("  dmaudit diff monday/ friday/ --html diff.html\n"));
}
