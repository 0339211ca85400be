//! A guest's configuration: `/etc/pve/nodes/<node>/qemu-server/<vmid>.conf`
//! or `…/lxc/<vmid>.conf`.
//!
//! Grammar, by PVE's `parse_vm_config` and `parse_pct_config`: `key: value`
//! lines, in containers also `lxc.KEY = value`; `#` lines are the description; `[name]` opens a snapshot,
//! `[PENDING]` the pending changes, `[special:…]` another section.

use super::{Parsed, lines};

/// A guest's configuration, section by section, as parts of its text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GuestConfig<'a> {
    /// The current configuration.
    pub current: Section<'a>,
    /// Snapshots, by name, in the file's order.
    pub snapshots: Vec<(&'a str, Section<'a>)>,
    /// Pending changes and special sections, by the text between brackets.
    pub others: Vec<(&'a str, Section<'a>)>,
    /// The description: `#` lines, without the sign.
    pub description: Vec<&'a str>,
}

/// The settings of one section.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section<'a> {
    /// Keys and values, in the file's order.
    pub settings: Vec<Setting<'a>>,
}

/// One `key: value` line, or one that was not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting<'a> {
    /// The key; empty for a line that was not understood, of which the value
    /// is the whole: it may name a volume all the same.
    pub key: &'a str,
    /// The value, without blanks around it.
    pub value: &'a str,
    /// The line, from 1.
    pub line: usize,
}

impl<'a> Section<'a> {
    /// The value of a key; the last one where it is repeated, as PVE reads
    /// it.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.settings
            .iter()
            .rev()
            .find(|setting| setting.key == key)
            .map(|setting| setting.value)
    }
}

impl<'a> GuestConfig<'a> {
    /// All sections with the text between their brackets; the current one
    /// has none.
    pub fn sections(&self) -> impl Iterator<Item = (Option<&'a str>, &Section<'a>)> {
        std::iter::once((None, &self.current)).chain(
            self.snapshots
                .iter()
                .chain(&self.others)
                .map(|(name, section)| (Some(*name), section)),
        )
    }

    /// Whether nothing was understood: such a file says nothing about its
    /// guest.
    pub fn is_empty(&self) -> bool {
        self.sections()
            .flat_map(|(_, section)| &section.settings)
            .all(|setting| setting.key.is_empty())
    }
}

/// Reads a configuration.
pub fn parse(text: &str) -> Parsed<GuestConfig<'_>> {
    let mut parsed = Parsed::new(GuestConfig::default());
    let mut open: Option<(&str, Section<'_>)> = None;
    for (number, line) in lines(text) {
        let line = line.trim_end();
        if line.is_empty() {
            continue;
        }
        if let Some(text) = line.strip_prefix('#') {
            if open.is_none() {
                parsed.value.description.push(text);
            }
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            close(&mut parsed.value, open.take());
            open = Some((name.trim(), Section::default()));
            continue;
        }
        let (key, value) = match setting(line) {
            Some((key, _, value)) => (key, value),
            None => {
                parsed.problem(number, "expected `key: value`, `[section]` or `#text`");
                ("", line.trim())
            }
        };
        let setting = Setting {
            key,
            value,
            line: number,
        };
        match open.as_mut() {
            Some((_, section)) => section.settings.push(setting),
            None => parsed.value.current.settings.push(setting),
        }
    }
    close(&mut parsed.value, open);
    parsed
}

fn close<'a>(config: &mut GuestConfig<'a>, section: Option<(&'a str, Section<'a>)>) {
    let Some((name, section)) = section else {
        return;
    };
    if name.eq_ignore_ascii_case("PENDING") || name.contains(':') {
        config.others.push((name, section));
    } else {
        config.snapshots.push((name, section));
    }
}

/// A setting's key, the sign behind it, and its value: `key: value`, or
/// `lxc.KEY = value`.
pub fn setting(line: &str) -> Option<(&str, char, &str)> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let at = |sign| {
        let (key, value) = line.split_once(sign)?;
        let key = key.trim();
        (!key.is_empty() && key.bytes().all(legal)).then(|| (key, sign, value.trim()))
    };
    at(':').or_else(|| at('=').filter(|(key, ..)| key.starts_with("lxc.")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sections_are_told_apart() {
        let parsed = parse(
            "#web front end\n#second line\nlock: backup\nscsi0: a:vm-1-disk-0,size=1G\n\n[PENDING]\nscsi1: a:vm-1-disk-1\n\n[before]\n#before the upgrade\nvmstate: a:vm-1-state-before\n[special:fleecing]\nfleecing-images: a:vm-1-fleece-0\nnonsense\n",
        );
        let config = &parsed.value;
        assert_eq!(config.current.get("lock"), Some("backup"));
        assert_eq!(config.description, ["web front end", "second line"]);
        assert_eq!(config.snapshots.len(), 1);
        assert_eq!(config.snapshots[0].0, "before");
        let others: Vec<_> = config.others.iter().map(|(name, _)| *name).collect();
        assert_eq!(others, ["PENDING", "special:fleecing"]);
        assert_eq!(parsed.problems[0].line, 14);
        let last = config.others[1].1.settings.last().unwrap();
        assert_eq!((last.key, last.value, last.line), ("", "nonsense", 14));
    }

    #[test]
    fn containers_may_write_an_equals_sign() {
        let config =
            parse("lxc.mount.entry = /dev/pve/x data none\nmemory = 1\nlxc.cap.drop: a=b\n").value;
        let key_and_value = |key| config.current.get(key);
        assert_eq!(
            key_and_value("lxc.mount.entry"),
            Some("/dev/pve/x data none")
        );
        assert_eq!(key_and_value("lxc.cap.drop"), Some("a=b"));
        assert_eq!(key_and_value("memory"), None);
    }

    #[test]
    fn a_file_of_nothing_is_empty() {
        assert!(parse("").value.is_empty());
        assert!(parse("\0\0\0\n#text\n[snap]\n").value.is_empty());
        assert!(!parse("memory: 512\r\n").value.is_empty());
        assert_eq!(
            parse("memory: 512\r\n").value.current.get("memory"),
            Some("512")
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\PC|[\\[\\]#:,\\n]|scsi0|vmstate){0,60}") {
            parse(&text);
        }

        #[test]
        fn what_is_written_is_read_back(
            settings in prop::collection::vec(("[a-z][a-z0-9]{0,8}", "[!-~]([ -~]{0,20}[!-~])?"), 1..10),
            snapshots in prop::collection::vec("[a-z][a-z0-9_-]{1,10}", 0..4),
        ) {
            let body: String = settings.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
            let mut text = body.clone();
            for name in &snapshots {
                text += &format!("\n[{name}]\n{body}");
            }
            let config = parse(&text).value;
            let read = |section: &Section<'_>| -> Vec<(String, String)> {
                let settings = section.settings.iter();
                settings.map(|s| (s.key.to_owned(), s.value.to_owned())).collect()
            };
            prop_assert_eq!(read(&config.current), settings.clone());
            // `[pending]` is no snapshot, in any case.
            let expected = snapshots.iter().filter(|name| *name != "pending").count();
            prop_assert_eq!(config.snapshots.len(), expected);
            for (_, section) in &config.snapshots {
                prop_assert_eq!(read(section), settings.clone());
            }
        }
    }
}
