//! Facts as an input: where in a file each node's line is, so that memory
//! holds only the lines that are at work.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use rayon::prelude::*;

use super::Facts;
use super::line::Head;
pub use super::place::Spool;
use super::place::{BUFFER, Place, Rest};
use crate::bundle::{FactsStream, Limits, OpenError, Rejected};

/// Bytes of lines that are looked at together. A longer line is never held in
/// memory.
const AT_ONCE_BYTES: usize = 4 << 20;

/// A stream may unpack to so many times the bytes that a bundle may have.
const STREAM_LINES: u64 = 32;

/// Lines of one input that are named when they are rejected; the others are
/// counted.
const NAMED: usize = 20;

/// A node's line.
#[derive(Debug, Clone)]
pub struct Line {
    /// What it says of itself.
    pub head: Head,
    name: Arc<str>,
    number: u64,
    place: Place,
    offset: u64,
    length: u64,
}

impl Line {
    /// Its number in its file, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Its bytes.
    pub fn size(&self) -> u64 {
        self.length
    }

    /// Reads the node's facts.
    ///
    /// # Errors
    /// What is wrong with the line.
    pub fn read(&self) -> Result<Facts, Rejected> {
        let facts = match self.length > AT_ONCE_BYTES as u64 {
            true => Facts::from_line_of(|| self.place.open_large(self.offset, self.length)),
            false => {
                let mut line = Vec::with_capacity(usize::try_from(self.length).unwrap_or(0) + 1);
                let place = self.place.open(self.offset, self.length);
                place
                    .and_then(|mut bytes| bytes.read_to_end(&mut line))
                    .map_err(|error| format!("it can't be read: {error}"))
                    .and_then(|_| Facts::from_line(&line))
            }
        };
        facts.map_err(|error| rejected(&self.name, self.number, &error))
    }
}

fn rejected(name: &str, number: u64, error: &str) -> Rejected {
    Rejected {
        path: name.to_owned(),
        error: format!("line {number}: {error}"),
    }
}

/// Looks through facts for the nodes in them, called `name`.
pub fn scan(
    name: &str,
    stream: FactsStream,
    limits: &Limits,
    spool: &Arc<Spool>,
) -> (Vec<Line>, Vec<Rejected>) {
    let mut scan = Scan {
        name: name.into(),
        limits,
        number: 0,
        lines: Vec::new(),
        rejected: Vec::new(),
        more: 0,
    };
    match stream {
        FactsStream::File(path) => match File::open(&path) {
            Ok(file) => scan.all(file, &Place::File(Arc::new(path)), u64::MAX),
            Err(error) => scan.refuse(&format!("it can't be read: {error}")),
        },
        FactsStream::Passing(stream) => {
            let most = limits.total_bytes.saturating_mul(STREAM_LINES);
            scan.all(stream, &Place::Spool(Arc::clone(spool)), most);
        }
    }
    if scan.more > 0 {
        scan.rejected.push(Rejected {
            path: scan.name.to_string(),
            error: format!("{} more lines are rejected as well", scan.more),
        });
    }
    (scan.lines, scan.rejected)
}

struct Scan<'a> {
    name: Arc<str>,
    limits: &'a Limits,
    number: u64,
    lines: Vec<Line>,
    rejected: Vec<Rejected>,
    /// Rejected lines that are not named.
    more: u64,
}

/// A line that was read: its number, its offset where it can be read again,
/// and itself.
type Found = (u64, u64, Vec<u8>);

impl Scan<'_> {
    /// Says that the rest is not read.
    fn refuse(&mut self, error: &str) {
        let error = match self.number {
            0 => error.to_owned(),
            number => format!("after line {number}: {error}"),
        };
        self.rejected.push(Rejected {
            path: self.name.to_string(),
            error,
        });
    }

    /// Says that a line is not used.
    fn reject(&mut self, number: u64, error: &str) {
        if self.rejected.len() < NAMED {
            let rejected = rejected(&self.name, number, error);
            self.rejected.push(rejected);
        } else {
            self.more += 1;
        }
    }

    /// Bytes that one line may have.
    fn longest(&self) -> u64 {
        self.limits.total_bytes / 8 * 5
    }

    fn all(&mut self, stream: impl Read, place: &Place, most: u64) {
        let mut reader = BufReader::with_capacity(BUFFER, stream);
        let held = self.longest().min(AT_ONCE_BYTES as u64);
        let mut at = 0_u64;
        let mut waiting: Vec<Found> = Vec::new();
        let mut bytes = 0;
        loop {
            let mut line = Vec::new();
            let mut short = reader.by_ref().take(held.saturating_add(1));
            let length = match short.read_until(b'\n', &mut line) {
                Ok(0) => break,
                Ok(length) => length as u64,
                Err(error) => {
                    self.broken(&error);
                    break;
                }
            };
            if self.number >= self.limits.entries as u64 {
                self.refuse_more_than("lines", self.limits.entries as u64, "--max-entries");
                break;
            }
            self.number += 1;
            let begins = at;
            at = at.saturating_add(length);
            if at > most {
                self.refuse_more_bytes_than(most);
                break;
            }
            if line.trim_ascii().is_empty() {
                if length > held && !line.ends_with(b"\n") {
                    let skipped = skip(&mut reader, most.saturating_sub(at));
                    at = at.saturating_add(skipped);
                }
                continue;
            }
            if length > held && !line.ends_with(b"\n") {
                self.look(&mut waiting, place);
                bytes = 0;
                let Some(length) = self.long(&line, begins, &mut reader, (place, most)) else {
                    break;
                };
                at = begins.saturating_add(length);
                continue;
            }
            bytes += line.len();
            waiting.push((self.number, begins, line));
            if bytes >= AT_ONCE_BYTES {
                self.look(&mut waiting, place);
                bytes = 0;
            }
        }
        self.look(&mut waiting, place);
    }

    /// Looks at a line that is too long to be held, of which `begun` was read.
    /// Returns its length, or nothing where what follows can't be read.
    fn long(
        &mut self,
        begun: &[u8],
        begins: u64,
        reader: &mut impl BufRead,
        (place, most): (&Place, u64),
    ) -> Option<u64> {
        let longest = self.longest();
        let room = longest.min(most.saturating_sub(begins)).saturating_add(1);
        let begun_length = begun.len() as u64;
        let mut rest = Rest {
            reader,
            left: room.saturating_sub(begun_length),
            length: begun_length,
            has_ended: false,
            error: None,
        };
        let kept = place.keep(begins, begun, &mut rest);
        let Rest {
            reader,
            length,
            has_ended,
            error,
            ..
        } = rest;
        if let Some(error) = error {
            // The line is not whole.
            self.number -= 1;
            self.broken(&error);
            return None;
        }
        let number = self.number;
        let end = begins.saturating_add(length);
        let offset = match kept {
            Ok(offset) if has_ended => offset,
            Ok(_) if end > most => {
                self.refuse_more_bytes_than(most);
                return None;
            }
            other => {
                let error = match other {
                    Ok(_) => format!(
                        "it has more than the {longest} bytes that are allowed; raise the limit \
                         with --max-total if you trust where it comes from"
                    ),
                    Err(error) => no_spool(&error),
                };
                self.reject(number, &error);
                return Some(length.saturating_add(skip(reader, most.saturating_sub(end))));
            }
        };
        match Head::read_from(|| place.open_large(offset, length)) {
            Ok(head) => self.lines.push(Line {
                head,
                name: Arc::clone(&self.name),
                number,
                place: place.clone(),
                offset,
                length,
            }),
            Err(error) => self.reject(number, &error),
        }
        Some(length)
    }

    /// Says why the input can't be read on.
    fn broken(&mut self, error: &io::Error) {
        let limit = error.get_ref().and_then(|error| error.downcast_ref());
        let error = match limit {
            Some(limit @ OpenError::Limit { .. }) => limit.to_string(),
            _ => format!("it is cut short or damaged: {error}; copy it again"),
        };
        self.refuse(&error);
    }

    /// Says that the input is too large.
    fn refuse_more_bytes_than(&mut self, most: u64) {
        self.refuse_more_than("bytes when unpacked", most, "--max-total");
    }

    fn refuse_more_than(&mut self, what: &'static str, limit: u64, option: &'static str) {
        let limit = OpenError::Limit {
            what,
            limit,
            option: Some(option),
        };
        self.refuse(&limit.to_string());
    }

    /// Looks at the heads of lines.
    fn look(&mut self, waiting: &mut Vec<Found>, place: &Place) {
        let looked: Vec<Result<Head, String>> = waiting
            .par_iter()
            .map(|(_, _, line)| Head::read(line))
            .collect();
        for ((number, offset, line), head) in waiting.drain(..).zip(looked) {
            let kept = head.and_then(|head| {
                let kept = place.keep(offset, &line, &mut io::empty());
                let offset = kept.map_err(|error| no_spool(&error))?;
                Ok(Line {
                    head,
                    name: Arc::clone(&self.name),
                    number,
                    place: place.clone(),
                    offset,
                    length: line.len() as u64,
                })
            });
            match kept {
                Ok(line) => self.lines.push(line),
                Err(error) => self.reject(number, &error),
            }
        }
    }
}

fn no_spool(error: &io::Error) -> String {
    format!("no temporary file could be written: {error}")
}

/// Passes by the rest of a line, at most so many bytes of it.
fn skip(reader: &mut impl BufRead, most: u64) -> u64 {
    let mut skipped = 0_u64;
    while let Ok(buffer) = reader.fill_buf() {
        if buffer.is_empty() || skipped >= most {
            break;
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |end| end + 1);
        reader.consume(used);
        skipped = skipped.saturating_add(used as u64);
        if end.is_some() {
            break;
        }
    }
    skipped
}
