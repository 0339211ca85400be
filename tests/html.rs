//! The HTML report as files: complete, linked, accessible, the same every
//! time, and nothing in it that a bundle wrote but text.

#![allow(clippy::expect_used, clippy::panic)]

mod report_views;

use std::collections::BTreeSet;

use dmaudit::report::html::Html;
use report_views::markup::{Piece, pieces, text, values};
use report_views::{ATTACK, HOSTILE, HOSTILE_EVERYWHERE, PLAIN, fleet, pages, report};
use serde_json::Value;

/// All that a page of ours may hold.
const TAGS: [&str; 52] = [
    "a",
    "b",
    "body",
    "button",
    "caption",
    "circle",
    "code",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "head",
    "header",
    "html",
    "input",
    "label",
    "li",
    "line",
    "link",
    "main",
    "meta",
    "nav",
    "ol",
    "option",
    "output",
    "p",
    "polygon",
    "pre",
    "rect",
    "script",
    "section",
    "select",
    "small",
    "span",
    "style",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "text",
    "th",
    "thead",
    "time",
    "title",
];

#[test]
fn nothing_of_a_bundle_becomes_markup() {
    for texts in [PLAIN, HOSTILE, HOSTILE_EVERYWHERE] {
        for (path, page) in pages(&report(texts)) {
            let pieces = pieces(&page);
            let mut scripts = 0;
            for piece in &pieces {
                let Piece::Start(name, attributes) = piece else {
                    continue;
                };
                assert!(
                    TAGS.contains(&name.as_str()) || ["tr", "ul"].contains(&name.as_str()),
                    "{path}: <{name}>"
                );
                scripts += usize::from(name == "script");
                for (key, value) in attributes {
                    assert!(!key.starts_with("on") && key != "style", "{path}: {key}");
                    assert!(key != "src", "{path}: src={value}");
                }
                if name == "link" {
                    assert!(
                        attributes.contains(&("href".to_owned(), "data:,".to_owned())),
                        "{path}"
                    );
                } else if let Some((_, href)) = attributes.iter().find(|(key, _)| key == "href") {
                    assert!(
                        ["#", "./", "../"]
                            .iter()
                            .any(|start| href.starts_with(start)),
                        "{path}: {href}"
                    );
                }
                if let Some((_, target)) = attributes.iter().find(|(key, _)| key == "http-equiv") {
                    assert_eq!(target, "Content-Security-Policy", "{path}");
                }
            }
            assert_eq!(scripts, 1, "{path}");
        }
    }
}

#[test]
fn what_cannot_be_seen_is_shown_by_its_number() {
    for texts in [HOSTILE, HOSTILE_EVERYWHERE] {
        for (path, page) in pages(&report(texts)) {
            let hidden = page.chars().find(|c| {
                (c.is_control() && *c != '\n')
                    || "\u{202e}\u{2066}\u{200b}\u{feff}\u{2028}\u{e0041}".contains(*c)
            });
            assert_eq!(hidden, None, "{path}");
            for shown in ["⟨U+202E⟩", "⟨U+0000⟩", "⟨U+001B⟩[2J", "⟨U+E0041⟩"] {
                assert!(page.contains(shown), "{path}: {shown}");
            }
            assert!(!page.contains("1337"), "{path}: a bundle's template ran");
        }
    }
}

/// All texts in a value, but for those under names that pages don't print.
fn strings(value: &Value, found: &mut BTreeSet<String>) {
    const NOT_PRINTED: [&str; 10] = [
        "slug",
        "page",
        "environment",
        "guest_kind",
        "kind",
        "collected_at",
        "analyzed_at",
        "cells",
        "script",
        "home",
    ];
    match value {
        Value::String(text) => {
            found.extend(text.replace('`', "").lines().map(str::to_owned));
        }
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(fields) => {
            // A volume id takes the place of its volume group and volume.
            let named = fields.get("volume").is_some_and(Value::is_string);
            for (key, value) in fields {
                let skipped = NOT_PRINTED.contains(&key.as_str())
                    || (named && (key == "vg" || key == "lv"))
                    || (key == "action" && value == "none");
                if !skipped {
                    strings(value, found);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn a_page_shows_all_of_its_view() {
    let report = report(PLAIN);
    let pages = pages(&report);
    let views = report
        .nodes
        .iter()
        .map(|node| (&node.page, serde_json::to_value(node)));
    let clusters = report
        .clusters
        .iter()
        .map(|cluster| (&cluster.page, serde_json::to_value(cluster)));
    for (path, view) in views.chain(clusters) {
        let path = path.as_ref().expect("a path");
        let page = pages
            .iter()
            .find(|(page, _)| page == path)
            .map(|(_, page)| page);
        let shown = text(&pieces(page.expect("a page"))).replace(' ', "");
        let mut expected = BTreeSet::new();
        strings(&view.expect("a view is plain data"), &mut expected);
        assert!(expected.len() > 30, "{path}");
        for text in expected {
            let text = text.replace(' ', "");
            let last = text.rsplit('/').next().unwrap_or_default();
            assert!(
                shown.contains(&text) || (text.ends_with(".sh") && shown.contains(last)),
                "{path} lacks '{text}'"
            );
        }
    }
}

#[test]
fn a_node_page_has_its_parts_in_order() {
    let report = report(PLAIN);
    let (_, page) = pages(&report).swap_remove(1);
    let places = [
        "<h1 class=\"name\">pve1</h1>",
        "id=\"summary\"",
        "class=\"headline\"",
        "class=\"tiles\"",
        "id=\"issues\"",
        "finding critical",
        "finding warning",
        "finding info",
        "id=\"guests\"",
        "id=\"entries\"",
        "id=\"open\"",
        "id=\"environment\"",
        "id=\"system\"",
        "id=\"next\"",
        "id=\"remediation\"",
        "id=\"missing\"",
        "id=\"notes\"",
    ]
    .map(|part| page.find(part).unwrap_or_else(|| panic!("no {part}")));
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn links_lead_somewhere() {
    for texts in [PLAIN, HOSTILE] {
        let report = report(texts);
        let pages = pages(&report);
        let scripts = report.nodes.iter().filter_map(|node| node.script.clone());
        let files: BTreeSet<String> = pages
            .iter()
            .map(|(path, _)| path.clone())
            .chain(scripts)
            .collect();
        for (path, page) in &pages {
            let pieces = pieces(page);
            let ids: Vec<&str> = values(&pieces, "id").collect();
            let distinct: BTreeSet<&str> = ids.iter().copied().collect();
            assert_eq!(ids.len(), distinct.len(), "{path}: an id occurs twice");
            for href in values(&pieces, "href").filter(|href| !href.starts_with("data:")) {
                if let Some(id) = href.strip_prefix('#') {
                    assert!(distinct.contains(id), "{path}: {href}");
                } else {
                    let file = target(path, href);
                    assert!(files.contains(&file), "{path}: {href} is {file}");
                }
            }
            for id in values(&pieces, "aria-labelledby") {
                assert!(distinct.contains(id), "{path}: {id}");
            }
        }
    }
}

/// The file that a link on a page leads to, relative to the output folder.
fn target(path: &str, href: &str) -> String {
    let mut folders: Vec<&str> = path.split('/').collect();
    folders.pop();
    let mut href = href.strip_prefix("./").unwrap_or(href);
    while let Some(up) = href.strip_prefix("../") {
        folders.pop();
        href = up;
    }
    let mut bytes = Vec::new();
    let mut rest = href.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first == b'%' {
            let (digits, behind) = rest.split_at(2);
            let digits = std::str::from_utf8(digits).expect("two digits");
            bytes.push(u8::from_str_radix(digits, 16).expect("a number"));
            rest = behind;
        } else {
            bytes.push(*first);
        }
    }
    folders.push(std::str::from_utf8(&bytes).expect("UTF-8"));
    folders.join("/")
}

#[test]
fn headings_tables_and_charts_say_what_they_are() {
    for (path, page) in pages(&report(PLAIN)) {
        let pieces = pieces(&page);
        let mut level = 0;
        for (at, piece) in pieces.iter().enumerate() {
            let Piece::Start(name, attributes) = piece else {
                continue;
            };
            let next = pieces.get(at + 1);
            match name.as_str() {
                "h1" | "h2" | "h3" => {
                    let this = usize::from(name.as_bytes()[1] - b'0');
                    assert!(
                        this <= level + 1 && (this > 1 || level == 0),
                        "{path}: {name} after h{level}"
                    );
                    level = this;
                }
                "table" => assert!(
                    matches!(next, Some(Piece::Start(name, _)) if name == "caption"),
                    "{path}"
                ),
                "th" => assert!(attributes.iter().any(|(key, _)| key == "scope"), "{path}"),
                "svg" => {
                    assert!(
                        attributes.contains(&("role".to_owned(), "img".to_owned())),
                        "{path}"
                    );
                    assert!(
                        matches!(next, Some(Piece::Start(name, _)) if name == "title"),
                        "{path}"
                    );
                }
                _ => {}
            }
        }
        assert!(
            page.contains("<html lang=\"en\">") && page.contains("<main id=\"main\""),
            "{path}"
        );
    }
}

#[test]
fn a_grade_is_told_in_words_too() {
    let pages = pages(&report(PLAIN));
    let page = |path: &str| {
        let page = pages.iter().find(|(page, _)| page == path);
        text(&pieces(&page.expect("a page").1))
    };
    assert!(page("nodes/alpha-pve1.html").contains("Failing"));
    assert!(page("nodes/pve1.html").contains("Clean"));
    assert!(page("nodes/pve3.html").contains("Not graded"));
}

#[test]
fn a_node_that_was_not_judged_is_not_called_healthy() {
    let pages = pages(&report(PLAIN));
    let (_, page) = pages
        .iter()
        .find(|(path, _)| path == "nodes/pve3.html")
        .expect("a page");
    let shown = text(&pieces(page));
    assert!(shown.contains("could not judge"));
    for praise in [
        "No check found anything wrong",
        "No entry needs attention",
        "All guests",
    ] {
        assert!(!shown.contains(praise), "{praise}");
    }
}

#[test]
fn the_same_view_gives_the_same_bytes() {
    assert_eq!(pages(&report(PLAIN)), pages(&report(PLAIN)));
}

#[test]
fn an_overview_of_thousands_stays_small() {
    let html = Html::new().expect("the templates compile");
    let page = html.index_page(&fleet(2000)).expect("an overview");
    assert_eq!(page.matches("data-k=").count(), 2000);
    assert!(page.len() < 2000 * 600 + 80_000, "{} bytes", page.len());
    assert!(
        !page.contains("pve-vm--100--disk--0"),
        "entries don't belong on the overview"
    );
}

/// The attack would break out of each place it was put, were it not escaped:
/// otherwise the tests above could not fail.
#[test]
fn the_attack_is_one() {
    let naive = format!("<!doctype html>\n<p title=\"{ATTACK}\">{ATTACK}</p>");
    assert!(std::panic::catch_unwind(|| pieces(&naive)).is_err());
}
