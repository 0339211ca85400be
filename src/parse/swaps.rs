//! Swap areas: `/proc/swaps`.

use super::{Parsed, lines, mountinfo::unescape_octal};

/// A swap area in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    /// The device's or file's path: `/dev/dm-0`.
    pub path: String,
    /// `partition` (any block device) or `file`.
    pub kind: String,
}

/// Reads `/proc/swaps`: a header, then `PATH TYPE SIZE USED PRIORITY`.
pub fn parse(text: &str) -> Parsed<Vec<Swap>> {
    let mut parsed = Parsed::new(Vec::new());
    for (number, line) in lines(text) {
        let mut words = line.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (None, ..) | (Some("Filename"), Some("Type"), _) => {}
            (Some(path), Some(kind), Some(size)) if size.parse::<u64>().is_ok() => {
                parsed.value.push(Swap {
                    path: unescape_octal(path),
                    kind: kind.to_owned(),
                });
            }
            _ => parsed.problem(number, "expected a swap area: PATH TYPE SIZE USED PRIORITY"),
        }
    }
    parsed
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_swap_is_only_a_header() {
        let parsed = parse("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
        assert_eq!(parsed, Parsed::default());
    }

    #[test]
    fn devices_and_files() {
        let parsed = parse(
            "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\r\n\
             /dev/dm-0                               partition\t8388604\t\t0\t\t-2\r\n\
             /var/swap\\040file file 1024 0 -3\r\nnonsense\r\n",
        );
        let found: Vec<(&str, &str)> = parsed
            .value
            .iter()
            .map(|swap| (swap.path.as_str(), swap.kind.as_str()))
            .collect();
        assert_eq!(
            found,
            [("/dev/dm-0", "partition"), ("/var/swap file", "file")]
        );
        assert_eq!(parsed.problems.len(), 1);
        assert_eq!(parsed.problems[0].line, 4);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            parse(&text);
        }
    }
}
