//! The configuration, applied to what was found: findings that are set aside,
//! labels, and entries that no script may touch because of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};

use crate::cleanup::plan::Plan;
use crate::config::{About, Config, Ignore, Labels, Thresholds};
use crate::report::view;

/// A configuration during a run.
#[derive(Debug, Default)]
pub struct Policy {
    config: Config,
    now: DateTime<Utc>,
    /// For each rule whether it fitted a finding.
    used: Vec<AtomicBool>,
}

impl Policy {
    /// A configuration, applied `now`.
    pub fn new(config: Config, now: DateTime<Utc>) -> Self {
        Self {
            used: config
                .ignore
                .iter()
                .map(|_| AtomicBool::new(false))
                .collect(),
            config,
            now,
        }
    }

    /// The numbers from which something counts.
    pub fn thresholds(&self) -> Thresholds {
        self.config.thresholds
    }

    /// Labels a node, sets its ignored findings aside, and takes their entries
    /// out of its plan: what a team wants left alone is not removed.
    pub fn apply(&self, node: &mut view::Node, plan: Option<&mut Plan>) {
        let config = &self.config;
        node.labels = Labels::of(
            &config.labels,
            &node.node,
            node.cluster.as_deref(),
            &node.bundle,
        );
        if node.thresholds != config.thresholds {
            node.notes.push(
                "the thresholds of the configuration don't apply: these facts were made with others; \
                 give the configuration to `dmaudit facts`"
                    .to_owned(),
            );
        }
        if config.ignore.is_empty() {
            return;
        }
        let findings = std::mem::take(&mut node.findings);
        (node.findings, node.ignored) =
            self.set_aside(Some(&node.node), node.cluster.as_deref(), findings);
        keep(node, plan);
    }

    /// Parts the findings of a node, or of a whole cluster, into those that
    /// count and those that are set aside.
    pub(super) fn set_aside(
        &self,
        node: Option<&str>,
        cluster: Option<&str>,
        findings: Vec<view::Finding>,
    ) -> (Vec<view::Finding>, Vec<view::Ignored>) {
        let (mut counting, mut ignored) = (Vec::new(), Vec::new());
        for finding in findings {
            let about = About {
                node,
                cluster,
                check: &finding.check,
                subject: &finding.subject,
                vmid: finding.vmid,
            };
            match self.rule(about) {
                Some(rule) => ignored.push(view::Ignored {
                    finding,
                    reason: rule.reason.clone(),
                    until: rule.until.to_string(),
                }),
                None => counting.push(finding),
            }
        }
        (counting, ignored)
    }

    /// The first rule that sets a finding aside.
    fn rule(&self, about: About<'_>) -> Option<&Ignore> {
        let rules = self.config.ignore.iter().zip(&self.used);
        let mut fitting = rules.filter(|(rule, _)| rule.fits(about));
        // Every rule that fits has its use, an ended one, too.
        let mut first = None;
        for (rule, used) in &mut fitting {
            used.store(true, Ordering::Relaxed);
            first = first.or(Some(rule).filter(|rule| rule.holds(self.now)));
        }
        first
    }

    /// What is to be said of the rules at the end: those that have ended and
    /// those that fitted nothing.
    pub fn remarks(&self) -> Vec<String> {
        let rules = self.config.ignore.iter().zip(&self.used);
        rules
            .filter_map(|(rule, used)| match used.load(Ordering::Relaxed) {
                true if !rule.holds(self.now) => Some(format!(
                    "{} ended on {}: its findings count again",
                    rule.title(),
                    rule.until
                )),
                true => None,
                false => Some(format!("{} fits no finding", rule.title())),
            })
            .collect()
    }
}

/// Keeps the entries of ignored findings, and what they stand on.
fn keep(node: &mut view::Node, plan: Option<&mut Plan>) {
    let mut kept: BTreeMap<&str, String> = BTreeMap::new();
    for one in &node.ignored {
        let told = || format!("{} (until {})", one.reason, one.until);
        kept.entry(&one.finding.subject).or_insert_with(told);
    }
    let Some(plan) = plan.filter(|_| !kept.is_empty()) else {
        return;
    };
    let out = plan.keep(&kept);
    for skipped in out {
        if let Some(entry) = node.entries.iter_mut().find(|one| one.name == skipped.name) {
            entry.action = "none".into();
            entry.action_reason = Some(skipped.reason.clone().into());
        }
        node.left_alone.push(view::LeftAlone {
            name: skipped.name,
            why: skipped.why,
        });
    }
    node.planned = super::planned(plan);
}
