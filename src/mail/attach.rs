//! What is attached to a mail, up to a size that servers take.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::rc::Rc;
use std::sync::Arc;

use zip::write::SimpleFileOptions;

use crate::cli::Attach;
use crate::report::html::{Html, Run};
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

/// Makes what was asked for, each once. With it come sentences on what is
/// attached and what was too large. `scripts` are the nodes', in their order.
///
/// # Errors
///
/// Names the file that could not be made; no bundle can cause that.
pub fn files(
    wanted: &[Attach],
    report: &view::Report,
    scripts: &[Option<String>],
) -> Result<(Vec<Attached>, Vec<String>), String> {
    let (mut files, mut said, mut size) = (Vec::new(), Vec::new(), 0);
    for one in [Attach::Report, Attach::Json, Attach::Scripts] {
        if !wanted.contains(&one) {
            continue;
        }
        let (name, kind, what) = match one {
            Attach::Report => (
                "dmaudit-report.zip",
                "application/zip",
                "the whole report; unpack it and open index.html",
            ),
            Attach::Json => (
                "report.json",
                "application/json",
                "the whole report for programs",
            ),
            Attach::Scripts if scripts.iter().all(Option::is_none) => {
                said.push(
                    "No cleanup script is attached: there is nothing to do for one.".to_owned(),
                );
                continue;
            }
            Attach::Scripts => (
                "dmaudit-cleanup.zip",
                "application/zip",
                "the cleanup scripts; read one before you run it",
            ),
        };
        let mut out = Bounded::of(MOST.saturating_sub(size));
        let is_over = Rc::clone(&out.is_over);
        let made = match one {
            Attach::Report => archive(&mut out, |zip| whole(report, scripts, zip, &is_over)),
            Attach::Json => json::write(report, Failing(&mut out)),
            Attach::Scripts => archive(&mut out, |zip| cleanup(report, scripts, zip, &is_over)),
        };
        match made {
            Err(error) if !is_over.get() => {
                return Err(format!("{name} could not be made: {error}"));
            }
            _ => {}
        }
        let Some(bytes) = out.bytes() else {
            said.push(format!(
                "{name} is too large to attach; `dmaudit analyze -o DIR` writes it."
            ));
            continue;
        };
        size += bytes.len();
        said.push(format!("Attached: {name}, {what}."));
        files.push(Attached { name, kind, bytes });
    }
    Ok((files, said))
}

/// What is written, of which nothing is kept beyond a bound: how much it would
/// be is known only at the end.
#[derive(Debug)]
struct Bounded {
    bytes: Vec<u8>,
    at: u64,
    most: usize,
    /// Seen by those who could stop.
    is_over: Rc<Cell<bool>>,
}

/// Fails once nothing more is kept.
struct Failing<'a>(&'a mut Bounded);

impl Write for Failing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.is_over.get() {
            true => Err(io::ErrorKind::FileTooLarge.into()),
            false => self.0.write(bytes),
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
            is_over: Rc::default(),
        }
    }

    /// All of it, if it is within the bound.
    fn bytes(self) -> Option<Vec<u8>> {
        (!self.is_over.get()).then_some(self.bytes)
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let end = self.at.saturating_add(bytes.len() as u64);
        if end > self.most as u64 {
            self.is_over.set(true);
        }
        if !self.is_over.get() {
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

type Zip<'a> = zip::ZipWriter<&'a mut Bounded>;

/// Ends early where nothing more is kept.
fn cleanup(
    report: &view::Report,
    scripts: &[Option<String>],
    zip: &mut Zip<'_>,
    is_over: &Cell<bool>,
) -> io::Result<()> {
    let nodes = report.nodes.iter().zip(scripts);
    for (node, script) in nodes.take_while(|_| !is_over.get()) {
        if let (Some(name), Some(script)) = (&node.script, script) {
            begin(zip, name)?.write_all(script.as_bytes())?;
        }
    }
    Ok(())
}

/// The files that an analysis writes into its output folder; ends early where
/// nothing more is kept.
fn whole(
    report: &view::Report,
    scripts: &[Option<String>],
    zip: &mut Zip<'_>,
    is_over: &Cell<bool>,
) -> io::Result<()> {
    let html = Html::new().map_err(io::Error::other)?;
    let run = Run::of(report);
    let index = html.index_page(report).map_err(io::Error::other)?;
    begin(zip, "index.html")?.write_all(index.as_bytes())?;
    json::write(report, begin(zip, "report.json")?)?;
    let mut cluster_pages = HashMap::new();
    for cluster in &report.clusters {
        if let Some(page) = &cluster.page {
            let text = html.cluster_page(run, cluster).map_err(io::Error::other)?;
            begin(zip, page)?.write_all(text.as_bytes())?;
            cluster_pages.extend(cluster.nodes.iter().map(|node| (&node.slug, page.as_str())));
        }
    }
    for node in report.nodes.iter().take_while(|_| !is_over.get()) {
        if let Some(page) = &node.page {
            let cluster_page = cluster_pages.get(&node.slug).copied();
            let node = Arc::new(node.clone());
            html.write_node_page(run, &node, cluster_page, begin(zip, page)?)?;
        }
    }
    cleanup(report, scripts, zip, is_over)
}

/// A zip of files, undated: the same files give the same bytes.
fn archive(
    out: &mut Bounded,
    files: impl FnOnce(&mut Zip<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut zip = zip::ZipWriter::new(out);
    files(&mut zip)?;
    zip.finish()?;
    Ok(())
}

fn begin<'z, 'a>(zip: &'z mut Zip<'a>, name: &str) -> io::Result<&'z mut Zip<'a>> {
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    zip.start_file(name, options)?;
    Ok(zip)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nothing_beyond_the_bound_is_kept() {
        let zip = |files: usize, most: usize| {
            let mut out = Bounded::of(most);
            let wrote = archive(&mut out, |zip| {
                (0..files).try_for_each(|i| {
                    let text: String = (0..1000).map(|line| format!("{}\n", line * i)).collect();
                    begin(zip, &i.to_string())?.write_all(text.as_bytes())
                })
            });
            wrote.unwrap();
            assert!(out.bytes.len() <= most);
            out.bytes()
        };
        let some = zip(3, 1 << 20).unwrap();
        let read = zip::ZipArchive::new(Cursor::new(&some)).unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(zip(3, some.len()), Some(some.clone()));
        assert_eq!(zip(3, some.len() - 1), None);
        assert_eq!(zip(300, some.len()), None);
    }
}
