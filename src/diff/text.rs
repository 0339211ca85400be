//! A comparison as text.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::{Diff, FindingChange, NodeDiff, State, Then};
use crate::report::text::fold;
use crate::report::words::printable;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const GREEN: Style = AnsiColor::Green.on_default();

/// Columns that text is folded to.
const WIDTH: usize = 100;

/// More entries of a node than this are only counted.
const LISTED: usize = 100;

/// Writes a comparison for people, the answer first. Colours are escape
/// sequences: give a writer that strips them where they are not wanted.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(diff: &Diff, out: &mut dyn Write) -> io::Result<()> {
    line(out, BOLD, "", &diff.answer)?;
    for node in &diff.nodes {
        write_node(node, diff.nodes.len() > 1, out)?;
    }
    for cluster in &diff.clusters {
        if cluster.findings.is_empty() {
            continue;
        }
        heading(out, &format!("Cluster {}", cluster.cluster))?;
        findings(&cluster.findings, out)?;
    }
    for rejected in &diff.rejected {
        let text = format!("{}: {}", rejected.path, rejected.error);
        line(out, RED, "rejected ", &text)?;
    }
    Ok(())
}

fn write_node(node: &NodeDiff, answered: bool, out: &mut dyn Write) -> io::Result<()> {
    let was = node
        .was
        .as_ref()
        .map_or_else(String::new, |was| format!(" (was {was})"));
    let cluster = node
        .cluster
        .as_ref()
        .map_or_else(String::new, |name| format!(", cluster {name}"));
    heading(out, &format!("{}{was}{cluster}", node.node))?;
    if answered {
        line(out, BOLD, "  ", &node.answer)?;
    }
    for (label, then) in [("  before  ", &node.before), ("  after   ", &node.after)] {
        match then {
            Some(then) => line(out, DIM, label, &then_in_words(then))?,
            None => line(out, DIM, label, "no bundle of this node")?,
        }
    }
    for note in &node.notes {
        line(out, YELLOW, "  note    ", note)?;
    }
    findings(&node.findings, out)?;
    if node.entries.is_empty() {
        return Ok(());
    }
    writeln!(out, "  {BOLD}Entries{BOLD:#}")?;
    for entry in node.entries.iter().take(LISTED) {
        let style = match entry.state {
            "gone" => GREEN,
            "new" | "unknown" => YELLOW,
            _ => DIM,
        };
        let label = format!("    {:<10}", entry.state);
        line(
            out,
            style,
            &label,
            &format!("{}: {}", entry.name, entry.what),
        )?;
    }
    match node.entries.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => line(
            out,
            DIM,
            "    ",
            &format!("and {more} more: see --format json or --html FILE"),
        ),
    }
}

fn then_in_words(then: &Then) -> String {
    let score = then
        .score
        .map_or_else(String::new, |score| format!(", score {score}"));
    format!(
        "{}: grade {}{score}, {} issues, {} entries",
        then.collected_at.as_deref().unwrap_or("time unknown"),
        then.grade.as_deref().unwrap_or("none"),
        then.findings,
        then.entries
    )
}

fn findings(changes: &[FindingChange], out: &mut dyn Write) -> io::Result<()> {
    let states = [
        (State::New, "New", RED),
        (State::Unknown, "Unknown now", YELLOW),
        (State::Changed, "Still there, changed", YELLOW),
        (State::Remaining, "Still there", YELLOW),
        (State::Resolved, "Resolved", GREEN),
    ];
    for (state, title, style) in states {
        let of = || changes.iter().filter(|one| one.state == state);
        let number = of().count();
        if number == 0 {
            continue;
        }
        writeln!(out, "  {style}{title} ({number}){style:#}")?;
        for change in of() {
            finding(change, out)?;
        }
    }
    Ok(())
}

fn finding(change: &FindingChange, out: &mut dyn Write) -> io::Result<()> {
    let Some(said) = change.said() else {
        return Ok(());
    };
    let label = format!("    {:<10}", said.severity);
    let text = format!("{} [{}]", said.message, change.check);
    line(out, Style::new(), &label, &text)?;
    if let (State::Changed, Some(before)) = (change.state, &change.before) {
        let text = match before.severity == said.severity {
            true => before.message.clone(),
            false => format!("{}: {}", before.severity, before.message),
        };
        line(out, DIM, "              was  ", &text)?;
    }
    match &change.why {
        Some(why) => line(out, DIM, "              why  ", why),
        None => Ok(()),
    }
}

fn heading(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{BOLD}{}{BOLD:#}", printable(text))
}

/// A label in colour, and text folded beside it.
fn line(out: &mut dyn Write, style: Style, label: &str, text: &str) -> io::Result<()> {
    let label = printable(label);
    let indent = label.chars().count().min(WIDTH / 2);
    let text = printable(text);
    let mut lines = fold(&text, WIDTH.saturating_sub(indent)).into_iter();
    let first = lines.next().unwrap_or_default();
    match label.trim() {
        "" => writeln!(out, "{label}{style}{first}{style:#}")?,
        _ => writeln!(out, "{style}{label}{style:#}{first}")?,
    }
    for line in lines {
        writeln!(out, "{:indent$}{line}", "")?;
    }
    Ok(())
}
