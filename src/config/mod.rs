//! `dmaudit.toml`: what a team knows and the bundles do not say. Thresholds,
//! findings that were looked at and are ignored for a time, and labels for
//! customers and sites.

mod ignore;
mod label;
mod thresholds;

use std::fs;
use std::path::Path;

use serde::Deserialize;

pub use ignore::{About, Ignore};
pub use label::{Label, Labels};
pub use thresholds::Thresholds;

/// The most bytes of a configuration that are read.
const MOST_BYTES: u64 = 4 << 20;

/// Says whether a check of this name exists.
pub type IsCheck = fn(&str) -> bool;

/// A configuration. The default one changes nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// Numbers from which something counts as a finding.
    pub thresholds: Thresholds,
    /// Findings that are set aside.
    pub ignore: Vec<Ignore>,
    /// Whose nodes these are, and where they stand.
    pub labels: Vec<Label>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    thresholds: thresholds::Raw,
    #[serde(default)]
    ignore: Vec<toml::Spanned<ignore::Raw>>,
    #[serde(default)]
    label: Vec<toml::Spanned<label::Raw>>,
}

impl Config {
    /// Reads the configuration in a file.
    ///
    /// # Errors
    ///
    /// A line for the user: the file, the line in it, what was expected.
    pub fn read(path: &Path, is_check: IsCheck) -> Result<Self, String> {
        let named = |error: String| format!("{}: {error}", path.display());
        let size = fs::metadata(path).map_err(|error| named(error.to_string()))?;
        if size.len() > MOST_BYTES {
            return Err(named(format!(
                "{} bytes are too many for a configuration; expected at most {MOST_BYTES}",
                size.len()
            )));
        }
        let text = fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
        Self::parse(&text, is_check).map_err(named)
    }

    /// Reads the text of a configuration.
    ///
    /// # Errors
    ///
    /// The line, and what was expected there.
    pub fn parse(text: &str, is_check: IsCheck) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            format!("line {}: {}", line(text, at), error.message().trim())
        })?;
        let at = |span: std::ops::Range<usize>| {
            let number = line(text, span.start);
            (number, move |error: String| {
                format!("line {number}: {error}")
            })
        };
        let ignore = file.ignore.into_iter().map(|raw| {
            let (number, named) = at(raw.span());
            raw.into_inner().checked(number, is_check).map_err(named)
        });
        let labels = file.label.into_iter().map(|raw| {
            let (_, named) = at(raw.span());
            raw.into_inner().checked().map_err(named)
        });
        Ok(Self {
            ignore: ignore.collect::<Result<_, _>>()?,
            labels: labels.collect::<Result<_, _>>()?,
            thresholds: file
                .thresholds
                .checked()
                .map_err(|error| format!("[thresholds]: {error}"))?,
        })
    }
}

/// The number of the line in which this byte stands.
fn line(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    memchr::memchr_iter(b'\n', before).count() + 1
}

/// A pattern for names: `*` stands for any characters, `?` for one, `[ab]`
/// for one of these.
fn pattern(key: &str, text: Option<&str>) -> Result<Option<glob::Pattern>, String> {
    text.map(glob::Pattern::new).transpose().map_err(|error| {
        format!("{key} = {:?} is no pattern ({}); expected a name in which `*` and `?` stand for any characters and `[*]` for an asterisk", text.unwrap_or_default(), error.msg)
    })
}

/// Whether a pattern fits a name; one that is not given fits all.
fn fits(pattern: Option<&glob::Pattern>, name: Option<&str>) -> bool {
    pattern.is_none_or(|pattern| name.is_some_and(|name| pattern.matches(name)))
}
