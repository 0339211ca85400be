//! From text to facts: one file per format, pure functions, no knowledge of
//! bundles or of what the facts will be used for.
//!
//! Every parser takes the whole text of one command's output or one file and
//! returns [`Parsed`]: the facts it understood, and a [`Problem`] for every
//! line it did not. A bad line never loses the good ones beside it, and no
//! input makes a parser panic.

pub mod cluster_files;
pub mod corosync;
pub mod datacenter;
mod devno;
pub mod dmsetup_columns;
pub mod dmsetup_deps;
pub mod dmsetup_info;
pub mod dmsetup_table;
pub mod guest_config;
pub mod guest_list;
pub mod holders;
pub mod kernel_log;
pub mod lsblk;
pub mod lvm_json;
mod lvm_plain;
mod lvm_row;
mod lvm_rows;
pub mod lvm_table;
pub mod lvmconfig;
pub mod mountinfo;
pub mod multipath;
pub mod openers;
pub mod pvesm;
pub mod pveversion;
pub mod storage_cfg;
pub mod swaps;
pub mod system;
pub mod thin_status;

pub use devno::DevNo;

/// What a parser understood of a text, and what it did not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed<T> {
    /// The facts.
    pub value: T,
    /// Lines that were not understood, in the order of the text; at most
    /// [`MAX_PROBLEMS`].
    pub problems: Vec<Problem>,
}

/// A line of a text that a parser could not use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line number, from 1.
    pub line: usize,
    /// What was expected there.
    pub message: String,
}

/// At most this many problems are kept per text: a file of the wrong format
/// would otherwise have one for each of its lines.
pub const MAX_PROBLEMS: usize = 20;

impl<T> Parsed<T> {
    /// Facts without a problem so far.
    pub fn new(value: T) -> Self {
        Self {
            value,
            problems: Vec::new(),
        }
    }

    /// What becomes of the facts; the problems stay.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Parsed<U> {
        Parsed {
            value: convert(self.value),
            problems: self.problems,
        }
    }

    /// Notes that `line` (from 1) was not what the format allows.
    pub fn problem(&mut self, line: usize, message: impl Into<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem {
                line,
                message: message.into(),
            });
        }
    }
}

/// The lines of a text with their numbers (from 1), without line ends of
/// either kind and without a byte order mark.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut number = 0;
    std::iter::from_fn(move || {
        let end = memchr::memchr(b'\n', rest.as_bytes());
        let line = match end {
            Some(end) => {
                let (line, after) = rest.split_at_checked(end)?;
                rest = after.get(1..)?;
                line
            }
            None if rest.is_empty() => return None,
            None => std::mem::take(&mut rest),
        };
        number += 1;
        Some((number, line.trim_end_matches('\r')))
    })
}

/// Splits a line at its first `: `. A name of device-mapper may hold a colon,
/// but no blank: libdevmapper prints those as `\x20`.
fn split_name(line: &str) -> Option<(&str, &str)> {
    let mut colons = memchr::memchr_iter(b':', line.as_bytes());
    colons.find_map(|at| Some((line.get(..at)?, line.get(at + 1..)?.strip_prefix(' ')?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_are_those_of_the_standard_library(text in "(\u{feff})?([ab:]|: |\n|\r|\r\n|\\PC){0,20}") {
            let plain = text.strip_prefix('\u{feff}').unwrap_or(&text);
            let expected = plain.lines().map(|line| line.trim_end_matches('\r')).enumerate();
            prop_assert!(lines(&text).eq(expected.map(|(index, line)| (index + 1, line))));
            for (_, line) in lines(&text) {
                prop_assert_eq!(split_name(line), line.split_once(": "));
            }
        }
    }
}
