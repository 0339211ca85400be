//! The HTML report in a real browser, headless Chromium. It needs Debian's
//! `chromium` and `chromium-driver`, so it runs only when asked for:
//! `cargo test --test browser -- --ignored`.

#![allow(clippy::expect_used, clippy::panic)]

mod report_views;
#[path = "browser/webdriver.rs"]
mod webdriver;

use std::fs;
use std::path::Path;

use report_views::{HOSTILE, HOSTILE_EVERYWHERE, PLAIN, Texts, fleet, pages, report};
use serde_json::{Value, json};
use webdriver::Browser;

/// Before any script of a page: remembers what must not happen.
const WATCH: &str = "
    window.seen = [];
    addEventListener('securitypolicyviolation', (event) => seen.push(`policy: ${event.violatedDirective} ${event.blockedURI}`));
    addEventListener('error', (event) => seen.push(`error: ${event.message}`), true);
    addEventListener('unhandledrejection', (event) => seen.push(`rejected: ${event.reason}`));
";

/// Writes a report's pages, under names that a file system takes.
fn write(folder: &Path, texts: Texts) -> Vec<std::path::PathBuf> {
    let pages = pages(&report(texts));
    let files = pages.into_iter().enumerate().map(|(at, (path, page))| {
        let kind = path.split('/').next().unwrap_or_default();
        let file = folder.join(format!("{at}-{kind}.html"));
        fs::write(&file, page).expect("a written page");
        file
    });
    files.collect()
}

fn browser() -> Browser {
    let browser = Browser::start();
    browser.devtools("Page.enable", json!({}));
    browser.devtools(
        "Page.addScriptToEvaluateOnNewDocument",
        json!({"source": WATCH}),
    );
    browser
}

/// Links that leave the report, and what makes the page wider than its window.
const OUT_OF_PLACE: &str = "
    const out = [...document.links].filter((link) => link.protocol !== 'file:').map((link) => link.href);
    if (document.scrollingElement.scrollWidth <= innerWidth) return out;
    const wide = [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > innerWidth && !one.closest('.scroll'));
    return [...out, document.scrollingElement.scrollWidth, ...wide.map((one) => `${one.localName}.${one.className}`)];
";

/// Findings whose badge and title are drawn over each other, or whose badge
/// is too narrow for its word.
const OVER_EACH_OTHER: &str = "
    const over = (finding) => {
        const [badge, title] = ['.chip', '.finding-text'].map((part) => finding.querySelector(part));
        // Severities are this program's words; where the test puts others there, they may wrap.
        if (badge.textContent.trim().length > 12) return false;
        return badge.scrollWidth > badge.clientWidth + 1 || badge.getBoundingClientRect().right > title.getBoundingClientRect().left;
    };
    return [...document.querySelectorAll('.finding summary')].filter(over).map((finding) => finding.textContent);
";

fn names(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

#[test]
#[ignore = "needs chromium and chromedriver; run with --ignored"]
fn nothing_runs_leaves_or_overflows() {
    let folder = tempfile::tempdir().expect("a folder");
    let browser = browser();
    for texts in [PLAIN, HOSTILE, HOSTILE_EVERYWHERE] {
        for file in write(folder.path(), texts) {
            for (width, scheme) in [
                // 360 and a scroll bar.
                (375, "light"),
                (400, "dark"),
                (1280, "light"),
                (1600, "dark"),
            ] {
                browser.width(width);
                browser.media("screen", scheme);
                browser.requests();
                browser.open(&file);
                // All that a person could unfold, and each link's scheme.
                browser.run("document.querySelectorAll('details').forEach((details) => { details.open = true; })");
                let name = file.display();
                assert_eq!(
                    browser.run("return window.pwned ?? null"),
                    Value::Null,
                    "{name}"
                );
                assert_eq!(browser.run("return window.seen"), json!([]), "{name}");
                assert_eq!(
                    browser.run("return window.length"),
                    json!(0),
                    "{name}: frames"
                );
                assert_eq!(browser.console(), Vec::<String>::new(), "{name}");
                for url in browser.requests() {
                    assert!(
                        url == "data:," || url.starts_with("file://"),
                        "{name}: {url}"
                    );
                }
                let out = browser.run(OUT_OF_PLACE);
                assert_eq!(out, json!([]), "{name} at {width}");
                let over = browser.run(OVER_EACH_OTHER);
                assert_eq!(over, json!([]), "{name} at {width}");
                let enhanced =
                    browser.run("return document.querySelector('.controls')?.hidden ?? false");
                assert_eq!(
                    enhanced,
                    json!(false),
                    "{name}: the page's own script did not run"
                );
            }
        }
    }
}

/// The policy that keeps a bundle's scripts away is at work, not only in the
/// text: what escaped the escaping would still not run.
#[test]
#[ignore = "needs chromium and chromedriver; run with --ignored"]
fn the_policy_stops_what_is_not_the_reports_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let browser = browser();
    let (_, page) = pages(&report(PLAIN)).swap_remove(0);
    let attack = "<script>window.pwned=1</script><p style=\"color:red\" id=\"styled\">x</p><img src=\"http://192.0.2.1/x.png\" onerror=\"window.pwned=2\"></main>";
    let broken = page.replacen("</main>", attack, 1);
    assert_ne!(page, broken);
    let file = folder.path().join("broken.html");
    fs::write(&file, broken).expect("a written page");
    browser.open(&file);
    assert_eq!(browser.run("return window.pwned ?? null"), Value::Null);
    let seen = browser.run("return window.seen");
    for directive in ["script-src-elem", "style-src-attr", "img-src"] {
        assert!(
            names(&seen).iter().any(|line| line.contains(directive)),
            "{directive}: {seen}"
        );
    }
}

/// The names in the rows that are shown, over all of a page's filtered tables.
const SHOWN: &str = "[...document.querySelectorAll('table[data-filter] tbody tr')]
    .filter((row) => row.checkVisibility()).map((row) => row.querySelector('th .name, th a').textContent)";

#[test]
#[ignore = "needs chromium and chromedriver; run with --ignored"]
fn entries_are_filtered_and_sorted() {
    let folder = tempfile::tempdir().expect("a folder");
    let browser = browser();
    browser.width(1280);
    browser.open(&write(folder.path(), PLAIN)[1]);
    let shown = browser.run(&format!("return {SHOWN}"));
    assert_eq!(
        names(&shown).len(),
        6,
        "only what needs attention is unfolded"
    );

    browser.type_into("#entries input", "cloudinit VM");
    browser.wait_for(
        "return document.querySelector('#entries output').textContent.startsWith('2 of 22')",
    );
    let shown = browser.run(&format!("return {SHOWN}"));
    assert_eq!(
        names(&shown),
        ["pve-vm--119--cloudinit", "pve-vm--100--cloudinit"]
    );

    browser.run("const input = document.querySelector('#entries input'); input.value = ''; input.dispatchEvent(new Event('input'))");
    browser
        .wait_for("return document.querySelector('#entries output').textContent.startsWith('22')");
    browser.run("const select = document.querySelector('#entries select'); select.value = 'orphan'; select.dispatchEvent(new Event('change'))");
    let shown = browser.run(&format!("return {SHOWN}"));
    assert_eq!(names(&shown).len(), 4);

    // By size, twice: the smallest first, then the largest.
    let size = "#entries .entries thead th:nth-child(5)";
    browser.click(&format!("{size} button"));
    let shown = browser.run(&format!("return {SHOWN}"));
    assert_eq!(names(&shown).first(), Some(&"pve-vm--119--cloudinit"));
    browser.click(&format!("{size} button"));
    let shown = browser.run(&format!("return {SHOWN}"));
    assert_eq!(names(&shown).last(), Some(&"pve-vm--119--cloudinit"));
    let sorted = browser.run(&format!(
        "return document.querySelector('{size}').getAttribute('aria-sort')"
    ));
    assert_eq!(sorted, json!("descending"));
}

#[test]
#[ignore = "needs chromium and chromedriver; run with --ignored"]
fn a_long_overview_shows_its_worst_and_finds_the_rest() {
    let folder = tempfile::tempdir().expect("a folder");
    let browser = browser();
    let html = dmaudit::report::html::Html::new().expect("the templates compile");
    let file = folder.path().join("index.html");
    fs::write(&file, html.index_page(&fleet(1200)).expect("an overview")).expect("a written page");
    browser.width(1280);
    browser.open(&file);
    let count = format!("return {SHOWN}.length");
    assert_eq!(browser.run(&count), json!(500));
    browser.type_into("#nodes input", "site150-prod node08");
    browser.wait_for(
        "return document.querySelector('#nodes output').textContent.startsWith('1 of 1200')",
    );
    assert_eq!(browser.run(&count), json!(1));
    browser.run("const input = document.querySelector('#nodes input'); input.value = ''; input.dispatchEvent(new Event('input'))");
    browser.wait_for("return !document.querySelector('.more-rows').hidden");
    browser.click(".more-rows");
    assert_eq!(browser.run(&count), json!(1200));
}

#[test]
#[ignore = "needs chromium and chromedriver; run with --ignored"]
fn every_text_has_contrast_in_both_schemes() {
    let folder = tempfile::tempdir().expect("a folder");
    let browser = browser();
    for file in write(folder.path(), PLAIN) {
        for (scheme, dark) in [("light", false), ("dark", true)] {
            browser.media("screen", scheme);
            browser.width(1280);
            browser.open(&file);
            browser.run("document.querySelectorAll('details').forEach((details) => { details.open = true; })");
            let background = browser.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0] < 64");
            assert_eq!(background, json!(dark), "{scheme}");
            let weak = browser.run(include_str!("browser/contrast.js"));
            assert_eq!(weak, json!([]), "{} {scheme}", file.display());
        }
    }
}

#[test]
#[ignore = "needs chromium and chromedriver; run with --ignored"]
fn paper_shows_everything_and_no_controls() {
    let folder = tempfile::tempdir().expect("a folder");
    let browser = browser();
    browser.open(&write(folder.path(), PLAIN)[1]);
    browser.media("print", "dark");
    browser.run("dispatchEvent(new Event('beforeprint'))");
    let state = browser.run(
        "const shown = (selector) => [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility()).length;
         return [shown('.controls, .contents, .skip, .copy'), document.querySelectorAll('details:not([open])').length,
                 shown('#entries tbody tr'), getComputedStyle(document.body).backgroundColor]",
    );
    assert_eq!(state, json!([0, 0, 22, "rgb(255, 255, 255)"]));
    // A4 less the margins.
    browser.width(688);
    let cut = browser.run("return [...document.querySelectorAll('.box')].filter((box) => box.getBoundingClientRect().right > innerWidth).map((box) => box.textContent)");
    assert_eq!(cut, json!([]));
    browser.run("dispatchEvent(new Event('afterprint'))");
    let folded = browser.run("return document.querySelectorAll('details:not([open])').length > 0");
    assert_eq!(folded, json!(true));
    let paper = browser.devtools("Page.printToPDF", json!({"printBackground": true}));
    assert!(
        paper["data"]
            .as_str()
            .is_some_and(|data| data.len() > 10_000)
    );
}

#[test]
#[ignore = "needs chromium and chromedriver; run with --ignored"]
fn without_scripting_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let browser = browser();
    let file = &write(folder.path(), PLAIN)[1];
    browser.devtools(
        "Emulation.setScriptExecutionDisabled",
        json!({"value": true}),
    );
    for width in [400, 1280] {
        browser.width(width);
        browser.open(file);
        let look = "[document.querySelectorAll('.controls:not([hidden]), th button, .copy').length, \
             document.querySelectorAll('#entries tbody tr:not([hidden])').length, document.scrollingElement.scrollWidth <= innerWidth]";
        // The test's own look at the page is not the page's script.
        let seen = browser.devtools(
            "Runtime.evaluate",
            json!({"expression": look, "returnByValue": true}),
        );
        assert_eq!(
            seen["result"]["value"],
            json!([0, 22, true]),
            "{width}: {seen}"
        );
    }
}
