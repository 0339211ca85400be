//! Whose nodes these are, and where they stand.

use glob::Pattern;
use serde::{Deserialize, Serialize};

use super::{fits, pattern};

/// A customer and a site for some nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    node: Option<Pattern>,
    cluster: Option<Pattern>,
    bundle: Option<Pattern>,
    labels: Labels,
}

/// A node's labels.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Labels {
    /// Whose node it is.
    pub customer: Option<String>,
    /// Where it stands.
    pub site: Option<String>,
}

/// As it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    node: Option<String>,
    cluster: Option<String>,
    bundle: Option<String>,
    customer: Option<String>,
    site: Option<String>,
}

impl Raw {
    pub(super) fn checked(self) -> Result<Label, String> {
        if self.customer.is_none() && self.site.is_none() {
            return Err("a label without customer and site; expected one of them".to_owned());
        }
        Ok(Label {
            node: pattern("node", self.node.as_deref())?,
            cluster: pattern("cluster", self.cluster.as_deref())?,
            bundle: pattern("bundle", self.bundle.as_deref())?,
            labels: Labels {
                customer: self.customer,
                site: self.site,
            },
        })
    }
}

impl Labels {
    /// A node's labels: each is that of the first entry that fits and has it.
    pub fn of(labels: &[Label], node: &str, cluster: Option<&str>, bundle: &str) -> Self {
        let mut found = Self::default();
        for label in labels {
            if fits(label.node.as_ref(), Some(node))
                && fits(label.cluster.as_ref(), cluster)
                && fits(label.bundle.as_ref(), Some(bundle))
            {
                found.customer = found.customer.or_else(|| label.labels.customer.clone());
                found.site = found.site.or_else(|| label.labels.site.clone());
            }
        }
        found
    }
}
