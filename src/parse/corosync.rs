//! `/etc/pve/corosync.conf`: the cluster's name and members.
//!
//! Nested `section { key: value … }` blocks. Source: corosync.conf(5).

use std::collections::BTreeMap;

use super::{Parsed, lines};

/// A cluster, as corosync knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Corosync {
    /// `totem.cluster_name`.
    pub cluster_name: Option<String>,
    /// `nodelist.node.name` of each member (its first address where it has
    /// no name), in the file's order.
    pub nodes: Vec<String>,
    /// `nodelist.node.ring0_addr` by the names in `nodes`.
    pub addresses: BTreeMap<String, String>,
}

/// Reads the file.
pub fn parse(text: &str) -> Parsed<Corosync> {
    let mut parsed = Parsed::new(Corosync::default());
    let mut path: Vec<String> = Vec::new();
    let mut name: Option<String> = None;
    let mut address: Option<String> = None;
    for (number, line) in lines(text) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(section) = line.strip_suffix('{') {
            path.push(section.trim().to_owned());
            continue;
        }
        if line == "}" {
            if path.pop().is_none() {
                parsed.problem(number, "`}` without its section");
            } else if let Some(node) = name.take().or_else(|| address.clone()) {
                if let Some(address) = address.take() {
                    parsed.value.addresses.insert(node.clone(), address);
                }
                parsed.value.nodes.push(node);
            }
            address = None;
            continue;
        }
        let Some((key, value)) = line.split_once(':') else {
            parsed.problem(number, "expected `key: value`, `section {` or `}`");
            continue;
        };
        let (key, value) = (key.trim(), value.trim().to_owned());
        let sections: Vec<&str> = path.iter().map(String::as_str).collect();
        match (&sections[..], key) {
            (["totem"], "cluster_name") => parsed.value.cluster_name = Some(value),
            (["nodelist", "node"], "name") => name = Some(value),
            (["nodelist", "node"], "ring0_addr") => address = Some(value),
            _ => {}
        }
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn name_and_members() {
        let parsed = parse(
            "logging {\n  debug: off\n}\nnodelist {\n  node {\n    name: pve1\n    ring0_addr: 192.0.2.11\n  }\n  node {\n    ring0_addr: 192.0.2.12\n  }\n}\ntotem {\n  cluster_name: alpha\n  interface {\n    linknumber: 0\n  }\n}\n}\n",
        );
        assert_eq!(parsed.value.cluster_name.as_deref(), Some("alpha"));
        assert_eq!(parsed.value.nodes, ["pve1", "192.0.2.12"]);
        let address = |node: &str| parsed.value.addresses.get(node).map(String::as_str);
        assert_eq!(address("pve1"), Some("192.0.2.11"));
        assert_eq!(address("192.0.2.12"), Some("192.0.2.12"));
        assert_eq!(parsed.problems.len(), 1);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\PC|[{}:\\n ]|node|nodelist|totem){0,60}") {
            parse(&text);
        }
    }
}
