//! `/etc/pve/datacenter.cfg`: the range that new VMIDs come from.

use super::{Parsed, lines};

/// The range of VMIDs that the cluster gives out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextIdRange {
    /// The lowest.
    pub lower: u64,
    /// One past the highest.
    pub upper: u64,
}

impl Default for NextIdRange {
    /// PVE's own: 100 up to 1,000,000 exclusive.
    fn default() -> Self {
        Self {
            lower: 100,
            upper: 1_000_000,
        }
    }
}

/// Reads `next-id: lower=…,upper=…`; a bound that is not set is PVE's own.
pub fn parse(text: &str) -> Parsed<NextIdRange> {
    let mut parsed = Parsed::new(NextIdRange::default());
    for (number, line) in lines(text) {
        let Some(value) = line.trim().strip_prefix("next-id:") else {
            continue;
        };
        for part in value
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let bound = part
                .split_once('=')
                .and_then(|(key, number)| Some((key, number.parse::<u64>().ok()?)));
            match bound {
                Some(("lower", bound)) => parsed.value.lower = bound,
                Some(("upper", bound)) => parsed.value.upper = bound,
                _ => parsed.problem(number, "expected `next-id: lower=NUMBER,upper=NUMBER`"),
            }
        }
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bounds_are_read_one_by_one() {
        assert_eq!(
            parse("keyboard: en-us\nnext-id: lower=200\n").value,
            NextIdRange {
                lower: 200,
                upper: 1_000_000
            }
        );
        assert_eq!(
            parse("next-id: upper=999999,lower=100\n").value,
            NextIdRange {
                lower: 100,
                upper: 999_999
            }
        );
        assert_eq!(parse("\nnext-id: lower=x\n").problems[0].line, 2);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\PC|next-id:|lower=|[0-9,\\n]){0,60}") {
            parse(&text);
        }
    }
}
