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
    text.strip_prefix('\u{feff}')
        .unwrap_or(text)
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_end_matches('\r')))
}
