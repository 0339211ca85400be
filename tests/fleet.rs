//! Generated fleets with known faults: every verdict and every finding is what
//! follows from how the fleet was built, none is missed and none is extra.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../examples/fleet_gen/fleet/mod.rs"]
mod fleet;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dmaudit::bundle::Limits;
use dmaudit::config::Config;
use dmaudit::pipeline::whole;
use dmaudit::report::view;
use serde_json::Value;

/// Lines that say what there is, each with how often.
type Facts = BTreeMap<String, usize>;

fn text(value: &Value) -> &str {
    value.as_str().expect("a string in the truth")
}

fn array(value: &Value) -> &[Value] {
    value.as_array().expect("a list in the truth")
}

fn expected(truth: &Value) -> Facts {
    let mut facts = Facts::new();
    let mut add = |fact: String| *facts.entry(fact).or_default() += 1;
    for node in array(&truth["nodes"]) {
        let bundle = text(&node["bundle"]);
        for (name, verdict) in node["entries"].as_object().unwrap() {
            add(format!("{bundle}: {name} is {}", text(verdict)));
        }
        for finding in array(&node["findings"]) {
            add(format!("{bundle}: {}", finding_of(finding)));
        }
    }
    for cluster in array(&truth["clusters"]) {
        let name = text(&cluster["cluster"]);
        for finding in array(&cluster["findings"]) {
            add(format!("cluster {name}: {}", finding_of(finding)));
        }
    }
    facts
}

fn finding_of(finding: &Value) -> String {
    let [check, subject, severity] = [0, 1, 2].map(|at| text(&finding[at]));
    format!("{severity} {check} of {subject}")
}

fn reported(report: &view::Report, folder: &Path) -> Facts {
    let mut facts = Facts::new();
    let mut add = |fact: String| *facts.entry(fact).or_default() += 1;
    let told = |finding: &view::Finding| {
        let (check, severity) = (&finding.check, &finding.severity);
        format!("{severity} {check} of {}", finding.subject)
    };
    let prefix = format!("{}/", folder.display());
    for node in &report.nodes {
        let bundle = node.bundle.strip_prefix(&prefix).unwrap_or(&node.bundle);
        for entry in &node.entries {
            let verdict = match (&*entry.verdict, &entry.reason) {
                (verdict @ ("orphan" | "unknown"), Some(reason)) => format!("{verdict}:{reason}"),
                (verdict, _) => verdict.to_owned(),
            };
            add(format!("{bundle}: {} is {verdict}", entry.name));
        }
        for finding in &node.findings {
            add(format!("{bundle}: {}", told(finding)));
        }
    }
    for cluster in &report.clusters {
        for finding in &cluster.findings {
            add(format!("cluster {}: {}", cluster.cluster, told(finding)));
        }
    }
    facts
}

/// What `these` has and `those` has not, one line each.
fn without(these: &Facts, those: &Facts) -> String {
    these
        .iter()
        .filter(|(fact, count)| those.get(*fact).copied().unwrap_or(0) < **count)
        .map(|(fact, _)| format!("\n  {fact}"))
        .collect()
}

/// Generates a fleet, analyzes it, compares; gives the checks that the truth
/// has findings of.
fn compare(plan: &fleet::Plan) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let truth = fleet::generate(folder.path(), plan).unwrap();
    let now = "2026-11-23T19:00:00Z".parse().unwrap();
    let report = whole(
        &[folder.path().to_owned()],
        &Limits::default(),
        Config::default(),
        now,
    );
    // The truth lies beside the bundles; it is none.
    let rejected: Vec<&str> = report.rejected.iter().map(|r| r.path.as_str()).collect();
    assert!(rejected.is_empty(), "rejected: {rejected:?}");
    assert_eq!(report.nodes.len(), plan.nodes);
    let (expected, reported) = (expected(&truth), reported(&report, folder.path()));
    let missed = without(&expected, &reported);
    let extra = without(&reported, &expected);
    assert!(
        missed.is_empty() && extra.is_empty(),
        "seed {}:\nmissed:{missed}\nextra:{extra}",
        plan.seed
    );
    let of = ["nodes", "clusters"].map(|of| array(&truth[of]));
    of.concat()
        .iter()
        .flat_map(|one| array(&one["findings"]))
        .map(|finding| text(&finding[0]).to_owned())
        .collect()
}

fn plan(nodes: usize, seed: u64, rate: impl Fn(&str) -> f64) -> fleet::Plan {
    let rates = fleet::PROBLEMS
        .iter()
        .map(|name| ((*name).to_owned(), rate(name)))
        .collect();
    fleet::Plan {
        nodes,
        entries: 60,
        seed,
        rates,
    }
}

/// The checks that a fleet with every problem has findings of.
const CHECKS: [&str; 22] = [
    "autoactivation-enabled",
    "deletion-stuck",
    "duplicate-entry",
    "failed-path",
    "guest-lvm-on-host",
    "held-open-while-stopped",
    "kernel-dm-errors",
    "leftover-volume",
    "missing-volume",
    "next-vmid-blocked",
    "no-live-table",
    "open-on-two-nodes",
    "orphan-disk-unreferenced",
    "orphan-guest-elsewhere",
    "orphan-guest-gone",
    "outdated-table",
    "overlapping-mappings",
    "single-path-under-multipath",
    "stale-mapping",
    "suspended-device",
    "thin-pool-failed",
    "thin-pool-full",
];

fn told(checks: &[&str]) -> BTreeSet<String> {
    checks.iter().map(|check| (*check).to_owned()).collect()
}

#[test]
fn every_problem_is_told_and_nothing_else() {
    assert_eq!(compare(&plan(40, 7, |_| 0.5)), told(&CHECKS));
}

#[test]
#[ignore = "takes minutes unless it is optimized"]
fn two_thousand_nodes_are_told_as_they_are() {
    assert_eq!(compare(&plan(2_000, 11, |_| 0.1)), told(&CHECKS));
}

#[test]
fn nodes_without_configurations_give_no_verdicts() {
    let truth_has = compare(&plan(12, 3, |name| f64::from(name == "no-config")));
    assert!(!truth_has.contains("orphan-guest-gone"), "{truth_has:?}");
}

#[test]
fn healthy_fleets_have_no_findings() {
    let seen = compare(&plan(12, 5, |_| 0.0));
    let harmless = BTreeSet::from(["autoactivation-enabled".to_owned()]);
    assert!(seen.is_subset(&harmless), "{seen:?}");
}
