//! What Proxmox VE is installed: `pveversion` and `pveversion --verbose`.

use super::{Parsed, lines};
use std::collections::BTreeMap;

/// The installed release and its packages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PveVersion {
    /// The version of `pve-manager`, which is the release people speak of:
    /// `8.2.4`, on older releases `6.4-13`.
    pub manager: Option<String>,
    /// The running kernel's release: `6.8.12-1-pve`.
    pub running_kernel: Option<String>,
    /// Installed packages and their versions; only the verbose form has them.
    pub packages: BTreeMap<String, String>,
}

/// Reads the verbose form, a line per package
/// (`pve-manager: 8.2.4 (running version: 8.2.4/faa83925c9641325)`), or the
/// short one (`pve-manager/8.2.4/faa83925c9641325 (running kernel: …)`).
///
/// Packages that are not installed have words in place of a version
/// (`residual config`, `not correctly installed`) and are passed over.
pub fn parse(text: &str) -> Parsed<PveVersion> {
    let mut parsed = Parsed::new(PveVersion::default());
    for (number, line) in lines(text) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if let Some(kernel) = between(line, "(running kernel: ", ")") {
            parsed.value.running_kernel = Some(kernel.to_owned());
        }
        if let Some(short) = line.strip_prefix("pve-manager/") {
            parsed.value.manager = short
                .split(['/', ' '])
                .next()
                .filter(|version| starts_with_digit(version))
                .map(str::to_owned);
            continue;
        }
        let Some((package, rest)) = line.split_once(": ") else {
            parsed.problem(
                number,
                "expected a package and its version: PACKAGE: VERSION",
            );
            continue;
        };
        let version = rest.split_whitespace().next().unwrap_or_default();
        if starts_with_digit(version) {
            parsed
                .value
                .packages
                .insert(package.trim().to_owned(), version.to_owned());
        }
    }
    if let Some(version) = parsed.value.packages.get("pve-manager") {
        parsed.value.manager = Some(version.clone());
    }
    parsed
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(open)?;
    Some(rest.split_once(close)?.0)
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// A version's leading numbers, for comparing: `6.4-13` is 6, 4, 13, and so is
/// `6.4-13~bpo1`. Zeros at the end make no difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(Vec<u64>);

impl Version {
    /// Reads the numbers up to the first part that is none; a Debian epoch
    /// (`1:`) is left out. None if the text starts with no number.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.split_once(':').map_or(text, |(_epoch, rest)| rest);
        let mut numbers = Vec::new();
        for part in text.trim().split(['.', '-']).take(8) {
            let end = part.find(|c: char| !c.is_ascii_digit());
            let digits = part.get(..end.unwrap_or(part.len()))?;
            match digits.parse() {
                Ok(number) => numbers.push(number),
                Err(_) => break,
            }
            if end.is_some() {
                break;
            }
        }
        if numbers.is_empty() {
            return None;
        }
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        Some(Self(numbers))
    }

    /// The first number: 8 of `8.2.4`.
    pub fn major(&self) -> u64 {
        self.0.first().copied().unwrap_or(0)
    }

    /// Whether this is the `other` version or a later one; false if `other`
    /// is no version.
    pub fn at_least(&self, other: &str) -> bool {
        Self::parse(other).is_some_and(|other| *self >= other)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn verbose() {
        let parsed = parse(
            "proxmox-ve: 8.2.0 (running kernel: 6.1.0-56-cloud-amd64)\r\n\
             pve-manager: 8.2.4 (running version: 8.2.4/faa83925c9641325)\r\n\
             lvm2: 2.03.16-2\r\n\
             pve-kernel-helper: not correctly installed\r\n\
             pve-kernel-5.15: residual config\r\n\r\n\
             what is this\r\n",
        );
        let value = parsed.value;
        assert_eq!(value.manager.as_deref(), Some("8.2.4"));
        assert_eq!(
            value.running_kernel.as_deref(),
            Some("6.1.0-56-cloud-amd64")
        );
        let packages: Vec<_> = value
            .packages
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            packages,
            [
                ("lvm2", "2.03.16-2"),
                ("proxmox-ve", "8.2.0"),
                ("pve-manager", "8.2.4")
            ]
        );
        assert_eq!(parsed.problems.len(), 1);
        assert_eq!(parsed.problems[0].line, 7);
    }

    #[test]
    fn short() {
        let parsed = parse("pve-manager/8.2.4/faa83925c9641325 (running kernel: 6.8.12-1-pve)\n");
        assert_eq!(parsed.problems, []);
        assert_eq!(parsed.value.manager.as_deref(), Some("8.2.4"));
        assert_eq!(parsed.value.running_kernel.as_deref(), Some("6.8.12-1-pve"));
        assert!(parsed.value.packages.is_empty());
    }

    #[test]
    fn older_releases_have_a_dash() {
        let parsed = parse("pve-manager: 6.4-13 (running version: 6.4-13/9f411e79)\n");
        assert_eq!(parsed.value.manager.as_deref(), Some("6.4-13"));
    }

    #[test]
    fn versions_compare_by_number() {
        let version = |text: &str| Version::parse(text).unwrap();
        assert_eq!(version("8.2.4").major(), 8);
        assert_eq!(version("10.0").major(), 10);
        assert_eq!(version("0.9").major(), 0);
        for (text, other) in [
            ("8.2.4", "8.2.2"),
            ("8.2.2", "8.2.2"),
            ("8.10.0", "8.9.9"),
            ("9.0.3", "8.4.14"),
            ("8.2", "8.2.0"),
            ("6.4-13", "6.4-9"),
            ("2.03.16-2", "2.03.12"),
            ("1:9.2.0~rc1", "9.1"),
        ] {
            assert!(version(text).at_least(other), "{text} >= {other}");
        }
        for (text, other) in [
            ("8.2.1", "8.2.2"),
            ("8.1.10", "8.2.2"),
            ("7.4-17", "8.2.2"),
            ("8.2", "8.2.1"),
            ("2.03.11-2.1", "2.03.12"),
            ("8.2", "soon"),
        ] {
            assert!(!version(text).at_least(other), "{text} < {other}");
        }
        assert_eq!(Version::parse("residual"), None);
        assert_eq!(Version::parse(""), None);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            parse(&text);
            Version::parse(&text);
        }

        #[test]
        fn versions_order_as_their_numbers(a in any::<[u16; 4]>(), b in any::<[u16; 4]>()) {
            let print = |v: [u16; 4]| v.map(|n| n.to_string()).join(".");
            let (left, right) = (Version::parse(&print(a)).unwrap(), Version::parse(&print(b)).unwrap());
            prop_assert_eq!(left.cmp(&right), a.cmp(&b));
        }

        #[test]
        fn printed_packages_come_back(packages in prop::collection::btree_map("[a-z][a-z0-9-]{0,20}", "[0-9][0-9.~+-]{0,10}", 0..20)) {
            let text: String = packages.iter().map(|(name, version)| format!("{name}: {version}\n")).collect();
            prop_assert_eq!(parse(&text).value.packages, packages);
        }
    }
}
