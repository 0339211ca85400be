//! `dmsetup table`: what each device maps to.
//!
//! A line is `name: start length target args`, in sectors of 512 bytes; a
//! device with several segments has several lines. Source: the kernel's
//! admin-guide/device-mapper pages, and recordings of Linux 6.1.

use super::{DevNo, Parsed, lines, split_name};

/// One segment of a device's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// First sector of the segment within the device.
    pub start: u64,
    /// Its length in sectors.
    pub length: u64,
    /// What it maps to.
    pub target: Target,
    /// The text after the name, as printed: `start length target args`.
    pub line: String,
}

/// What a segment maps to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// `linear DEVICE START`: sectors of a device, from `offset` on.
    Linear {
        /// The device below.
        device: DevNo,
        /// Its first sector that is mapped.
        offset: u64,
    },
    /// `thin POOL ID [EXTERNAL-ORIGIN]`: a volume of a thin pool.
    Thin {
        /// The pool's device.
        pool: DevNo,
        /// The volume's identity within the pool.
        id: u64,
        /// A read-only device outside the pool below it.
        origin: Option<DevNo>,
    },
    /// `thin-pool METADATA DATA …`.
    ThinPool {
        /// The device that holds the pool's metadata.
        metadata: DevNo,
        /// The device that holds its data.
        data: DevNo,
    },
    /// `striped COUNT CHUNK (DEVICE START)…`.
    Striped {
        /// The stripes: device and first sector.
        stripes: Vec<(DevNo, u64)>,
    },
    /// Any other target, with the devices its arguments name.
    Other {
        /// The target's name: `snapshot`, `multipath`, `crypt`, `raid`, ….
        kind: String,
        /// The devices named, in order.
        devices: Vec<DevNo>,
    },
}

impl Target {
    /// The devices below, in the table's order.
    pub fn devices(&self) -> impl Iterator<Item = DevNo> {
        let (first, second) = match self {
            Self::Linear { device, .. } => (Some(*device), None),
            Self::Thin { pool, origin, .. } => (Some(*pool), *origin),
            Self::ThinPool { metadata, data } => (Some(*metadata), Some(*data)),
            Self::Striped { .. } | Self::Other { .. } => (None, None),
        };
        let stripes = match self {
            Self::Striped { stripes } => &stripes[..],
            _ => &[],
        };
        let others = match self {
            Self::Other { devices, .. } => &devices[..],
            _ => &[],
        };
        first
            .into_iter()
            .chain(second)
            .chain(stripes.iter().map(|(device, _)| *device))
            .chain(others.iter().copied())
    }
}

/// A line of `dmsetup table` or `dmsetup status`, split but not understood
/// further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The device's name.
    pub name: &'a str,
    /// First sector within the device.
    pub start: u64,
    /// Length in sectors.
    pub length: u64,
    /// The target's name.
    pub kind: &'a str,
    /// What follows it.
    pub args: &'a str,
    /// The text after the name.
    pub line: &'a str,
}

/// Splits the lines of `dmsetup table` or `dmsetup status`. A device without
/// a table prints its name and nothing else: it has no row.
pub fn rows(text: &str) -> Parsed<Vec<Row<'_>>> {
    let mut parsed = Parsed::new(Vec::new());
    for (number, line) in lines(text) {
        if line.trim().is_empty() || line.trim() == "No devices found" {
            continue;
        }
        let Some((name, rest)) =
            split_name(line).or_else(|| line.strip_suffix(':').map(|name| (name, "")))
        else {
            parsed.problem(number, "expected `name: start length target …`");
            continue;
        };
        let rest = rest.trim();
        if rest.is_empty() {
            continue;
        }
        let mut words = rest.splitn(4, ' ');
        let numbers = (
            words.next().and_then(|word| word.parse::<u64>().ok()),
            words.next().and_then(|word| word.parse::<u64>().ok()),
        );
        match (numbers, words.next()) {
            ((Some(start), Some(length)), Some(kind)) => parsed.value.push(Row {
                name,
                start,
                length,
                kind,
                args: words.next().unwrap_or_default(),
                line: rest,
            }),
            _ => parsed.problem(number, "expected `name: start length target …`"),
        }
    }
    parsed
}

/// Reads the output of `dmsetup table`: names with their segments, in the
/// output's order.
pub fn parse(text: &str) -> Parsed<Vec<(&str, Segment)>> {
    let rows = rows(text);
    Parsed {
        value: rows
            .value
            .into_iter()
            .map(|row| {
                let segment = Segment {
                    start: row.start,
                    length: row.length,
                    target: target(row.kind, row.args),
                    line: without_key(&row),
                };
                (row.name, segment)
            })
            .collect(),
        problems: rows.problems,
    }
}

/// Whether a target's table holds a key: those of Linux, and those that other
/// kernels have for encryption in hardware, however they are written.
pub fn holds_key(kind: &str) -> bool {
    let keyed = ["crypt", "integrity", "inlinecrypt", "default-key"];
    keyed
        .iter()
        .any(|keyed| kind.trim().eq_ignore_ascii_case(keyed))
}

/// The row's text with zeros for the key of a `crypt CIPHER KEY …`, as dmsetup
/// prints it unless told `--showkeys`, and for those of `integrity`
/// (`internal_hash:hmac(sha256):KEY`), which dmsetup always prints. A key of
/// the kernel's keyring (`:…`) is named there, not told.
fn without_key(row: &Row) -> String {
    let kind = row.line.split_whitespace().nth(2).unwrap_or_default();
    if !holds_key(kind) {
        return row.line.to_owned();
    }
    let is_integrity = kind.eq_ignore_ascii_case("integrity");
    let zeros = |key: &str| "0".repeat(key.chars().count());
    let words = row.line.split_whitespace().enumerate();
    let hidden = words.map(|(place, word)| match is_integrity {
        false if place == 4 && word != "-" && !word.starts_with(':') => zeros(word),
        true => match word.splitn(3, ':').collect::<Vec<_>>()[..] {
            [
                option @ ("internal_hash" | "journal_crypt" | "journal_mac"),
                algorithm,
                key,
            ] => format!("{option}:{algorithm}:{}", zeros(key)),
            _ => word.to_owned(),
        },
        _ => word.to_owned(),
    });
    hidden.collect::<Vec<_>>().join(" ")
}

fn target(kind: &str, args: &str) -> Target {
    let words = args.split_ascii_whitespace();
    known(kind, words.clone()).unwrap_or_else(|| Target::Other {
        kind: kind.to_owned(),
        devices: words.filter_map(device).collect(),
    })
}

fn known<'a>(kind: &str, mut words: impl Iterator<Item = &'a str>) -> Option<Target> {
    match kind {
        "linear" => Some(Target::Linear {
            device: device(words.next()?)?,
            offset: words.next()?.parse().ok()?,
        }),
        "thin" => Some(Target::Thin {
            pool: device(words.next()?)?,
            id: words.next()?.parse().ok()?,
            origin: words.next().and_then(device),
        }),
        "thin-pool" => Some(Target::ThinPool {
            metadata: device(words.next()?)?,
            data: device(words.next()?)?,
        }),
        "striped" => {
            let (count, _chunk) = (words.next()?, words.next()?);
            let stripes: Vec<&str> = words.collect();
            let stripes = stripes
                .chunks_exact(2)
                .map(|pair| match pair {
                    [below, offset] => Some((device(below)?, offset.parse().ok()?)),
                    _ => None,
                })
                .collect::<Option<Vec<_>>>()?;
            (count.parse() == Ok(stripes.len())).then_some(Target::Striped { stripes })
        }
        _ => None,
    }
}

/// A word that is exactly `major:minor`.
fn device(word: &str) -> Option<DevNo> {
    let at = word.bytes().position(|byte| byte == b':')?;
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let number = |part: &str| digits(part).then(|| part.parse().ok())?;
    Some(DevNo {
        major: number(word.get(..at)?)?,
        minor: number(word.get(at + 1..)?)?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn dev(text: &str) -> DevNo {
        text.parse().unwrap()
    }

    #[test]
    fn targets_are_understood() {
        let parsed = parse(
            "a: 0 65536 linear 253:32 2048\n\
             a: 65536 32768 linear 253:32 198656\n\
             b: 0 131072 thin 254:2 2\n\
             p: 0 1024000 thin-pool 254:0 254:1 128 0 0 \n\
             s: 0 100 striped 2 128 8:0 2048 8:16 4096\n\
             m: 0 100 multipath 1 queue_if_no_path 0 1 1 service-time 0 2 2 8:0 1 1 8:16 1 1\n\
             empty: \nnone:\nbad line\n",
        );
        let targets: Vec<_> = parsed.value.iter().map(|(_, s)| s.target.clone()).collect();
        assert_eq!(
            targets[..4],
            [
                Target::Linear {
                    device: dev("253:32"),
                    offset: 2048
                },
                Target::Linear {
                    device: dev("253:32"),
                    offset: 198_656
                },
                Target::Thin {
                    pool: dev("254:2"),
                    id: 2,
                    origin: None
                },
                Target::ThinPool {
                    metadata: dev("254:0"),
                    data: dev("254:1")
                },
            ]
        );
        assert_eq!(
            targets[4],
            Target::Striped {
                stripes: vec![(dev("8:0"), 2048), (dev("8:16"), 4096)]
            }
        );
        assert!(targets[5].devices().eq([dev("8:0"), dev("8:16")]));
        assert_eq!(parsed.value[1].1.line, "65536 32768 linear 253:32 198656");
        assert_eq!(parsed.problems.len(), 1);
        assert_eq!(parsed.problems[0].line, 9);
    }

    #[test]
    fn a_stripe_count_that_lies_is_not_believed() {
        let parsed = parse("s: 0 100 striped 3 128 8:0 2048 8:16 4096\n");
        assert!(
            matches!(&parsed.value[0].1.target, Target::Other { kind, .. } if kind == "striped")
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\PC|: |0|linear|thin|striped|[0-9: \\n]){0,60}") {
            parse(&text);
        }
    }

    #[test]
    fn keys_are_zeros() {
        let line = |text: &str| parse(text).value.remove(0).1.line;
        assert_eq!(
            line(
                "i: 0 8 integrity 8:1 0 32 J 3 internal_hash:hmac(sha256):c0ffee journal_mac:crc32c journal_crypt:ctr(aes):beef\n"
            ),
            "0 8 integrity 8:1 0 32 J 3 internal_hash:hmac(sha256):000000 journal_mac:crc32c journal_crypt:ctr(aes):0000"
        );
        assert_eq!(
            line("c: 0 8 crypt aes-xts-plain64 c0ffee 0 8:1 4096\n"),
            "0 8 crypt aes-xts-plain64 000000 0 8:1 4096"
        );
        for key in ["-", ":32:logon:cryptsetup:x"] {
            let text = format!("0 8 crypt aes-xts-plain64 {key} 0 8:1 4096");
            assert_eq!(line(&format!("c: {text}\n")), text);
        }
    }
}
