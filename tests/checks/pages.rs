//! Every check has a page, and the page the parts that a reader looks for.

use std::collections::BTreeSet;

use dmaudit::checks::{ALL, by_name};

#[test]
fn every_page_says_what_how_what_if_and_what_to_do() {
    for check in ALL {
        assert!(
            check.page.starts_with(&format!("# {}\n", check.name)),
            "{}",
            check.name
        );
        for heading in [
            "## What it means",
            "## How it comes about",
            "## If nothing is done",
            "## How to fix it by hand",
        ] {
            let (_, section) = check
                .page
                .split_once(&format!("\n{heading}\n"))
                .unwrap_or_else(|| panic!("{} has no {heading}", check.name));
            let text = section.split("\n## ").next().unwrap();
            assert!(!text.trim().is_empty(), "{}: {heading}", check.name);
        }
        assert!(!check.page.contains("--force"), "{}", check.name);
    }
}

#[test]
fn names_are_unique_and_kebab_case() {
    let names: BTreeSet<&str> = ALL.iter().map(|check| check.name).collect();
    assert_eq!(names.len(), ALL.len());
    for name in names {
        assert!(
            name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
            "{name}"
        );
        assert!(by_name(name).is_some());
    }
}

#[test]
fn the_index_lists_every_check_and_no_other_page() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/checks");
    let index = std::fs::read_to_string(folder.join("README.md")).unwrap();
    for check in ALL {
        assert!(
            index.contains(&format!("[{0}]({0}.md)", check.name)),
            "{}",
            check.name
        );
    }
    let pages = std::fs::read_dir(folder).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name != "README.md"
    });
    assert_eq!(pages.count(), ALL.len());
}
