//! Facts as an input: where in a file each node's line is, so that memory
//! holds only the lines that are at work.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::Facts;
use super::line::Head;
use crate::bundle::{FactsStream, Limits, Rejected};

/// Bytes of lines that are looked at together.
const AT_ONCE_BYTES: usize = 4 << 20;

/// A stream may unpack to so many times the bytes that one line may have.
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

#[derive(Debug, Clone)]
enum Place {
    File(Arc<PathBuf>),
    Spool(Arc<Spool>),
}

/// Lines that can't be read again where they came from: one temporary file
/// without a name, gone with the program.
#[derive(Debug, Default)]
pub struct Spool(Mutex<Option<File>>);

impl Spool {
    fn add(&self, bytes: &[u8]) -> std::io::Result<u64> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match &mut *slot {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        let at = file.seek(SeekFrom::End(0))?;
        file.write_all(bytes)?;
        Ok(at)
    }

    fn get(&self, offset: u64, bytes: &mut [u8]) -> std::io::Result<()> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let file = slot.as_mut().ok_or(std::io::ErrorKind::NotFound)?;
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(bytes)
    }
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
        let mut bytes = vec![0; usize::try_from(self.length).unwrap_or_default()];
        let read = match &self.place {
            Place::Spool(spool) => spool.get(self.offset, &mut bytes),
            Place::File(path) => File::open(path.as_path()).and_then(|mut file| {
                file.seek(SeekFrom::Start(self.offset))?;
                file.read_exact(&mut bytes)
            }),
        };
        read.map_err(|error| format!("it can't be read: {error}"))
            .and_then(|()| Facts::from_line(&bytes))
            .map_err(|error| rejected(&self.name, self.number, &error))
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

    fn all(&mut self, stream: impl Read, place: &Place, most: u64) {
        let mut reader = BufReader::with_capacity(1 << 18, stream);
        let longest = self.limits.total_bytes;
        let mut at = 0_u64;
        let mut waiting: Vec<Found> = Vec::new();
        let mut bytes = 0;
        loop {
            let mut line = Vec::new();
            let read = reader
                .by_ref()
                .take(longest.saturating_add(1))
                .read_until(b'\n', &mut line);
            let length = match read {
                Ok(0) => break,
                Ok(length) => length as u64,
                Err(error) => {
                    self.refuse(&format!(
                        "it is cut short or damaged: {error}; copy it again"
                    ));
                    break;
                }
            };
            self.number += 1;
            let begins = at;
            at = at.saturating_add(length);
            if at > most {
                self.refuse(&format!(
                    "it has more than the {most} bytes when unpacked that are allowed; raise the \
                     limit with --max-total if you trust where it comes from"
                ));
                break;
            }
            if length > longest && !line.ends_with(b"\n") {
                let error = format!(
                    "it has more than the {longest} bytes that are allowed; raise the limit with \
                     --max-total if you trust where it comes from"
                );
                self.reject(self.number, &error);
                let skipped = skip(&mut reader, most.saturating_sub(at));
                at = at.saturating_add(skipped);
                continue;
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            if self.lines.len() + waiting.len() >= self.limits.entries {
                self.refuse(&format!(
                    "it has more than the {} nodes that are allowed; raise the limit with \
                     --max-entries if you trust where it comes from",
                    self.limits.entries
                ));
                break;
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

    /// Looks at the heads of lines.
    fn look(&mut self, waiting: &mut Vec<Found>, place: &Place) {
        let looked: Vec<Result<Head, String>> = waiting
            .par_iter()
            .map(|(_, _, line)| Head::read(line))
            .collect();
        for ((number, offset, line), head) in waiting.drain(..).zip(looked) {
            let kept = head.and_then(|head| {
                let offset = match place {
                    Place::File(_) => offset,
                    Place::Spool(spool) => spool
                        .add(&line)
                        .map_err(|error| format!("no temporary file could be written: {error}"))?,
                };
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
