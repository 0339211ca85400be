//! Names for nodes that are unique in one run, for files and links.

use std::collections::{BTreeMap, BTreeSet};

/// A unique name for each node, given its name and cluster: the node's own
/// where that is unique, else with its cluster's before it, else with a
/// number behind it. Characters that have a meaning in file names or in the
/// shell become `_`.
pub fn unique(nodes: &[(&str, Option<&str>)]) -> Vec<String> {
    let plain: Vec<String> = nodes.iter().map(|(node, _)| safe(node)).collect();
    let with_cluster: Vec<String> = nodes
        .iter()
        .zip(&plain)
        .map(|((_, cluster), plain)| match cluster {
            Some(cluster) => format!("{}-{plain}", safe(cluster)),
            None => plain.clone(),
        })
        .collect();
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for name in &plain {
        *count.entry(name.to_lowercase()).or_default() += 1;
    }
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut slugs = Vec::with_capacity(nodes.len());
    for (plain, with_cluster) in plain.iter().zip(&with_cluster) {
        let alone = count.get(&plain.to_lowercase()) == Some(&1);
        let wanted = if alone { plain } else { with_cluster };
        // Numbers below the last one given are taken.
        let last = numbers.entry(wanted.to_lowercase()).or_insert(1);
        let mut slug = wanted.clone();
        while taken.contains(&slug.to_lowercase()) {
            *last += 1;
            slug = format!("{wanted}-{last}");
        }
        taken.insert(slug.to_lowercase());
        slugs.push(slug);
    }
    slugs
}

/// A name of `[A-Za-z0-9._-]` that is no path and no option.
fn safe(name: &str) -> String {
    let mut safe: String = name
        .chars()
        .take(80)
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
                c
            } else {
                '_'
            }
        })
        .collect();
    // Windows takes these for devices, with any ending.
    let stem = safe
        .split('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let is_device = match stem.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "com" | "lpt" => stem.len() == 4,
        _ => matches!(&*stem, "con" | "nul" | "prn" | "aux"),
    };
    if is_device || !safe.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        safe.insert(0, 'x');
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn collisions_are_told_apart_by_cluster_then_number() {
        assert_eq!(
            unique(&[
                ("pve1", Some("alpha")),
                ("pve2", Some("alpha")),
                ("pve1", Some("beta")),
                ("pve1", Some("beta")),
                ("pve1", None),
                ("../etc", None),
                ("-rf", None),
            ]),
            [
                "alpha-pve1",
                "pve2",
                "beta-pve1",
                "beta-pve1-2",
                "pve1",
                "x.._etc",
                "x-rf"
            ]
        );
    }

    proptest! {
        #[test]
        fn slugs_are_unique_and_safe(nodes in prop::collection::vec(("\\PC{0,8}|pve[12]|pve1-2|a-pve1", prop::option::of("a|b|\\PC{0,5}")), 0..12)) {
            let nodes: Vec<(&str, Option<&str>)> = nodes.iter().map(|(n, c)| (n.as_str(), c.as_deref())).collect();
            let slugs = unique(&nodes);
            let set: BTreeSet<String> = slugs.iter().map(|slug| slug.to_lowercase()).collect();
            prop_assert_eq!(set.len(), slugs.len());
            for slug in &slugs {
                prop_assert!(slug.starts_with(|c: char| c.is_ascii_alphanumeric()));
                prop_assert!(slug.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)));
            }
        }
    }
}
