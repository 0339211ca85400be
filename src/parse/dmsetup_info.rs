//! `dmsetup info`: a block of `Key: value` lines for each device.
//!
//! Source: libdm's `_display_info_long`, and recordings of LVM 2.03.16.

use super::{DevNo, Parsed, lines};

/// What `dmsetup info` says of one device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DmInfo<'a> {
    /// The device's name, as printed (characters outside libdevmapper's own
    /// set appear as `\xNN`).
    pub name: &'a str,
    /// Its UUID; none when it was created without.
    pub uuid: Option<&'a str>,
    /// Its number.
    pub devno: Option<DevNo>,
    /// Open count, if it was printed and is a number.
    pub open: Option<u32>,
    /// Whether it is suspended.
    pub suspended: bool,
    /// Whether it is read-only.
    pub read_only: bool,
    /// Whether it has a live table; none when that was not printed.
    pub live_table: Option<bool>,
    /// Whether LVM made it, where something other than the UUID tells.
    pub by_lvm: Option<bool>,
    /// The line (from 1) its block starts on.
    pub line: usize,
}

/// Reads the output of `dmsetup info`.
///
/// A block without `Name:` is reported and skipped; an unreadable value
/// leaves that field unknown and is reported.
pub fn parse(text: &str) -> Parsed<Vec<DmInfo<'_>>> {
    let mut parsed = Parsed::new(Vec::new());
    let mut current: Option<DmInfo<'_>> = None;
    for (number, line) in lines(text) {
        let colon = memchr::memchr(b':', line.as_bytes());
        let Some((key, value)) = colon.and_then(|at| line.split_at_checked(at)) else {
            if !line.trim().is_empty() && line.trim() != "No devices found" {
                parsed.problem(number, "expected `Key: value` of dmsetup info");
            }
            continue;
        };
        let value = value.get(1..).unwrap_or_default().trim();
        match key.trim() {
            "Name" => {
                parsed.value.extend(current.take());
                current = Some(DmInfo {
                    name: value,
                    line: number,
                    ..DmInfo::default()
                });
            }
            key => match current.as_mut() {
                Some(info) => {
                    if let Err(message) = field(info, key, value) {
                        parsed.problem(number, message);
                    }
                }
                None => parsed.problem(number, "expected `Name:` to open a device's block"),
            },
        }
    }
    parsed.value.extend(current);
    parsed.value.retain(|info| !info.name.is_empty());
    parsed
}

fn field<'a>(info: &mut DmInfo<'a>, key: &str, value: &'a str) -> Result<(), &'static str> {
    match key {
        "State" => {
            info.suspended = value.contains("SUSPENDED");
            info.read_only = value.contains("READ-ONLY");
        }
        "Tables present" => {
            let live = value == "LIVE" || value.split([' ', '&']).any(|word| word == "LIVE");
            info.live_table = Some(live);
        }
        "Open count" => {
            info.open = Some(
                value
                    .parse()
                    .map_err(|_| "expected a number as open count")?,
            );
        }
        "Major, minor" => {
            info.devno = Some(
                value
                    .parse()
                    .map_err(|_| "expected two numbers as `Major, minor`")?,
            );
        }
        "UUID" => info.uuid = (!value.is_empty()).then_some(value),
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    const TWO: &str = "\
Name:              pve-data
State:             ACTIVE (READ-ONLY)
Read Ahead:        256
Tables present:    LIVE
Open count:        0
Event number:      0
Major, minor:      254, 6
Number of targets: 1
UUID: LVM-qI2XpXd8NIWOZXTC892vFjhskE9CCRM71xouecr4m1DfiBiMyn1guCu38bVg3PdI-pool

Name:              pve-vm--101--disk--0-old
State:             SUSPENDED
Tables present:    None
Open count:        many
Major, minor:      254, 23
";

    #[test]
    fn blocks_become_devices() {
        let parsed = parse(TWO);
        let [pool, copy] = &parsed.value[..] else {
            panic!("{parsed:?}")
        };
        assert_eq!(pool.name, "pve-data");
        assert!(pool.read_only && !pool.suspended);
        assert_eq!(pool.live_table, Some(true));
        assert_eq!(pool.open, Some(0));
        assert_eq!(pool.devno, Some("254:6".parse().unwrap()));
        assert!(pool.uuid.unwrap().ends_with("-pool"));
        assert!(copy.suspended);
        assert_eq!(copy.live_table, Some(false));
        assert_eq!((copy.uuid, copy.open), (None, None));
        assert_eq!(parsed.problems.len(), 1);
        assert_eq!(parsed.problems[0].line, 14);
    }

    #[test]
    fn a_node_without_devices_is_empty() {
        assert_eq!(parse("No devices found\n"), Parsed::new(vec![]));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(Name:|UUID:|Open count:|[ -~\\n:,]|\\PC){0,60}") {
            parse(&text);
        }
    }
}
