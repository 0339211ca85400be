//! The rows of the tables of entries, of open devices and of a cluster's
//! volumes. They are the parts of a page that grow with the node, to thousands
//! of rows, and a template takes ten times as long for them; the columns' names
//! stand in `node_tables.html` and `cluster.html`.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};

use super::markup::{escape_to, prose};
use super::parts::anchor;
use super::words::{count, size, tone};
use crate::report::view::{Cell, Cluster, Entry, Matrix, MatrixRow, Node, OpenDevice};

/// Verdicts in the order that a reader wants them.
pub(super) const VERDICTS: [&str; 6] = [
    "duplicate",
    "orphan",
    "unknown",
    "dependent",
    "valid",
    "system",
];

/// A table's rows, written when their place in the page is reached: all those
/// of a large node at once take as much room as the page.
#[derive(Debug)]
pub(super) enum Table {
    /// Entries to look at.
    Attention(Arc<Node>),
    /// The other entries.
    Rest(Arc<Node>),
    /// Devices that are open.
    Open(Arc<Node>),
    /// Shared volumes with an issue.
    VolumesAttention(Arc<Cluster>),
    /// The other shared volumes.
    VolumesRest(Arc<Cluster>),
}

impl Table {
    /// The template's value of a table with so many rows; none where there
    /// are none.
    pub(super) fn of(self, rows: usize) -> Value {
        match rows {
            0 => Value::from(()),
            _ => Value::from_object(self),
        }
    }

    /// Writes the rows.
    pub(super) fn write(&self, out: &mut impl Write) -> fmt::Result {
        match self {
            Self::Attention(node) => entries(node, needs_attention, out),
            Self::Rest(node) => entries(node, |entry| !needs_attention(entry), out),
            Self::Open(node) => {
                let mut row = Rows(String::new());
                for device in &node.open_devices {
                    row.add_open(device)?;
                    row.hand_on(out)?;
                }
                Ok(())
            }
            Self::VolumesAttention(cluster) => volumes(&cluster.matrix, true, out),
            Self::VolumesRest(cluster) => volumes(&cluster.matrix, false, out),
        }
    }
}

impl Object for Table {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// A row for each entry that is wanted, with a link to the first finding about
/// it.
fn entries(node: &Node, wanted: impl Fn(&Entry) -> bool, out: &mut impl Write) -> fmt::Result {
    let mut first = BTreeMap::new();
    for (number, finding) in node.findings.iter().enumerate() {
        first.entry(finding.subject.as_str()).or_insert(number);
    }
    let mut row = Rows(String::new());
    for entry in node.entries.iter().filter(|entry| wanted(entry)) {
        let link = first.get(entry.name.as_str()).copied().map(anchor);
        row.add(entry, link)?;
        row.hand_on(out)?;
    }
    Ok(())
}

/// A row for each volume with or without an issue.
fn volumes(matrix: &Matrix, issue: bool, out: &mut impl Write) -> fmt::Result {
    let mut row = Rows(String::new());
    for volume in matrix.rows.iter().filter(|volume| volume.issue == issue) {
        row.add_volume(volume, &matrix.nodes)?;
        row.hand_on(out)?;
    }
    Ok(())
}

/// Whether an entry is one to look at: not as it should be, or a finding is
/// about it.
pub(super) fn needs_attention(entry: &Entry) -> bool {
    !matches!(&*entry.verdict, "valid" | "dependent" | "system") || entry.severity.is_some()
}

/// A row in the making: `raw` takes what stands in this file, `text`
/// everything else.
struct Rows(String);

impl Rows {
    /// Writes what was made, and begins anew.
    fn hand_on(&mut self, out: &mut impl Write) -> fmt::Result {
        out.write_str(&self.0)?;
        self.0.clear();
        Ok(())
    }

    fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    fn text(&mut self, text: &str) -> Result<&mut Self, fmt::Error> {
        escape_to(&mut self.0, text)?;
        Ok(self)
    }

    fn number(&mut self, number: impl fmt::Display) -> Result<&mut Self, fmt::Error> {
        write!(self.0, "{number}")?;
        Ok(self)
    }

    fn add(&mut self, entry: &Entry, link: Option<String>) -> fmt::Result {
        self.raw("<tr data-k=\"").text(&entry.verdict)?.raw("\">");
        self.name(entry)?;
        self.verdict(entry, link)?;
        match entry.vmid {
            None => self.raw("<td class=\"num\" data-v=\"\">–</td>"),
            Some(vmid) => {
                self.raw("<td class=\"num\" data-v=\"")
                    .number(vmid)?
                    .raw("\">");
                self.raw(match entry.guest_kind.as_deref() {
                    Some("vm") => "VM ",
                    Some("ct") => "CT ",
                    _ => "",
                });
                self.number(vmid)?.raw("</td>")
            }
        };
        self.raw("<td class=\"name\">");
        match (&entry.volume, &entry.vg, &entry.lv) {
            (Some(volume), _, _) => self.text(volume)?,
            (None, Some(vg), Some(lv)) => self.text(vg)?.raw("/").text(lv)?,
            _ => self.raw("–"),
        };
        match entry.size {
            None => self.raw("</td><td class=\"r\" data-v=\"\">–"),
            Some(bytes) => {
                self.raw("</td><td class=\"r\" data-v=\"")
                    .number(bytes)?
                    .raw("\">");
                self.text(&size(bytes))?
            }
        };
        self.raw("</td>").open_count(entry.open)?;
        self.raw("<td>").text(&entry.lv_state)?.raw("</td><td>");
        match &*entry.action {
            "none" => self.raw("–"),
            action => self.text(action)?,
        };
        if let Some(reason) = &entry.action_reason {
            self.raw(" <span class=\"small muted\">")
                .text(reason)?
                .raw("</span>");
        }
        self.raw("</td></tr>\n");
        Ok(())
    }

    fn add_open(&mut self, device: &OpenDevice) -> fmt::Result {
        self.raw("<tr><th scope=\"row\" class=\"name\">");
        self.text(&device.name)?.raw("</th><td class=\"num\">");
        self.text(&device.devno)?.raw("</td>");
        self.open_count(device.open)?.raw("<td>");
        self.chip(&device.verdict)?.raw("</td><td>");
        self.lines(&device.holders)?;
        self.raw("</td></tr>\n");
        Ok(())
    }

    /// A volume with its state on each of these nodes.
    fn add_volume(&mut self, volume: &MatrixRow, nodes: &[String]) -> fmt::Result {
        self.raw("    <tr");
        if volume.issue {
            self.raw(" class=\"issue\"");
        }
        self.raw("><th scope=\"row\" class=\"name\">");
        self.text(&volume.volume)?;
        if volume.issue {
            self.raw(" <span class=\"chip critical\">issue</span>");
        }
        self.raw("</th><td class=\"num\">");
        match volume.vmid {
            None => self.raw("–"),
            Some(vmid) => self.number(vmid)?,
        };
        self.raw("</td>");
        for (at, cell) in volume.cells.iter().enumerate() {
            self.raw(match cell {
                Cell::Absent => {
                    "<td class=\"cell quiet\"><span class=\"muted\" aria-label=\"no entry\">·</span>"
                }
                // An active volume is neither good nor bad by itself.
                Cell::Active => "<td class=\"cell quiet\"><span class=\"chip quiet\">active</span>",
                Cell::Open => "<td class=\"cell info\"><span class=\"chip info\">open</span>",
                Cell::Stale => {
                    "<td class=\"cell critical\"><span class=\"chip critical\">stale</span>"
                }
            });
            if volume.home.is_some() && volume.home.as_ref() == nodes.get(at) {
                self.raw(" <span class=\"home\">home</span>");
            }
            self.raw("</td>");
        }
        self.raw("</tr>\n");
        Ok(())
    }

    /// Texts below each other as the macro `lines` writes them, all but the
    /// first six folded away.
    fn lines(&mut self, texts: &[String]) -> fmt::Result {
        let (first, more) = texts.split_at(texts.len().min(6));
        if first.is_empty() {
            self.raw("–");
        }
        for text in first {
            self.line(text)?;
        }
        if !more.is_empty() {
            self.raw("<details class=\"more\"><summary>");
            self.text(&count(more.len() as i64))?.raw(" more</summary>");
            for text in more {
                self.line(text)?;
            }
            self.raw("</details>");
        }
        Ok(())
    }

    fn line(&mut self, text: &str) -> fmt::Result {
        self.raw("<span class=\"line\">").text(text)?.raw("</span>");
        Ok(())
    }

    /// A cell of an open count.
    fn open_count(&mut self, open: Option<u32>) -> Result<&mut Self, fmt::Error> {
        self.raw("<td class=\"r\" data-v=\"");
        Ok(match open {
            None => self.raw("\">?</td>"),
            Some(count) => {
                self.number(count)?.raw("\">");
                self.number(count)?.raw("</td>")
            }
        })
    }

    fn chip(&mut self, word: &str) -> Result<&mut Self, fmt::Error> {
        self.raw("<span class=\"chip ").raw(tone(word)).raw("\">");
        Ok(self.text(word)?.raw("</span>"))
    }

    /// The name, with what identifies the entry folded below it.
    fn name(&mut self, entry: &Entry) -> fmt::Result {
        self.raw("<th scope=\"row\"><span class=\"name\">")
            .text(&entry.name)?;
        self.raw("</span><details class=\"more\"><summary>")
            .text(&entry.devno)?
            .raw("</summary>");
        self.0.push_str(&prose(&entry.explanation));
        self.raw("<p>UUID <span class=\"name\">");
        self.text(entry.uuid.as_deref().unwrap_or("none"))?
            .raw("</span></p>");
        if !entry.holders.is_empty() {
            self.raw("<p>Held by ")
                .text(&entry.holders.join("; "))?
                .raw("</p>");
        }
        self.raw("</details></th>");
        Ok(())
    }

    fn verdict(&mut self, entry: &Entry, link: Option<String>) -> fmt::Result {
        let rank = VERDICTS.iter().position(|name| *name == entry.verdict);
        self.raw("<td data-v=\"")
            .number(rank.unwrap_or(VERDICTS.len()))?;
        self.raw("\">").chip(&entry.verdict)?;
        if let Some(reason) = &entry.reason {
            self.raw("<span class=\"line small\">")
                .text(reason)?
                .raw("</span>");
        }
        if let Some(link) = link {
            self.raw("<a class=\"line small\" href=\"#")
                .text(&link)?
                .raw("\">");
            self.text(entry.severity.as_deref().unwrap_or_default())?
                .raw(" issue</a>");
        }
        self.raw("</td>");
        Ok(())
    }
}
