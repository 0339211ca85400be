//! One of the two times: what a comparison needs of a report, made from a
//! report in memory or read from a `report.json`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::report::view;

/// A report at one time.
#[derive(Debug, Default, Deserialize)]
pub struct Side {
    pub(super) nodes: Vec<Node>,
    #[serde(default)]
    pub(super) clusters: Vec<Cluster>,
    #[serde(default)]
    pub(super) rejected: Vec<view::Rejected>,
}

/// What is compared of a node.
#[derive(Debug, Deserialize)]
pub struct Node {
    pub(super) node: String,
    pub(super) cluster: Option<String>,
    /// Not in report.json.
    #[serde(default)]
    pub(super) machine_id_sha256: Option<String>,
    pub(super) collected_at: Option<String>,
    pub(super) score: Option<i64>,
    pub(super) grade: Option<String>,
    pub(super) findings: Vec<Finding>,
    /// Findings that a configuration sets aside.
    #[serde(default)]
    pub(super) ignored: Vec<Finding>,
    pub(super) entries: Vec<Entry>,
    pub(super) evidence: Evidence,
}

#[derive(Debug, Deserialize)]
pub(super) struct Finding {
    pub(super) check: String,
    #[serde(deserialize_with = "severity")]
    pub(super) severity: String,
    pub(super) subject: String,
    pub(super) vmid: Option<u64>,
    pub(super) message: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) uuid: Option<String>,
    #[serde(deserialize_with = "verdict")]
    pub(super) verdict: String,
    pub(super) open: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Evidence {
    pub(super) missing: Vec<String>,
    pub(super) failed: Vec<String>,
    /// Checks that could not run; nothing in a report.json that does not say.
    #[serde(default)]
    pub(super) checks_not_run: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Cluster {
    pub(super) cluster: String,
    pub(super) grade: Option<String>,
    pub(super) findings: Vec<Finding>,
    #[serde(default)]
    pub(super) ignored: Vec<Finding>,
}

fn severity<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    one_of(from, &["critical", "warning", "info"])
}

fn verdict<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    one_of(
        from,
        &[
            "valid",
            "duplicate",
            "orphan",
            "dependent",
            "system",
            "unknown",
        ],
    )
}

/// A word of a report's own; a report may come from a stranger.
fn one_of<'de, D: Deserializer<'de>>(
    from: D,
    words: &'static [&'static str],
) -> Result<String, D::Error> {
    let word = String::deserialize(from)?;
    match words.contains(&word.as_str()) {
        true => Ok(word),
        false => Err(D::Error::custom(format_args!(
            "expected one of {}",
            words.join(", ")
        ))),
    }
}

/// What a report.json that is compared has at most.
const MOST_NODES: usize = 20_000;
const MOST_CLUSTERS: usize = 5_000;
const MOST_IDS: usize = 200;

/// What is looked at before the rest is taken for a report.
#[derive(Deserialize)]
struct Head {
    schema: u32,
}

impl Side {
    /// Reads a `report.json` of schema 1.
    ///
    /// # Errors
    ///
    /// Where it stops being one, or which schema it has instead.
    pub fn of_json(text: &[u8]) -> Result<Self, String> {
        let wrong = |error: serde_json::Error| {
            format!(
                "not a report.json of dmaudit (schema 1): {error}; give the file that `dmaudit analyze -o DIR` wrote, or the bundles"
            )
        };
        let head: Head = serde_json::from_slice(text).map_err(wrong)?;
        if head.schema != crate::report::json::SCHEMA {
            return Err(format!(
                "a report of schema {}, but only schema 1 can be read; use the dmaudit that wrote it, or give the bundles",
                head.schema
            ));
        }
        let side: Self = serde_json::from_slice(text).map_err(wrong)?;
        side.is_fleets()?;
        Ok(side)
    }

    /// Nodes and clusters are looked for among all, and checks among those of
    /// a node: a forged report must not take hours.
    fn is_fleets(&self) -> Result<(), String> {
        let ids = self.nodes.iter().flat_map(|node| {
            let Evidence {
                missing,
                failed,
                checks_not_run,
            } = &node.evidence;
            [
                missing.len(),
                failed.len(),
                checks_not_run.iter().flatten().count(),
            ]
        });
        for (what, found, most) in [
            ("nodes", self.nodes.len(), MOST_NODES),
            ("clusters", self.clusters.len(), MOST_CLUSTERS),
            (
                "commands or checks of one node",
                ids.max().unwrap_or(0),
                MOST_IDS,
            ),
        ] {
            if found > most {
                return Err(format!(
                    "it has {found} {what}, and no more than {most} are compared; give the bundles of some nodes"
                ));
            }
        }
        self.names()
    }

    /// Names are said many times.
    fn names(&self) -> Result<(), String> {
        for node in &self.nodes {
            view::a_name(&node.node)?;
            node.cluster.as_deref().map_or(Ok(()), view::a_name)?;
            let evidence = &node.evidence;
            let not_run = evidence.checks_not_run.iter().flatten();
            let ids = evidence.missing.iter().chain(&evidence.failed);
            ids.chain(not_run).try_for_each(|id| view::an_id(id))?;
        }
        let mut clusters = self.clusters.iter();
        clusters.try_for_each(|cluster| view::a_name(&cluster.cluster))
    }

    /// A side of which nothing could be read.
    pub fn rejected(path: String, error: String) -> Self {
        Self {
            rejected: vec![view::Rejected { path, error }],
            ..Self::default()
        }
    }
}

impl Side {
    /// What nodes and clusters show that were analyzed now.
    pub fn of(
        nodes: Vec<Node>,
        clusters: Vec<view::Cluster>,
        rejected: Vec<view::Rejected>,
    ) -> Self {
        Self {
            nodes,
            clusters: clusters.into_iter().map(Cluster::from).collect(),
            rejected,
        }
    }
}

impl From<view::Node> for Node {
    fn from(node: view::Node) -> Self {
        let (missing, failed): (Vec<_>, Vec<_>) = node
            .missing
            .into_iter()
            .partition(|missing| missing.state == "missing");
        let ids = |list: Vec<view::Missing>| list.into_iter().map(|one| one.id).collect();
        Self {
            node: node.node,
            cluster: node.cluster,
            machine_id_sha256: node.machine_id_sha256,
            collected_at: Some(node.collected_at).filter(|time| time != "unknown"),
            score: node.score,
            grade: node.grade,
            findings: node.findings.into_iter().map(Finding::from).collect(),
            ignored: ignored(node.ignored),
            entries: node.entries.into_iter().map(Entry::from).collect(),
            evidence: Evidence {
                missing: ids(missing),
                failed: ids(failed),
                checks_not_run: Some(
                    node.checks_not_run
                        .into_iter()
                        .map(|one| one.check)
                        .collect(),
                ),
            },
        }
    }
}

fn ignored(list: Vec<view::Ignored>) -> Vec<Finding> {
    list.into_iter()
        .map(|one| Finding::from(one.finding))
        .collect()
}

impl From<view::Finding> for Finding {
    fn from(finding: view::Finding) -> Self {
        Self {
            check: finding.check.into_owned(),
            severity: finding.severity.into_owned(),
            subject: finding.subject,
            vmid: finding.vmid,
            message: finding.message,
        }
    }
}

impl From<view::Entry> for Entry {
    fn from(entry: view::Entry) -> Self {
        Self {
            name: entry.name,
            uuid: entry.uuid,
            verdict: entry.verdict.into_owned(),
            open: entry.open,
        }
    }
}

impl From<view::Cluster> for Cluster {
    fn from(cluster: view::Cluster) -> Self {
        Self {
            cluster: cluster.cluster,
            grade: cluster.grade,
            findings: cluster.findings.into_iter().map(Finding::from).collect(),
            ignored: ignored(cluster.ignored),
        }
    }
}

/// A node's or a cluster's findings at one time.
#[derive(Clone, Copy, Default)]
pub(super) struct Found<'a> {
    /// Those that count.
    pub(super) counting: &'a [Finding],
    /// Those that the configuration ignores.
    pub(super) ignored: &'a [Finding],
}

impl Cluster {
    pub(super) fn found(&self) -> Found<'_> {
        Found {
            counting: &self.findings,
            ignored: &self.ignored,
        }
    }
}

impl Node {
    pub(super) fn found(&self) -> Found<'_> {
        Found {
            counting: &self.findings,
            ignored: &self.ignored,
        }
    }

    /// Evidence that is missing or failed.
    pub(super) fn lacks(&self) -> impl Iterator<Item = &str> {
        let evidence = &self.evidence;
        evidence
            .missing
            .iter()
            .chain(&evidence.failed)
            .map(String::as_str)
    }
}
