//! The lists at the end of a node's text: what is ignored, what keeps findings
//! from coming back, what evidence is missing.

use std::io;

use super::{CYAN, DIM, LISTED_FINDINGS, Page, YELLOW};
use crate::report::view;
use crate::report::words::printable;

impl Page<'_> {
    /// Findings that are set aside: never silently.
    pub(super) fn ignored(&mut self, ignored: &[view::Ignored]) -> io::Result<()> {
        if ignored.is_empty() {
            return Ok(());
        }
        self.heading("Ignored by the configuration")?;
        for one in ignored.iter().take(LISTED_FINDINGS) {
            let finding = &one.finding;
            let text = format!(
                "{}: {}: {} (until {})",
                finding.check, finding.subject, one.reason, one.until
            );
            self.line(DIM, &format!("  {:<9} ", finding.severity), &text)?;
        }
        if let Some(more @ 1..) = ignored.len().checked_sub(LISTED_FINDINGS) {
            self.line(DIM, "  ", &format!("and {more} more"))?;
        }
        Ok(())
    }

    pub(super) fn prevention(&mut self, node: &view::Node) -> io::Result<()> {
        if node.prevention.is_empty() {
            return Ok(());
        }
        self.heading("Prevention")?;
        for advice in &node.prevention {
            self.line(CYAN, "  ", &format!("{}: {}", advice.title, advice.text))?;
            for line in advice.settings.iter().chain(&advice.commands) {
                // A line to copy is not folded.
                writeln!(self.out, "      {}", printable(line))?;
            }
        }
        Ok(())
    }

    pub(super) fn missing(&mut self, node: &view::Node) -> io::Result<()> {
        if node.missing.is_empty() && node.notes.is_empty() && node.checks_not_run.is_empty() {
            return Ok(());
        }
        self.heading("Missing evidence")?;
        for missing in &node.missing {
            let detail = match missing.detail.as_str() {
                "" => String::new(),
                detail => format!(" ({detail})"),
            };
            let label = format!("  {:<10} ", missing.state);
            self.line(
                YELLOW,
                &label,
                &format!("{}{detail}: {}", missing.id, missing.consequence),
            )?;
        }
        for check in &node.checks_not_run {
            self.line(
                DIM,
                "  not run    ",
                &format!("{}: needs {}", check.check, check.needs),
            )?;
        }
        for note in &node.notes {
            self.line(DIM, "  note       ", note)?;
        }
        Ok(())
    }
}
