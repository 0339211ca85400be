//! `/etc/pve/storage.cfg`: the cluster's storages.
//!
//! A section is `type: id`, then indented `key value` lines. Source:
//! PVE::SectionConfig.

use std::collections::BTreeMap;

use super::{Parsed, lines};

/// One storage, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageSection {
    /// `lvm`, `lvmthin`, `dir`, `zfspool`, ….
    pub kind: String,
    /// The storage id that volume ids begin with.
    pub id: String,
    /// Its properties; a flag without value is empty text.
    pub properties: BTreeMap<String, String>,
}

impl StorageSection {
    /// A property's value.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.properties.get(key).map(String::as_str)
    }

    /// Whether a yes/no property is on, by PVE's words for it.
    pub fn flag(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| {
            matches!(
                value.to_ascii_lowercase().as_str(),
                "" | "1" | "on" | "yes" | "true"
            )
        })
    }
}

/// Reads the file.
pub fn parse(text: &str) -> Parsed<Vec<StorageSection>> {
    let mut parsed: Parsed<Vec<StorageSection>> = Parsed::new(Vec::new());
    for (number, line) in lines(text) {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            let (key, value) = match line.trim().split_once([' ', '\t']) {
                Some((key, value)) => (key, value.trim()),
                None => (line.trim(), ""),
            };
            match parsed.value.last_mut() {
                Some(storage) => {
                    // PVE refuses a further one of the same name.
                    let property = storage.properties.entry(key.to_owned());
                    property.or_insert_with(|| value.to_owned());
                }
                None => parsed.problem(number, "expected `type: id` before any property"),
            }
            continue;
        }
        match line.split_once(':') {
            Some((kind, id)) if !kind.trim().is_empty() && !id.trim().is_empty() => {
                parsed.value.push(StorageSection {
                    kind: kind.trim().to_owned(),
                    id: id.trim().to_owned(),
                    properties: BTreeMap::new(),
                });
            }
            _ => parsed.problem(number, "expected `type: id` or an indented `key value`"),
        }
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sections_and_properties() {
        let parsed = parse(
            "# comment\ndir: local\n\tpath /var/lib/vz\n\nlvmthin: local-lvm\n\tthinpool data\n\tvgname pve\n\nlvm: SSD-HA01\n  vgname ssd-ha01\n  shared 1\n  nodes a,b\n  disable\nwhat\n",
        );
        assert_eq!(parsed.value.len(), 3);
        assert_eq!(parsed.value[1].get("thinpool"), Some("data"));
        assert!(parsed.value[2].flag("shared") && parsed.value[2].flag("disable"));
        assert!(!parsed.value[1].flag("shared"));
        let twice = parse("lvm: a\n\tvgname first\n\tvgname second\n");
        assert_eq!(twice.value[0].get("vgname"), Some("first"));
        assert_eq!(parsed.problems[0].line, 14);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\PC|[:\\t\\n ]|lvm: a){0,60}") {
            parse(&text);
        }
    }
}
