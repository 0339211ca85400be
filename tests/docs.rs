//! The documents: what they repeat is what the program says, and every link in
//! them leads somewhere.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// All documents, relative to the repository.
fn documents() -> Vec<PathBuf> {
    let below = WalkDir::new(root().join("docs")).into_iter();
    let below = below.map(|entry| entry.unwrap().into_path());
    let mut documents: Vec<PathBuf> = below
        .filter(|path| path.extension().is_some_and(|ext| ext == "md"))
        .map(|path| path.strip_prefix(root()).unwrap().to_owned())
        .collect();
    documents.extend(["README.md", "CONTRIBUTING.md", "samples/README.md"].map(PathBuf::from));
    documents.sort();
    documents
}

/// A document's text without its code.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let words = line.split('`').step_by(2);
            prose.push_str(&words.collect::<Vec<_>>().join("x"));
            prose.push('\n');
        }
    }
    prose
}

/// The targets of a document's links and pictures.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let parts = prose.split("](").skip(1);
    parts
        .map(|part| part.split(')').next().unwrap().trim().to_owned())
        .collect()
}

/// The anchors of a document's headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let lines = text.lines().filter(|line| {
        fenced ^= line.trim_start().starts_with("```");
        !fenced && line.starts_with('#')
    });
    lines
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// `a/../b` as `b`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(plain.pop(), "{path:?} leaves the repository"),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

#[test]
fn every_link_leads_somewhere() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for document in documents() {
        let text = read(&document);
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            checked += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => document.clone(),
                path => plain(&document.parent().unwrap().join(path)),
            };
            if !root().join(&target).exists() {
                wrong.push(format!("{}: {link}: no such file", document.display()));
            } else if !anchor.is_empty() && !anchors(&read(&target)).contains(anchor) {
                wrong.push(format!("{}: {link}: no such heading", document.display()));
            }
        }
    }
    let none: [String; 0] = [];
    assert_eq!(wrong, none);
    assert!(checked > 100, "{checked}");
}

#[test]
fn the_book_has_every_document_once() {
    let mut listed = links(&read(Path::new("docs/SUMMARY.md")));
    let mut all: Vec<String> = documents()
        .into_iter()
        .filter_map(|path| Some(path.strip_prefix("docs").ok()?.to_str()?.to_owned()))
        .filter(|path| path != "SUMMARY.md")
        .collect();
    listed.sort();
    all.sort();
    assert_eq!(listed, all);
}

#[test]
fn the_book_links_only_to_what_is_in_it() {
    for document in documents() {
        if !document.starts_with("docs") {
            continue;
        }
        for link in links(&read(&document)) {
            assert!(
                link.contains("://")
                    || !link.starts_with("../../")
                        && plain(&document.parent().unwrap().join(&link)).starts_with("docs"),
                "{}: {link} is outside of the book",
                document.display()
            );
        }
    }
}

#[test]
fn the_commands_page_is_what_help_prints() {
    assert_eq!(
        read(Path::new("docs/commands.md")),
        dmaudit::cli::reference::commands(),
        "write it anew: cargo run --example command_reference > docs/commands.md"
    );
}

#[test]
fn every_check_has_its_page_in_the_list() {
    let list = links(&read(Path::new("docs/checks/README.md")));
    for check in dmaudit::checks::ALL {
        assert!(
            list.contains(&format!("{}.md", check.name)),
            "{}",
            check.name
        );
        let page = read(&Path::new("docs/checks").join(format!("{}.md", check.name)));
        assert_eq!(page, check.page);
    }
}
