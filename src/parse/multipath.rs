//! Multipath devices and their paths: `multipath -ll`.

use super::{DevNo, Parsed, holders::dm_minor, lines};

/// A multipath device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Multipath {
    /// Its alias, or its WWID if it has none: the device-mapper name.
    pub name: String,
    /// The disk's world-wide identifier; none where it is the name.
    pub wwid: Option<String>,
    /// The `N` of `dm-N`; the major number isn't printed.
    pub minor: u32,
    /// The paths, in the order of their groups.
    pub paths: Vec<Path>,
}

/// One way to the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Host, channel, target and LUN: `2:0:0:1`; `#:#:#:#` for a path that is
    /// gone.
    pub hctl: String,
    /// The device's kernel name; none for a path that is gone.
    pub name: Option<String>,
    /// The device's number; none for a path that is gone.
    pub devno: Option<DevNo>,
    /// What the kernel makes of it: `active`, `failed` or `undef`.
    pub dm_state: String,
    /// What the path checker makes of it: `ready`, `ghost`, `faulty`,
    /// `shaky`, `i/o pending`, …
    pub checker: String,
    /// The device's own state, `running`, `offline`, …; none in the output of
    /// old releases.
    pub device_state: Option<String>,
}

impl Path {
    /// Whether input and output can go this way.
    pub fn is_usable(&self) -> bool {
        self.dm_state == "active" && matches!(self.checker.as_str(), "ready" | "ghost")
    }
}

/// Reads `multipath -ll`:
///
/// ```text
/// mpatha (36001405f0a3) dm-3 LIO-ORG,disk
/// size=10G features='0' hwhandler='1 alua' wp=rw
/// |-+- policy='service-time 0' prio=50 status=active
/// | `- 2:0:0:1 sdb 8:16 active ready running
/// `-+- policy='service-time 0' prio=10 status=enabled
///   `- 3:0:0:1 sdc 8:32 failed faulty running
/// ```
///
/// Also with an action before the name (`reload: mpatha …`) and with the
/// brackets of releases before 0.4.9. Lines of another kind are passed over.
pub fn parse(text: &str) -> Parsed<Vec<Multipath>> {
    let mut parsed = Parsed::new(Vec::<Multipath>::new());
    // Paths behind a header that was not understood are nobody's.
    let mut in_device = false;
    for (number, line) in lines(text) {
        let in_tree = line.starts_with(['|', '`', '\\', '[', ' ']);
        // Messages: `Nov 23 19:15:01 | sdc: …`; properties: `size=…`.
        if line.trim().is_empty() || (!in_tree && line.contains(" | ")) || line.starts_with("size=")
        {
            continue;
        }
        if !in_tree {
            let device = header(line);
            in_device = device.is_some();
            if device.is_none() {
                parsed.problem(
                    number,
                    "expected a multipath device: NAME (WWID) dm-N VENDOR,PRODUCT",
                );
            }
            parsed.value.extend(device);
            continue;
        }
        let row = line.trim_start_matches(['|', '`', '\\', '_', '-', '+', ' ']);
        if !is_hctl(row.split(' ').next().unwrap_or_default()) {
            continue;
        }
        match (path(row), parsed.value.last_mut()) {
            (Some(path), Some(device)) if in_device => device.paths.push(path),
            (Some(_), _) => parsed.problem(number, "a path without a multipath device above it"),
            (None, _) => parsed.problem(
                number,
                "expected a path: H:C:T:L NAME MAJOR:MINOR STATE CHECKER",
            ),
        }
    }
    parsed
}

fn header(line: &str) -> Option<Multipath> {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    if words.first()?.ends_with(':') {
        words.remove(0);
    }
    let (at, minor) = words
        .iter()
        .enumerate()
        .skip(1)
        .find_map(|(at, word)| dm_minor(word).map(|minor| (at, minor)))?;
    let wwid = words.get(1..at)?.join(" ");
    Some(Multipath {
        name: (*words.first()?).to_owned(),
        wwid: wwid
            .strip_prefix('(')
            .and_then(|wwid| wwid.strip_suffix(')'))
            .map(str::to_owned),
        minor,
        paths: Vec::new(),
    })
}

/// `2:0:0:1`, or `#:#:#:#`.
fn is_hctl(word: &str) -> bool {
    let is_part =
        |part: &str| part == "#" || (!part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    word.split(':').count() == 4 && word.split(':').all(is_part)
}

fn path(row: &str) -> Option<Path> {
    let row = row.replace(['[', ']'], " ");
    let words: Vec<&str> = row.split_whitespace().collect();
    let [hctl, name, devno, dm_state, rest @ ..] = words.as_slice() else {
        return None;
    };
    // Checker states may hold a blank (`i/o pending`); the device's state is
    // the last word of those that have both.
    let (checker, device_state) = match rest {
        [] => return None,
        ["i/o", second] => (format!("i/o {second}"), None),
        [checker] => ((*checker).to_owned(), None),
        [checker @ .., state] => (checker.join(" "), Some((*state).to_owned())),
    };
    Some(Path {
        hctl: (*hctl).to_owned(),
        name: (*name != "-").then(|| (*name).to_owned()),
        devno: devno.parse().ok(),
        dm_state: (*dm_state).to_owned(),
        checker,
        device_state,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "\
mpatha (3600508b400105e210000900000490000) dm-2 HP,HSV300
size=10G features='1 queue_if_no_path' hwhandler='1 alua' wp=rw
|-+- policy='service-time 0' prio=50 status=active
| |- 2:0:0:1 sdb 8:16 active ready running
| `- 4:0:0:1 sdd 8:48 active i/o pending running
`-+- policy='service-time 0' prio=10 status=enabled
  |- 3:0:0:1 sdc 8:32 failed faulty offline
  `- #:#:#:# -   #:#  failed undef unknown
36001405a2c3d dm-11 LIO-ORG,disk two
size=1.0G features='0' hwhandler='0' wp=rw
`-+- policy='round-robin 0' prio=1 status=active
  `- 0:1:1:1 nvme0n1 259:0 active ready running
";

    #[test]
    fn devices_and_paths() {
        let parsed = parse(TEXT);
        assert_eq!(parsed.problems, []);
        let [first, second] = parsed.value.as_slice() else {
            panic!("{:?}", parsed.value)
        };
        assert_eq!((first.name.as_str(), first.minor), ("mpatha", 2));
        assert_eq!(
            first.wwid.as_deref(),
            Some("3600508b400105e210000900000490000")
        );
        let paths: Vec<_> = first
            .paths
            .iter()
            .map(|p| {
                (
                    p.name.as_deref(),
                    p.dm_state.as_str(),
                    p.checker.as_str(),
                    p.device_state.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            paths,
            [
                (Some("sdb"), "active", "ready", Some("running")),
                (Some("sdd"), "active", "i/o pending", Some("running")),
                (Some("sdc"), "failed", "faulty", Some("offline")),
                (None, "failed", "undef", Some("unknown")),
            ]
        );
        assert_eq!(first.paths[0].devno, "8:16".parse().ok());
        assert_eq!(
            (first.paths[3].hctl.as_str(), first.paths[3].devno),
            ("#:#:#:#", None)
        );
        let usable: Vec<bool> = first.paths.iter().map(Path::is_usable).collect();
        assert_eq!(usable, [true, false, false, false]);
        assert_eq!(
            (second.name.as_str(), &second.wwid, second.minor),
            ("36001405a2c3d", &None, 11)
        );
        assert_eq!(second.paths.len(), 1);
    }

    #[test]
    fn old_brackets_actions_and_messages() {
        let parsed = parse(
            "Nov 23 19:15:01 | sdc: prio = const\r\n\
             reload: mpathb (360a98000) dm-4 NETAPP,LUN\r\n\
             [size=20G][features=0][hwhandler=0]\r\n\
             \\_ round-robin 0 [prio=1][active]\r\n \
             \\_ 2:0:0:1 sdb 8:16 [active][ready]\r\n \
             \\_ 3:0:0:1 sdc 8:32 [failed][faulty]\r\n",
        );
        assert_eq!(parsed.problems, []);
        assert_eq!(parsed.value.len(), 1);
        assert_eq!(parsed.value[0].name, "mpathb");
        let paths: Vec<_> = parsed.value[0]
            .paths
            .iter()
            .map(|p| {
                (
                    p.name.as_deref().unwrap(),
                    p.dm_state.as_str(),
                    p.checker.as_str(),
                    p.device_state.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            paths,
            [
                ("sdb", "active", "ready", None),
                ("sdc", "failed", "faulty", None)
            ]
        );
    }

    #[test]
    fn stray_lines_are_problems() {
        let parsed = parse(
            "  `- 2:0:0:1 sdb 8:16 active ready running\nsomething else\n`- 2:0:0:1 sdb 8:16 active ready running\nmpatha (3600) dm-2 A,B\n|- 2:0:0:1 sdb\n",
        );
        assert_eq!(parsed.value.len(), 1);
        let at: Vec<usize> = parsed.problems.iter().map(|p| p.line).collect();
        assert_eq!(at, [1, 2, 3, 5]);
        assert_eq!(parse(""), Parsed::default());
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>(), rest in "(mpatha|\\(36\\)| |dm-[0-9]|\n|[|`_-]|2:0:0:1|8:16|active|i/o|\\[|\\]|:){0,40}") {
            parse(&text);
            parse(&rest);
        }

        #[test]
        fn printed_devices_come_back(devices in prop::collection::vec(("mpath[a-z]{1,3}", "3[0-9a-f]{8,32}", 0u32..256, prop::collection::vec(("sd[a-z]{1,2}", 0u32..256), 0..5)), 0..6)) {
            let mut text = String::new();
            for (name, wwid, minor, paths) in &devices {
                text += &format!("{name} ({wwid}) dm-{minor} V,P\nsize=1G wp=rw\n`-+- policy='service-time 0' prio=1 status=active\n");
                for (path, path_minor) in paths {
                    text += &format!("  |- 1:0:0:{path_minor} {path} 8:{path_minor} active ready running\n");
                }
            }
            let parsed = parse(&text);
            prop_assert_eq!(&parsed.problems, &vec![]);
            let found: Vec<_> = parsed.value.into_iter().map(|d| {
                let paths = d.paths.into_iter().map(|p| (p.name.unwrap(), p.devno.unwrap().minor)).collect::<Vec<_>>();
                (d.name, d.wwid.unwrap(), d.minor, paths)
            }).collect();
            prop_assert_eq!(found, devices);
        }
    }
}
