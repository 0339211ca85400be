//! Block devices on top of other block devices:
//! `/sys/block/<device>/holders/<holder>`.

use super::{Parsed, lines};

/// A block device that is held by another one in the kernel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// The held device's kernel name: `dm-0`, `sda3`.
    pub device: String,
    /// The kernel name of the device on top: `dm-2`, `md0`.
    pub holder: String,
}

/// Reads a listing of `/sys/block/*/holders/*` paths, one per line.
pub fn parse(text: &str) -> Parsed<Vec<Holder>> {
    let mut parsed = Parsed::new(Vec::new());
    for (number, line) in lines(text) {
        // A shell prints its pattern where nothing matches it.
        if line.trim().is_empty() || line.contains('*') {
            continue;
        }
        match holder(line) {
            Some(holder) => parsed.value.push(holder),
            None => parsed.problem(number, "expected /sys/block/DEVICE/holders/HOLDER"),
        }
    }
    parsed
}

fn holder(line: &str) -> Option<Holder> {
    let (device, holder) = line.trim().split_once("/holders/")?;
    let device = device.rsplit('/').next()?;
    let is_name = |name: &str| !name.is_empty() && !name.contains(['/', ' ']);
    (is_name(device) && is_name(holder)).then(|| Holder {
        device: device.to_owned(),
        holder: holder.to_owned(),
    })
}

/// The minor number in a device-mapper device's kernel name: 7 of `dm-7`.
pub fn dm_minor(kernel_name: &str) -> Option<u32> {
    let digits = kernel_name.strip_prefix("dm-")?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text)
            .value
            .into_iter()
            .map(|h| (h.device, h.holder))
            .collect()
    }

    fn pair(device: &str, holder: &str) -> (String, String) {
        (device.to_owned(), holder.to_owned())
    }

    #[test]
    fn every_line_is_a_pair() {
        let text = "/sys/block/dm-0/holders/dm-2\r\n\n/sys/block/dm-13/holders/dm-22\n\
                    /sys/block/sda/sda3/holders/dm-1\n/sys/block/dm-4/holders/md0\n";
        assert_eq!(
            pairs(text),
            [
                pair("dm-0", "dm-2"),
                pair("dm-13", "dm-22"),
                pair("sda3", "dm-1"),
                pair("dm-4", "md0"),
            ]
        );
        assert_eq!(parse(text).problems, []);
    }

    #[test]
    fn a_pattern_without_a_match_is_nothing_and_other_text_a_problem() {
        assert_eq!(parse("/sys/block/dm-*/holders/*\n"), Parsed::default());
        let parsed =
            parse("/sys/block/dm-1/holders/dm-2\nls: cannot access\n/sys/block/dm-1/holders/\n");
        assert_eq!(parsed.value.len(), 1);
        let at: Vec<usize> = parsed.problems.iter().map(|p| p.line).collect();
        assert_eq!(at, [2, 3]);
    }

    #[test]
    fn minor_numbers_of_kernel_names() {
        assert_eq!(dm_minor("dm-17"), Some(17));
        for other in ["dm-", "dm-x", "dm-+1", "sda", "dm-99999999999", "adm-1"] {
            assert_eq!(dm_minor(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            parse(&text);
        }

        #[test]
        fn printed_pairs_come_back(names in prop::collection::vec(("[a-z]{1,4}-?[0-9]{0,3}", "[a-z]{1,4}-?[0-9]{0,3}"), 0..20)) {
            let text: String = names.iter().map(|(d, h)| format!("/sys/block/{d}/holders/{h}\n")).collect();
            prop_assert_eq!(pairs(&text), names);
        }
    }
}
