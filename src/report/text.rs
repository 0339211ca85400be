//! The console report, in the order a person needs it: grade and why, the
//! numbers, issues worst first, guests, what evidence is missing.

mod lists;

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::compose::Rows;
use super::history;
use super::view;
use super::words::{self, count, printable};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const GREEN: Style = AnsiColor::Green.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default();

/// More nodes than this are listed a line each; their pages hold the rest.
pub const DETAILED_NODES: usize = 8;

/// Of more nodes than this only the worst are listed.
const LISTED_NODES: usize = 100;

/// More findings than this of a node or a cluster are only counted.
const LISTED_FINDINGS: usize = 100;

/// Columns that text is folded to.
const WIDTH: usize = 100;

/// What a run comes to, as text. Colours are escape sequences: give
/// [`Text::write`] a writer that strips them where they are not wanted.
#[derive(Debug, Default)]
pub struct Text {
    clusters: Vec<(String, Vec<u8>)>,
    nodes: Vec<(String, Vec<u8>)>,
}

impl Text {
    /// Keeps a node's section, made by [`section`], if there are few nodes.
    pub fn add_node(&mut self, slug: &str, section: Vec<u8>) {
        self.nodes.push((slug.to_owned(), section));
    }

    /// Keeps a cluster's section, if there is something to say.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn add_cluster(&mut self, cluster: &view::Cluster) -> io::Result<()> {
        if cluster.findings.is_empty() && cluster.ignored.is_empty() && cluster.notes.is_empty() {
            return Ok(());
        }
        let mut section = Vec::new();
        Page { out: &mut section }.cluster(cluster)?;
        self.clusters.push((cluster.cluster.clone(), section));
        Ok(())
    }

    /// Writes it all, nodes and clusters worst first as in `rows`.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    pub fn write(
        &self,
        rows: &Rows,
        totals: &view::Totals,
        headline: &str,
        rejected: &[view::Rejected],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut page = Page { out };
        if rows.nodes.len() != 1 {
            page.overview(rows, totals, headline)?;
        }
        for (_, section) in &self.clusters {
            page.out.write_all(section)?;
        }
        for row in &rows.nodes {
            if let Some((_, section)) = self.nodes.iter().find(|(slug, _)| *slug == row.slug) {
                page.out.write_all(section)?;
            }
        }
        for rejected in rejected {
            page.line(
                RED,
                "rejected ",
                &format!("{}: {}", rejected.path, rejected.error),
            )?;
        }
        Ok(())
    }
}

/// A node's section.
///
/// # Errors
///
/// None in practice.
pub fn section(node: &view::Node) -> io::Result<Vec<u8>> {
    let mut section = Vec::new();
    Page { out: &mut section }.node(node)?;
    Ok(section)
}

struct Page<'a> {
    out: &'a mut dyn Write,
}

fn severity_style(severity: &str) -> Style {
    match severity {
        "critical" => RED,
        "warning" => YELLOW,
        _ => CYAN,
    }
}

fn grade_style(grade: Option<&str>) -> Style {
    match grade {
        Some("A+" | "A") => GREEN.bold(),
        Some("F" | "D") | None => RED,
        Some(_) => YELLOW.bold(),
    }
}

impl Page<'_> {
    /// A label in colour, and text folded beside it.
    fn line(&mut self, style: Style, label: &str, text: &str) -> io::Result<()> {
        let text = printable(text);
        let indent = label.chars().count();
        let mut lines = fold(&text, WIDTH.saturating_sub(indent)).into_iter();
        writeln!(
            self.out,
            "{style}{label}{style:#}{}",
            lines.next().unwrap_or_default()
        )?;
        for line in lines {
            writeln!(self.out, "{:indent$}{line}", "")?;
        }
        Ok(())
    }

    fn heading(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "\n{BOLD}{}{BOLD:#}", printable(text))
    }

    fn overview(&mut self, rows: &Rows, totals: &view::Totals, headline: &str) -> io::Result<()> {
        self.line(BOLD, "", headline)?;
        writeln!(
            self.out,
            "\n{}: {} valid, {} duplicate, {} orphaned, {} unknown; {}, {}",
            count(totals.entries, "entry", "entries"),
            totals.valid,
            totals.duplicates,
            totals.orphans,
            totals.unknown,
            count(totals.critical, "critical issue", "critical issues"),
            count(totals.warnings, "warning", "warnings"),
        )?;
        if totals.ignored > 0 {
            self.line(DIM, "", &format!("{}.", words::ignored(totals.ignored)))?;
        }
        self.heading(&count(rows.nodes.len(), "node", "nodes"))?;
        let listed = rows.nodes.get(..LISTED_NODES).unwrap_or(&rows.nodes);
        let width = listed
            .iter()
            .map(|node| node.slug.chars().count())
            .max()
            .unwrap_or(0);
        for node in listed {
            let grade = node.grade.as_deref();
            let style = grade_style(grade);
            writeln!(
                self.out,
                "  {style}{:<2}{style:#}  {:<width$}  {:>3}  {}, {} duplicate, {} orphaned",
                grade.unwrap_or("?"),
                node.slug,
                node.score
                    .map_or_else(|| "-".to_owned(), |score| score.to_string()),
                count(node.summary.entries, "entry", "entries"),
                node.summary.duplicates,
                node.summary.orphans,
            )?;
        }
        if let Some(more @ 1..) = rows.nodes.len().checked_sub(listed.len()) {
            self.line(
                DIM,
                "  ",
                &format!("and {more} more, none of them worse; all are in index.html (-o DIR)"),
            )?;
        }
        Ok(())
    }

    fn cluster(&mut self, cluster: &view::Cluster) -> io::Result<()> {
        self.heading(&format!("Cluster {}", cluster.cluster))?;
        for note in &cluster.notes {
            self.line(YELLOW, "  note  ", note)?;
        }
        self.findings(&cluster.findings)?;
        self.ignored(&cluster.ignored)
    }

    fn node(&mut self, node: &view::Node) -> io::Result<()> {
        self.title(node)?;
        self.numbers(node)?;
        self.issues(node)?;
        self.ignored(&node.ignored)?;
        self.guests(node)?;
        if let Some(next) = &node.next_vmids {
            self.heading("Next VM IDs")?;
            self.line(DIM, "  ", &next.sentence)?;
            for id in next.ids.iter().filter(|id| id.outcome == "blocked") {
                self.line(
                    YELLOW,
                    "  blocked  ",
                    &format!("{}: {}", id.vmid, id.meets.join("; ")),
                )?;
            }
        }
        self.prevention(node)?;
        self.missing(node)?;
        if let Some(script) = &node.script {
            self.heading("Cleanup")?;
            self.line(
                DIM,
                "  ",
                &format!(
                    "{script}: {}. Without options it changes nothing.",
                    count(node.planned.len(), "entry planned", "entries planned")
                ),
            )?;
        }
        Ok(())
    }

    fn title(&mut self, node: &view::Node) -> io::Result<()> {
        let grade = node.grade.as_deref();
        let style = grade_style(grade);
        let cluster = match (&node.cluster, node.environment.as_str()) {
            (Some(cluster), _) => format!(", cluster {cluster}"),
            (None, "standalone") => ", standalone".to_owned(),
            _ => String::new(),
        };
        let labels = [&node.labels.customer, &node.labels.site];
        let labels: String = labels
            .into_iter()
            .flatten()
            .map(|label| format!(", {label}"))
            .collect();
        let version = node
            .pve_version
            .as_ref()
            .map_or_else(String::new, |version| format!(", PVE {version}"));
        writeln!(
            self.out,
            "\n{BOLD}{}{BOLD:#}{}  {DIM}{}{DIM:#}",
            printable(&node.slug),
            printable(&format!("{labels}{cluster}{version}")),
            printable(&node.collected_at),
        )?;
        let score = node
            .score
            .map_or_else(String::new, |score| format!("  {score}/100"));
        writeln!(
            self.out,
            "{style}Grade {}{style:#}{score}  {}",
            grade.unwrap_or("none"),
            printable(&node.grade_reason)
        )?;
        self.line(BOLD, "", &node.headline)?;
        match history::sentence(&node.history) {
            Some(sentence) => self.line(DIM, "", &sentence),
            None => Ok(()),
        }
    }

    fn numbers(&mut self, node: &view::Node) -> io::Result<()> {
        let summary = &node.summary;
        self.heading("Summary")?;
        for (label, number) in [
            ("Entries of guests", summary.entries),
            ("  valid", summary.valid),
            ("  duplicate", summary.duplicates),
            ("  orphaned", summary.orphans),
            ("  unknown", summary.unknown),
            ("  in use", summary.in_use),
            ("Guests", summary.guests),
            ("  running", summary.guests_running),
        ] {
            writeln!(self.out, "  {label:<20}{number:>6}")?;
        }
        Ok(())
    }

    fn issues(&mut self, node: &view::Node) -> io::Result<()> {
        if node.findings.is_empty() {
            return Ok(());
        }
        self.heading("Issues, worst first")?;
        self.findings(&node.findings)
    }

    /// The worst ones, and how many more there are.
    fn findings(&mut self, findings: &[view::Finding]) -> io::Result<()> {
        for finding in findings.iter().take(LISTED_FINDINGS) {
            self.finding(finding)?;
        }
        let more = findings.len().saturating_sub(LISTED_FINDINGS);
        if more > 0 {
            let text = format!(
                "{} not shown here: all are in the HTML report and report.json (-o DIR) and in --format json",
                count(more, "further issue is", "further issues are")
            );
            self.line(YELLOW, "  ", &text)?;
        }
        Ok(())
    }

    fn finding(&mut self, finding: &view::Finding) -> io::Result<()> {
        let style = severity_style(&finding.severity);
        let label = format!("  {:<9} ", finding.severity);
        self.line(
            style,
            &label,
            &format!("{} [{}]", finding.message, finding.check),
        )?;
        self.line(DIM, "            impact  ", &finding.impact)?;
        self.line(DIM, "            do      ", &finding.remedy)
    }

    fn guests(&mut self, node: &view::Node) -> io::Result<()> {
        if node.guests.is_empty() {
            return Ok(());
        }
        self.heading("Guests")?;
        for guest in &node.guests {
            let style = match guest.health.as_str() {
                "healthy" => GREEN,
                "critical" => RED,
                _ => YELLOW,
            };
            let locked = guest
                .locked
                .as_ref()
                .map_or_else(String::new, |lock| format!(", locked ({lock})"));
            let text = format!(
                " {:>9} {}  {:<24} {}{locked}{}, {}, {}",
                guest.vmid,
                guest.kind,
                guest.name,
                guest.status,
                if guest.template { ", template" } else { "" },
                count(guest.disks, "disk", "disks"),
                count(guest.issues, "issue", "issues"),
            );
            let health = printable(&guest.health);
            writeln!(
                self.out,
                "  {style}{health:<9}{style:#}{}",
                printable(&text)
            )?;
        }
        Ok(())
    }
}

/// Breaks a text at blanks; a word that is too long stays whole.
pub(crate) fn fold(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let word_length = word.chars().count();
        if length > 0 && length + 1 + word_length > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if !line.is_empty() || length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += word_length;
    }
    lines.push(line);
    lines
}
