//! Which devices LVM looks at: `lvmconfig` for `devices/filter`,
//! `devices/global_filter` and `devices/scan_lvs`, described in lvm.conf(5).

use super::{Parsed, lines};

/// LVM's settings for the devices it scans. A setting is none where it was
/// not printed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LvmConfig {
    /// Patterns such as `r|/dev/zd.*|`, first match wins: `a` accepts, `r`
    /// rejects. This one holds for every LVM command.
    pub global_filter: Option<Vec<String>>,
    /// The same for commands that a user runs.
    pub filter: Option<Vec<String>>,
    /// Whether LVM looks for volume groups inside logical volumes, so inside
    /// guests' disks.
    pub scan_lvs: Option<bool>,
}

/// Reads `key=value` lines, `lvmconfig`'s or those of a `devices { … }`
/// section; other keys are passed over.
pub fn parse(text: &str) -> Parsed<LvmConfig> {
    let mut parsed = Parsed::new(LvmConfig::default());
    for (number, line) in lines(text) {
        let Some((key, value)) = setting(line) else {
            continue;
        };
        let understood = match key {
            "global_filter" => assign(&mut parsed.value.global_filter, strings(value)),
            "filter" => assign(&mut parsed.value.filter, strings(value)),
            "scan_lvs" => assign(&mut parsed.value.scan_lvs, flag(value)),
            _ => true,
        };
        if !understood {
            parsed.problem(number, format!("expected {}", expected(key)));
        }
    }
    parsed
}

fn expected(key: &str) -> &'static str {
    match key {
        "scan_lvs" => "scan_lvs=0 or scan_lvs=1",
        _ => "a list of patterns: [\"a|.*|\"]",
    }
}

/// `devices/filter = value` as `filter` and `value`; none for comments,
/// braces and blank lines.
fn setting(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let (key, value) = line.split_once('=')?;
    let key = key.trim();
    Some((key.strip_prefix("devices/").unwrap_or(key), value.trim()))
}

/// Stores a value that was understood and says whether it was.
fn assign<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    let understood = value.is_some();
    if understood {
        *slot = value;
    }
    understood
}

fn flag(value: &str) -> Option<bool> {
    match value {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// `["a|x|", "r|.*|"]`, `"a|x|"` or `[]`. A `\` stands for itself unless
/// before `"` or `\`.
fn strings(value: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = match value.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?,
        None => value,
    }
    .chars();
    loop {
        match rest.by_ref().find(|c| !c.is_whitespace() && *c != ',') {
            None => return Some(found),
            Some('"') => found.push(quoted(&mut rest)?),
            Some(_) => return None,
        }
    }
}

fn quoted(rest: &mut std::str::Chars<'_>) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            '"' => return Some(text),
            '\\' => match rest.next()? {
                c @ ('"' | '\\') => text.push(c),
                c => text.extend(['\\', c]),
            },
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn as_recorded() {
        let parsed = parse("global_filter=[\"a|.*|\"]\nfilter=[\"a|.*|\"]\nscan_lvs=0\n");
        let all = Some(vec!["a|.*|".to_owned()]);
        assert_eq!(
            parsed,
            Parsed::new(LvmConfig {
                global_filter: all.clone(),
                filter: all,
                scan_lvs: Some(false),
            })
        );
    }

    #[test]
    fn a_section_with_several_patterns() {
        let parsed = parse(
            "devices {\r\n\t# filter = [ \"x\" ]\r\n\
             \tglobal_filter = [ \"r|/dev/zd.*|\", \"r|/dev/mapper/.*-vm--[0-9]+--disk|\" ]\r\n\
             \tscan_lvs=1\r\n\tdir=\"/dev\"\r\n}\r\n",
        );
        assert_eq!(parsed.problems, []);
        assert_eq!(
            parsed.value.global_filter.unwrap(),
            ["r|/dev/zd.*|", "r|/dev/mapper/.*-vm--[0-9]+--disk|"]
        );
        assert_eq!(
            (parsed.value.filter, parsed.value.scan_lvs),
            (None, Some(true))
        );
    }

    #[test]
    fn full_names_single_strings_and_bad_values() {
        let parsed =
            parse("devices/filter=\"a/x\\\"\\.y/\"\nglobal_filter=[\"a|.*|\"\nscan_lvs=maybe\n");
        assert_eq!(parsed.value.filter.unwrap(), ["a/x\"\\.y/"]);
        assert_eq!(
            (parsed.value.global_filter, parsed.value.scan_lvs),
            (None, None)
        );
        let at: Vec<usize> = parsed.problems.iter().map(|p| p.line).collect();
        assert_eq!(at, [2, 3]);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            parse(&text);
            parse(&format!("filter={text}"));
        }

        #[test]
        fn printed_patterns_come_back(patterns in prop::collection::vec("[ -~]{0,20}", 0..5)) {
            let quoted: Vec<String> = patterns
                .iter()
                .map(|p| format!("\"{}\"", p.replace('\\', "\\\\").replace('"', "\\\"")))
                .collect();
            let parsed = parse(&format!("filter=[{}]", quoted.join(",")));
            prop_assert_eq!(parsed.value.filter, Some(patterns));
        }
    }
}
