//! Originals put back in place of stand-ins, in a report or a script that was
//! made from redacted bundles.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::io;

use super::names::Names;
use crate::report::csv::{lines, plain, safe};

/// How a text writes names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people: control characters are shown escaped.
    Text,
    /// JSON: names stand inside of strings.
    Json,
    /// HTML: names stand in texts and attributes.
    Html,
    /// Comma-separated values for a spreadsheet: no cell is a formula.
    Csv,
    /// A script for a shell: a name that needs quoting is refused.
    Script,
}

impl Form {
    /// The form of a text, by the name of its file and its first characters.
    pub fn of(name: &str, text: &str) -> Self {
        let start = text.trim_start();
        let ending = |ending: &str| name.ends_with(ending);
        if start.starts_with("#!") || ending(".sh") {
            Self::Script
        } else if ending(".csv") {
            Self::Csv
        } else if ending(".html") || start.starts_with("<!") || start.starts_with("<html") {
            Self::Html
        } else if ending(".json") || start.starts_with(['{', '[']) {
            Self::Json
        } else {
            Self::Text
        }
    }
}

/// Bytes that a line of a table may have, and that are read ahead.
const MOST_LINE: usize = 2 << 20;

/// Bytes of a table that are handed on together.
const PART: usize = 64 << 10;

/// Text that is read line by line: each may take what is left for it.
struct Lines<'a> {
    rest: &'a [u8],
    left: &'a Cell<usize>,
}

impl io::Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 && !self.rest.is_empty() {
            return Err(io::Error::other(format!(
                "a line has more than {MOST_LINE} bytes, and no table's has"
            )));
        }
        let most = buffer.len().min(left);
        let read = self.rest.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left.set(left - read);
        Ok(read)
    }
}

/// A mapping, ready to be looked up.
#[derive(Debug)]
pub struct Restorer {
    originals: HashMap<String, Original>,
    /// The lengths of the stand-ins that begin so, the longest first.
    lengths: HashMap<[u8; BEGINNING], Vec<usize>>,
}

/// Bytes by which most texts are no stand-in. None is shorter.
const BEGINNING: usize = 4;

#[derive(Debug)]
struct Original {
    text: String,
    /// Whether it may stand in a script without quotes.
    safe: bool,
}

impl Restorer {
    /// Prepares a mapping.
    pub fn new(names: &Names) -> Self {
        let mut originals = HashMap::new();
        for (stand_in, original) in names.iter() {
            let safe = !stand_in.ends_with('@') && is_harmless(original);
            let mut put = |stand_in: String, text: &str| {
                let text = text.to_owned();
                originals.insert(stand_in, Original { text, safe });
            };
            put(stand_in.to_owned(), original);
            let dashes = stand_in.matches('-').count();
            if dashes == 1 && stand_in.starts_with('x') {
                let doubled = original.replace('-', "--");
                put(stand_in.replace('-', "--"), &doubled);
            }
        }
        let mut lengths: HashMap<[u8; BEGINNING], BTreeSet<usize>> = HashMap::new();
        for stand_in in originals.keys() {
            if let Some(beginning) = stand_in.as_bytes().first_chunk() {
                lengths
                    .entry(*beginning)
                    .or_default()
                    .insert(stand_in.len());
            }
        }
        let lengths = lengths
            .into_iter()
            .map(|(beginning, lengths)| (beginning, lengths.into_iter().rev().collect()))
            .collect();
        Self { originals, lengths }
    }

    /// Puts the originals into a text.
    ///
    /// # Errors
    /// One line, where a script would get a name that needs quoting.
    pub fn restore(&self, text: &str, form: Form) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        self.restore_to(text, form, |part| {
            out.push_str(part);
            Ok(())
        })?;
        Ok(out)
    }

    /// As [`Restorer::restore`], handed on part by part.
    ///
    /// # Errors
    /// As [`Restorer::restore`], those of `put`, and one line where a table has
    /// a line that is longer than any table's.
    pub fn restore_to(
        &self,
        text: &str,
        form: Form,
        put: impl FnMut(&str) -> Result<(), String>,
    ) -> Result<(), String> {
        match form {
            Form::Csv => self.restore_table(text, put),
            _ => self.restore_names(text, form, put),
        }
    }

    /// Cell by cell: an original may have commas, quotes and line ends, and
    /// begin like a formula.
    fn restore_table(
        &self,
        text: &str,
        mut put: impl FnMut(&str) -> Result<(), String>,
    ) -> Result<(), String> {
        let fail = |error: csv::Error| error.to_string();
        let left = Cell::new(MOST_LINE);
        let mut builder = csv::ReaderBuilder::new();
        let rest = text.as_bytes();
        let mut reader = builder
            .has_headers(false)
            .flexible(true)
            .from_reader(Lines { rest, left: &left });
        let mut record = csv::StringRecord::new();
        let part = || lines().flexible(true).from_writer(Vec::new());
        let mut out = part();
        let mut is_last = false;
        while !is_last {
            is_last = !reader.read_record(&mut record).map_err(fail)?;
            left.set(MOST_LINE);
            if !is_last {
                for cell in &record {
                    out.write_field(self.cell(cell)?).map_err(fail)?;
                }
                out.write_record(None::<&[u8]>).map_err(fail)?;
            }
            if is_last || out.get_ref().len() > PART {
                let done = std::mem::replace(&mut out, part());
                let bytes = done.into_inner().map_err(|error| error.to_string())?;
                put(std::str::from_utf8(&bytes).map_err(|error| error.to_string())?)?;
            }
        }
        Ok(())
    }

    /// A cell with the originals in it, as a report writes it. Numbers stay
    /// numbers.
    fn cell(&self, cell: &str) -> Result<String, String> {
        if cell.is_empty() || cell.parse::<i64>().is_ok() {
            return Ok(cell.to_owned());
        }
        let mut restored = String::with_capacity(cell.len());
        self.restore_names(&plain(cell), Form::Csv, |part| {
            restored.push_str(part);
            Ok(())
        })?;
        Ok(safe(&restored))
    }

    fn restore_names(
        &self,
        text: &str,
        form: Form,
        mut put: impl FnMut(&str) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut rest = text;
        // Bytes of `rest` that stay as they are.
        let mut kept = 0;
        let mut word = false;
        loop {
            let (plain, here) = rest.split_at_checked(kept).unwrap_or((rest, ""));
            let Some(first) = here.chars().next() else {
                return put(plain);
            };
            let found = match !word || first == 'x' {
                true => self.at(here),
                false => None,
            };
            match found {
                Some((length, original)) => {
                    put(plain)?;
                    put(&written(original, form)?)?;
                    rest = here.get(length..).unwrap_or_default();
                    kept = 0;
                    // LVM's two UUIDs follow each other directly.
                    word = false;
                }
                None => {
                    word = first.is_ascii_alphanumeric();
                    kept += first.len_utf8();
                }
            }
        }
    }

    /// The longest stand-in that the text begins with.
    fn at(&self, text: &str) -> Option<(usize, &Original)> {
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return None;
        }
        let lengths = self.lengths.get(text.as_bytes().first_chunk()?)?;
        lengths.iter().find_map(|length| {
            let original = self.originals.get(text.get(..*length)?)?;
            Some((*length, original))
        })
    }

    /// The name of a file with the originals in it, as the report names
    /// files.
    ///
    /// # Errors
    /// One line, where an original can't be part of a file's name.
    pub fn file_name(&self, name: &str) -> Result<String, String> {
        self.restore(name, Form::Script)
    }
}

fn written(original: &Original, form: Form) -> Result<String, String> {
    let safe = original.safe;
    let original = original.text.as_str();
    Ok(match form {
        Form::Script if !safe => {
            return Err(format!(
                "it would get the name {}, which is not safe in a script or file name; use the \
                 one that is made from the original bundles",
                original.escape_debug()
            ));
        }
        // As it is: the whole cell is made safe.
        Form::Script | Form::Csv => original.to_owned(),
        Form::Text => crate::report::words::printable(original),
        Form::Json => {
            let quoted = serde_json::Value::from(original).to_string();
            let inner = quoted.len().saturating_sub(1);
            quoted.get(1..inner).unwrap_or_default().to_owned()
        }
        Form::Html => original
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#x27;"),
    })
}

/// An address, or the end of a name whose beginning was kept (`-zfs` of
/// `local-zfs`).
fn is_harmless(original: &str) -> bool {
    original.len() <= 127
        && !matches!(original, "." | "..")
        && original
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+_.-:".contains(&byte))
}
