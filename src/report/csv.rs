//! Nodes, entries, guests and findings as tables of comma-separated values,
//! for spreadsheets and databases.
//!
//! A spreadsheet takes a cell for a formula by its first character. Texts come
//! from bundles, so one that begins like a formula gets an apostrophe before
//! it, and so does what follows `;`, `|` or `,` in one: some countries'
//! spreadsheets separate cells by these. Numbers stay numbers.

use std::io;

use super::view;
use super::words::printable;

/// The tables of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// A row a node.
    Nodes,
    /// A row a device-mapper entry.
    Entries,
    /// A row a guest.
    Guests,
    /// A row a finding, of nodes and of clusters, ignored ones, too.
    Findings,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 4] = [Self::Nodes, Self::Entries, Self::Guests, Self::Findings];

    /// The file's name.
    pub fn file(self) -> &'static str {
        match self {
            Self::Nodes => "nodes.csv",
            Self::Entries => "entries.csv",
            Self::Guests => "guests.csv",
            Self::Findings => "findings.csv",
        }
    }

    /// The columns. The first three tell the node: `id` is unique in a run.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Nodes => &[
                "id",
                "node",
                "cluster",
                "customer",
                "site",
                "environment",
                "collected_at",
                "bundle",
                "pve_version",
                "kernel",
                "grade",
                "score",
                "entries",
                "valid",
                "duplicates",
                "orphans",
                "unknown",
                "in_use",
                "guests",
                "guests_running",
                "critical",
                "warnings",
                "findings",
                "ignored",
                "planned",
                "page",
                "script",
            ],
            Self::Entries => &[
                "id",
                "node",
                "cluster",
                "name",
                "uuid",
                "devno",
                "open",
                "holders",
                "vg",
                "lv",
                "vmid",
                "guest_kind",
                "volume",
                "verdict",
                "reason",
                "lv_state",
                "action",
                "action_reason",
                "size_bytes",
                "pool",
                "severity",
            ],
            Self::Guests => &[
                "id", "node", "cluster", "vmid", "kind", "name", "status", "locked", "template",
                "disks", "entries", "issues", "health",
            ],
            Self::Findings => &[
                "id",
                "node",
                "cluster",
                "check",
                "severity",
                "subject",
                "vmid",
                "message",
                "impact",
                "remedy",
                "evidence",
                "ignored_reason",
                "ignored_until",
            ],
        }
    }

    /// The line of the columns' names.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn head(self) -> io::Result<Vec<u8>> {
        let mut rows = Rows::new();
        rows.row(self.columns().iter().map(|name| Cell::from(*name)))?;
        rows.bytes()
    }
}

/// A node's rows of each table, in the tables' order.
///
/// # Errors
///
/// None in practice.
pub fn of_node(node: &view::Node) -> io::Result<[Vec<u8>; 4]> {
    Ok([nodes(node)?, entries(node)?, guests(node)?, findings(node)?])
}

/// A cluster's rows of the table of findings.
///
/// # Errors
///
/// None in practice.
pub fn of_cluster(cluster: &view::Cluster) -> io::Result<Vec<u8>> {
    let mut rows = Rows::new();
    let id = || [Cell::Empty, Cell::Empty, Cell::from(&cluster.cluster)];
    for found in all(&cluster.findings, &cluster.ignored) {
        rows.row(id().into_iter().chain(finding(found)))?;
    }
    rows.bytes()
}

fn id(node: &view::Node) -> [Cell; 3] {
    [
        Cell::from(&node.slug),
        Cell::from(&node.node),
        Cell::from(&node.cluster),
    ]
}

fn nodes(node: &view::Node) -> io::Result<Vec<u8>> {
    let summary = &node.summary;
    let collected = Some(&node.collected_at).filter(|time| *time != "unknown");
    let mut rows = Rows::new();
    rows.row(id(node).into_iter().chain([
        Cell::from(&node.labels.customer),
        Cell::from(&node.labels.site),
        Cell::from(&node.environment),
        collected.map_or(Cell::Empty, Cell::from),
        Cell::from(&node.bundle),
        Cell::from(&node.pve_version),
        Cell::from(&node.kernel),
        // `A+` is a grade, not a formula: it does not begin like one.
        Cell::from(&node.grade),
        Cell::number(node.score),
        Cell::number(Some(summary.entries)),
        Cell::number(Some(summary.valid)),
        Cell::number(Some(summary.duplicates)),
        Cell::number(Some(summary.orphans)),
        Cell::number(Some(summary.unknown)),
        Cell::number(Some(summary.in_use)),
        Cell::number(Some(summary.guests)),
        Cell::number(Some(summary.guests_running)),
        Cell::number(Some(view::count_of_severity(&node.findings, "critical"))),
        Cell::number(Some(view::count_of_severity(&node.findings, "warning"))),
        Cell::number(Some(node.findings.len())),
        Cell::number(Some(node.ignored.len())),
        Cell::number(Some(node.planned.len())),
        Cell::from(&node.page),
        Cell::from(&node.script),
    ]))?;
    rows.bytes()
}

fn entries(node: &view::Node) -> io::Result<Vec<u8>> {
    let mut rows = Rows::new();
    for entry in &node.entries {
        rows.row(id(node).into_iter().chain([
            Cell::from(&entry.name),
            Cell::from(&entry.uuid),
            Cell::from(&entry.devno),
            Cell::number(entry.open),
            Cell::from(&entry.holders.join(" | ")),
            Cell::from(&entry.vg),
            Cell::from(&entry.lv),
            Cell::number(entry.vmid),
            Cell::from(&entry.guest_kind),
            Cell::from(&entry.volume),
            Cell::from(&entry.verdict),
            Cell::from(&entry.reason),
            Cell::from(&entry.lv_state),
            Cell::from(&entry.action),
            Cell::from(&entry.action_reason),
            Cell::number(entry.size),
            Cell::from(&entry.pool),
            Cell::from(&entry.severity),
        ]))?;
    }
    rows.bytes()
}

fn guests(node: &view::Node) -> io::Result<Vec<u8>> {
    let mut rows = Rows::new();
    for guest in &node.guests {
        rows.row(id(node).into_iter().chain([
            Cell::number(Some(guest.vmid)),
            Cell::from(&guest.kind),
            Cell::from(&guest.name),
            Cell::from(&guest.status),
            Cell::from(&guest.locked),
            Cell::from(if guest.template { "true" } else { "false" }),
            Cell::number(Some(guest.disks)),
            Cell::number(Some(guest.entries)),
            Cell::number(Some(guest.issues)),
            Cell::from(&guest.health),
        ]))?;
    }
    rows.bytes()
}

fn findings(node: &view::Node) -> io::Result<Vec<u8>> {
    let mut rows = Rows::new();
    for found in all(&node.findings, &node.ignored) {
        rows.row(id(node).into_iter().chain(finding(found)))?;
    }
    rows.bytes()
}

/// A finding, and the rule that ignores it, if one does.
type Found<'a> = (&'a view::Finding, Option<&'a view::Ignored>);

fn all<'a>(
    findings: &'a [view::Finding],
    ignored: &'a [view::Ignored],
) -> impl Iterator<Item = Found<'a>> {
    let ignored = ignored.iter().map(|one| (&one.finding, Some(one)));
    findings.iter().map(|one| (one, None)).chain(ignored)
}

fn finding((finding, ignored): Found<'_>) -> [Cell; 10] {
    [
        Cell::from(&finding.check),
        Cell::from(&finding.severity),
        Cell::from(&finding.subject),
        Cell::number(finding.vmid),
        Cell::from(&finding.message),
        Cell::from(&finding.impact),
        Cell::from(&finding.remedy),
        Cell::from(&finding.evidence.join(" | ")),
        ignored.map_or(Cell::Empty, |one| Cell::from(&one.reason)),
        ignored.map_or(Cell::Empty, |one| Cell::from(&one.until)),
    ]
}

/// A cell: nothing, a number, or a text that is no formula.
enum Cell {
    Empty,
    Safe(String),
}

impl Cell {
    fn number<N: ToString>(number: Option<N>) -> Self {
        number.map_or(Self::Empty, |number| Self::Safe(number.to_string()))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        // Where a spreadsheet separates cells by something else than commas, a
        // text is several cells, and quotes or blanks may stand before each.
        let mut safe = String::new();
        let mut begins = true;
        for c in printable(text).chars() {
            if begins && is_formulas_first(c) {
                safe.push('\'');
            }
            begins = match c {
                ';' | '|' | ',' => true,
                '"' | '\'' => begins,
                c => begins && c.is_whitespace(),
            };
            safe.push(c);
        }
        Self::Safe(safe)
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&Option<String>> for Cell {
    fn from(text: &Option<String>) -> Self {
        text.as_deref().map_or(Self::Empty, Self::from)
    }
}

/// With which characters spreadsheets begin a formula, in both widths.
fn is_formulas_first(first: char) -> bool {
    matches!(first, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
}

struct Rows(csv::Writer<Vec<u8>>);

impl Rows {
    fn new() -> Self {
        // RFC 4180: lines end in CR LF.
        let mut builder = csv::WriterBuilder::new();
        builder.terminator(csv::Terminator::CRLF);
        Self(builder.from_writer(Vec::new()))
    }

    fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> io::Result<()> {
        let cells = cells.into_iter().map(|cell| match cell {
            Cell::Empty => String::new(),
            Cell::Safe(text) => text,
        });
        self.0.write_record(cells).map_err(io::Error::other)
    }

    fn bytes(self) -> io::Result<Vec<u8>> {
        self.0.into_inner().map_err(|error| error.into_error())
    }
}
