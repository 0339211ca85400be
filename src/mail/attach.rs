//! What is attached to a mail, up to a size that servers take. It is made as
//! the nodes come, and nothing that is too large is kept.

use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::cleanup::script;
use crate::cli::Attach;
use crate::facts::Cleanup;
use crate::report::html::{Html, Overview, Run};
use crate::report::{json, view};

/// Attachments above this many bytes in all are left out: servers refuse mails
/// of 15 to 25 MB, and base64 makes them a third larger.
const MOST: usize = 10 << 20;

/// A file that is attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Its name.
    pub name: &'static str,
    /// Its media type.
    pub kind: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The attachments of a run, while its nodes come. What became too large is
/// gone.
pub struct Attachments<'a> {
    wanted: Vec<Attach>,
    report: Option<Whole<'a>>,
    json: Option<json::Document<Failing>>,
    scripts: Option<Zip>,
    has_script: bool,
}

/// The files that an analysis writes into its output folder.
struct Whole<'a> {
    html: Html,
    run: Run<'a>,
    /// All but `report.json`, which grows meanwhile.
    files: Zip,
    json: json::Document<Zip>,
}

impl<'a> Attachments<'a> {
    /// Begins what is wanted, each once.
    ///
    /// # Errors
    ///
    /// Names the file that could not be made; no bundle can cause that.
    pub fn begin(wanted: &[Attach], run: Run<'a>) -> Result<Self, String> {
        let wants = |one| wanted.contains(&one);
        let document = |out| json::Document::begin(out, run.version, run.analyzed_at);
        let json = match wants(Attach::Json) {
            true => Some(document(Failing(Bounded::of(MOST))).map_err(|error| error.to_string())?),
            false => None,
        };
        let report = match wants(Attach::Report) {
            true => Some(Whole::begin(run)?),
            false => None,
        };
        Ok(Self {
            wanted: wanted.to_vec(),
            report,
            json,
            scripts: wants(Attach::Scripts).then(Zip::new),
            has_script: false,
        })
    }

    /// Takes a node, with what its script is made of.
    ///
    /// # Errors
    ///
    /// As [`Attachments::begin`].
    pub fn node(
        &mut self,
        node: &Arc<view::Node>,
        cluster_page: Option<&str>,
        cleanup: Option<Cleanup>,
    ) -> Result<(), String> {
        let script = match (&node.script, cleanup) {
            (Some(path), Some(cleanup)) => Some((path, Arc::new(cleanup.plan), cleanup.about)),
            _ => None,
        };
        self.has_script |= script.is_some();
        if let Some(whole) = &mut self.report {
            let made = whole.node(node, cluster_page);
            made.map_err(|error| not_made(REPORT, &error))?;
        }
        let zips = [
            (self.report.as_mut().map(|whole| &mut whole.files), REPORT),
            (self.scripts.as_mut(), SCRIPTS),
        ];
        if let Some((path, plan, about)) = script {
            for (zip, name) in zips {
                if let Some(zip) = zip {
                    let out = zip.begin(path).map_err(|error| not_made(name, &error))?;
                    let written = script::write(&plan, &about, out);
                    written.map_err(|error| format!("{name} could not be made: {error}"))?;
                }
            }
        }
        // Only where it is too large, this fails.
        self.json.take_if(|json| json.large_node(node).is_err());
        self.forget();
        Ok(())
    }

    /// Takes a cluster, all of whose nodes were taken before.
    ///
    /// # Errors
    ///
    /// As [`Attachments::begin`].
    pub fn cluster(&mut self, cluster: &Arc<view::Cluster>) -> Result<(), String> {
        if let Some(whole) = &mut self.report {
            let made = whole.cluster(cluster);
            made.map_err(|error| not_made(REPORT, &error))?;
        }
        self.json.take_if(|json| json.cluster(cluster).is_err());
        self.forget();
        Ok(())
    }

    /// Lets go what is too large.
    fn forget(&mut self) {
        self.report.take_if(|whole| whole.is_over());
        self.scripts.take_if(|zip| zip.is_over());
    }

    /// What is attached, and sentences on it and on what was too large.
    ///
    /// # Errors
    ///
    /// As [`Attachments::begin`].
    pub fn end(
        self,
        overview: &Overview,
        rejected: &[view::Rejected],
    ) -> Result<(Vec<Attached>, Vec<String>), String> {
        let (mut files, mut said, mut size) = (Vec::new(), Vec::new(), 0);
        let mut add = |one: Option<Vec<u8>>, name, kind, what| match one
            .filter(|bytes| size + bytes.len() <= MOST)
        {
            None => said.push(format!(
                "{name} is too large to attach; `dmaudit analyze -o DIR` writes it."
            )),
            Some(bytes) => {
                size += bytes.len();
                said.push(format!("Attached: {name}, {what}."));
                files.push(Attached { name, kind, bytes });
            }
        };
        if self.wanted.contains(&Attach::Report) {
            let ended = self.report.map(|whole| whole.end(overview, rejected));
            let ended = ended
                .transpose()
                .map_err(|error| not_made(REPORT, &error))?;
            let what = "the whole report; unpack it and open index.html";
            add(ended.flatten(), REPORT, "application/zip", what);
        }
        if self.wanted.contains(&Attach::Json) {
            let ended = self.json.and_then(|json| json.end(rejected).ok());
            let bytes = ended.and_then(|Failing(out)| out.bytes());
            let what = "the whole report for programs";
            add(bytes, "report.json", "application/json", what);
        }
        if self.wanted.contains(&Attach::Scripts) {
            match self.has_script {
                true => {
                    let ended = self.scripts.map(Zip::end).transpose();
                    let ended = ended.map_err(|error| not_made(SCRIPTS, &error))?;
                    let what = "the cleanup scripts; read one before you run it";
                    add(ended.flatten(), SCRIPTS, "application/zip", what);
                }
                false => said.push(
                    "No cleanup script is attached: there is nothing to do for one.".to_owned(),
                ),
            }
        }
        Ok((files, said))
    }
}

const REPORT: &str = "dmaudit-report.zip";
const SCRIPTS: &str = "dmaudit-cleanup.zip";

fn not_made(name: &str, error: &io::Error) -> String {
    format!("{name} could not be made: {error}")
}

impl<'a> Whole<'a> {
    fn begin(run: Run<'a>) -> Result<Self, String> {
        let mut json = Zip::new();
        let begun = json.begin("report.json").map(drop);
        begun.map_err(|error| not_made(REPORT, &error))?;
        Ok(Self {
            html: Html::new()?,
            run,
            files: Zip::new(),
            json: json::Document::begin(json, run.version, run.analyzed_at)
                .map_err(|error| not_made(REPORT, &error))?,
        })
    }

    fn node(&mut self, node: &Arc<view::Node>, cluster_page: Option<&str>) -> io::Result<()> {
        if let Some(page) = &node.page {
            let out = self.files.begin(page)?;
            self.html
                .write_node_page(self.run, node, cluster_page, out)?;
        }
        self.json.large_node(node)
    }

    fn cluster(&mut self, cluster: &Arc<view::Cluster>) -> io::Result<()> {
        if let Some(page) = &cluster.page {
            let out = self.files.begin(page)?;
            self.html.write_cluster_page(self.run, cluster, out)?;
        }
        self.json.cluster(cluster)
    }

    fn is_over(&self) -> bool {
        self.files.is_over() || self.json.out().is_over()
    }

    fn end(
        mut self,
        overview: &Overview,
        rejected: &[view::Rejected],
    ) -> io::Result<Option<Vec<u8>>> {
        let out = self.files.begin("index.html")?;
        self.html.write_overview_page(self.run, overview, out)?;
        let json = self.json.end(rejected)?.end()?;
        match json.filter(|_| !self.files.is_over()) {
            None => Ok(None),
            Some(json) => {
                self.files.add_all_of(json)?;
                self.files.end()
            }
        }
    }
}

/// A zip of files, undated: the same files give the same bytes.
struct Zip {
    zip: ZipWriter<Bounded>,
    is_over: Arc<AtomicBool>,
}

impl Zip {
    fn new() -> Self {
        Self::of(MOST)
    }

    fn of(most: usize) -> Self {
        let out = Bounded::of(most);
        let is_over = Arc::clone(&out.is_over);
        Self {
            zip: ZipWriter::new(out),
            is_over,
        }
    }

    fn begin(&mut self, name: &str) -> io::Result<&mut Self> {
        let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
        self.zip.start_file(name, options)?;
        Ok(self)
    }

    /// Adds the files of another, as they are packed.
    fn add_all_of(&mut self, other: Vec<u8>) -> io::Result<()> {
        let other = ZipArchive::new(Cursor::new(other))?;
        Ok(self.zip.merge_archive(other)?)
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn end(self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.zip.finish()?.bytes())
    }
}

impl Write for Zip {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.zip.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.zip.flush()
    }
}

/// What is written, of which nothing is kept beyond a bound. A zip can't fail
/// half way, so that it goes on and is looked at later.
#[derive(Debug)]
struct Bounded {
    bytes: Vec<u8>,
    at: u64,
    most: usize,
    /// Seen by those who could stop.
    is_over: Arc<AtomicBool>,
}

/// Fails once nothing more is kept.
struct Failing(Bounded);

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.0.write(bytes)?;
        match self.0.is_over() {
            true => Err(io::ErrorKind::FileTooLarge.into()),
            false => Ok(written),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Bounded {
    fn of(most: usize) -> Self {
        Self {
            bytes: Vec::new(),
            at: 0,
            most,
            is_over: Arc::default(),
        }
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// All of it, if it is within the bound.
    fn bytes(self) -> Option<Vec<u8>> {
        (!self.is_over()).then_some(self.bytes)
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let end = self.at.saturating_add(bytes.len() as u64);
        if end > self.most as u64 && !self.is_over() {
            self.is_over.store(true, Ordering::Relaxed);
            self.bytes = Vec::new();
        }
        if !self.is_over() {
            let mut out = Cursor::new(&mut self.bytes);
            out.set_position(self.at);
            out.write_all(bytes)?;
        }
        self.at = end;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Bounded {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => (self.bytes.len() as u64).checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nothing_beyond_the_bound_is_kept() {
        let zip = |files: usize, most: usize| {
            let mut zip = Zip::of(most);
            for i in 0..files {
                let text: String = (0..1000).map(|line| format!("{}\n", line * i)).collect();
                let out = zip.begin(&i.to_string()).unwrap();
                out.write_all(text.as_bytes()).unwrap();
            }
            zip.end().unwrap()
        };
        let some = zip(3, 1 << 20).unwrap();
        let read = ZipArchive::new(Cursor::new(&some)).unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(zip(3, some.len()), Some(some.clone()));
        assert_eq!(zip(3, some.len() - 1), None);
        assert_eq!(zip(300, some.len()), None);
    }

    #[test]
    fn a_text_that_is_too_long_fails_and_is_gone() {
        let mut out = Failing(Bounded::of(10));
        out.write_all(b"0123456789").unwrap();
        assert!(out.write_all(b"0").is_err());
        assert_eq!(out.0.bytes, b"");
        assert_eq!(out.0.bytes(), None);
    }
}
