//! The rows of the table of entries. It is the one part of a page that grows
//! with the node, to thousands of rows, and a template takes ten times as long
//! for it; the columns' names stand in `node_tables.html`.

use std::fmt::{self, Write};

use super::markup::{escape_to, prose};
use super::words::{size, tone};
use crate::report::view::Entry;

/// Verdicts in the order that a reader wants them.
pub(super) const VERDICTS: [&str; 6] = [
    "duplicate",
    "orphan",
    "unknown",
    "dependent",
    "valid",
    "system",
];

/// A table row for each entry. `link` gives the anchor of the first finding
/// about an entry.
pub(super) fn entry_rows<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    link: impl Fn(&Entry) -> Option<String>,
) -> String {
    let mut rows = Rows(String::new());
    for entry in entries {
        // Writing to a string can't fail.
        let _ = rows.add(entry, link(entry));
    }
    rows.0
}

/// Markup in the making: `raw` takes what stands in this file, `text`
/// everything else.
struct Rows(String);

impl Rows {
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
        match entry.open {
            None => self.raw("</td><td class=\"r\" data-v=\"\">?"),
            Some(count) => {
                self.raw("</td><td class=\"r\" data-v=\"")
                    .number(count)?
                    .raw("\">");
                self.number(count)?
            }
        };
        self.raw("</td><td>")
            .text(&entry.lv_state)?
            .raw("</td><td>");
        match entry.action.as_str() {
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
        self.raw("\"><span class=\"chip ")
            .raw(tone(&entry.verdict))
            .raw("\">");
        self.text(&entry.verdict)?.raw("</span>");
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
