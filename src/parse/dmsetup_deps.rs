//! `dmsetup deps` and `dmsetup ls`: what is below a device, and device
//! numbers by name.

use super::{DevNo, Parsed, lines, split_name};

/// Reads `dmsetup deps`: `name: N dependencies : (254, 2) (254, 1)`, with a tab.
pub fn parse(text: &str) -> Parsed<Vec<(&str, Vec<DevNo>)>> {
    let mut parsed = Parsed::new(Vec::new());
    for (number, line) in lines(text) {
        if line.trim().is_empty() || line.trim() == "No devices found" {
            continue;
        }
        let row = split_name(line).and_then(|(name, rest)| {
            let (_count, devices) = rest.split_once(':')?;
            let devices: Option<Vec<DevNo>> = devices
                .split(')')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| part.strip_prefix('(')?.parse().ok())
                .collect();
            Some((name, devices?))
        });
        match row {
            Some(row) => parsed.value.push(row),
            None => parsed.problem(number, "expected `name: N dependencies : (major, minor) …`"),
        }
    }
    parsed
}

/// Reads `dmsetup ls`: `name (254:6)`, with a tab, in older versions `(254, 6)`.
pub fn parse_ls(text: &str) -> Parsed<Vec<(&str, DevNo)>> {
    let mut parsed = Parsed::new(Vec::new());
    for (number, line) in lines(text) {
        if line.trim().is_empty() || line.trim() == "No devices found" {
            continue;
        }
        let row = line.rsplit_once('(').and_then(|(name, devno)| {
            let devno = devno.trim_end().strip_suffix(')')?.parse().ok()?;
            Some((name.trim_end(), devno))
        });
        match row {
            Some(row) => parsed.value.push(row),
            None => parsed.problem(number, "expected `name (major:minor)`"),
        }
    }
    parsed
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dependencies_are_listed() {
        let parsed = parse("p: 2 dependencies\t: (254, 1) (254, 0)\nz: 0 dependencies\t: \nx\n");
        assert_eq!(
            parsed.value,
            [
                (
                    "p",
                    vec!["254:1".parse().unwrap(), "254:0".parse().unwrap()]
                ),
                ("z", vec![]),
            ]
        );
        assert_eq!(parsed.problems[0].line, 3);
    }

    #[test]
    fn both_spellings_of_ls_are_read() {
        let parsed = parse_ls("a\t(254:6)\nb\t(253, 0)\nNo devices found\n");
        let numbers: Vec<_> = parsed.value.iter().map(|(_, n)| n.to_string()).collect();
        assert_eq!(numbers, ["254:6", "253:0"]);
        assert!(parsed.problems.is_empty());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\PC|[():, \\n0-9]){0,60}") {
            parse(&text);
            parse_ls(&text);
        }
    }
}
