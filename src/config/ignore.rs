//! Findings that a person has looked at and sets aside for a time.

use chrono::{DateTime, NaiveDate, Utc};
use glob::Pattern;
use serde::Deserialize;

use super::{IsCheck, fits, pattern};

/// A rule for findings that are set aside.
#[derive(Debug, Clone, PartialEq)]
pub struct Ignore {
    /// The line of the configuration at which it begins.
    pub line: usize,
    check: String,
    node: Option<Pattern>,
    cluster: Option<Pattern>,
    subject: Option<Pattern>,
    vmid: Option<u64>,
    /// Why, for the readers of the report.
    pub reason: String,
    /// The last day on which it holds (UTC).
    pub until: NaiveDate,
}

/// As it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    check: String,
    node: Option<String>,
    cluster: Option<String>,
    subject: Option<String>,
    vmid: Option<u64>,
    reason: String,
    until: toml::value::Datetime,
}

/// What a rule looks at of a finding.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The node; none for what only a look at a whole cluster shows.
    pub node: Option<&'a str>,
    /// The cluster.
    pub cluster: Option<&'a str>,
    /// The check.
    pub check: &'a str,
    /// What it is about.
    pub subject: &'a str,
    /// The guest.
    pub vmid: Option<u64>,
}

impl Raw {
    pub(super) fn checked(self, line: usize, is_check: IsCheck) -> Result<Ignore, String> {
        if !is_check(&self.check) {
            return Err(format!(
                "no check is called {:?}; `dmaudit explain` lists them",
                self.check
            ));
        }
        if self.reason.trim().is_empty() {
            return Err("the reason is empty; expected why this may be ignored, for the readers of the report".to_owned());
        }
        let until = match (self.until.date, self.until.time) {
            (Some(date), None) => NaiveDate::from_ymd_opt(
                i32::from(date.year),
                u32::from(date.month),
                u32::from(date.day),
            ),
            _ => None,
        };
        let until = until
            .ok_or_else(|| format!("until = {}; expected a day like 2027-01-31", self.until))?;
        Ok(Ignore {
            line,
            check: self.check,
            node: pattern("node", self.node.as_deref())?,
            cluster: pattern("cluster", self.cluster.as_deref())?,
            subject: pattern("subject", self.subject.as_deref())?,
            vmid: self.vmid,
            reason: self.reason.trim().to_owned(),
            until,
        })
    }
}

impl Ignore {
    /// Whether it still holds.
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        now.date_naive() <= self.until
    }

    /// Whether it is about this finding.
    pub fn fits(&self, finding: About<'_>) -> bool {
        self.check == finding.check
            && fits(self.node.as_ref(), finding.node)
            && fits(self.cluster.as_ref(), finding.cluster)
            && fits(self.subject.as_ref(), Some(finding.subject))
            && self.vmid.is_none_or(|vmid| finding.vmid == Some(vmid))
    }

    /// What it is called in messages.
    pub fn title(&self) -> String {
        format!("the rule of line {} that ignores {}", self.line, self.check)
    }
}
