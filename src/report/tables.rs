//! Nodes, entries, guests and findings as tables: which columns there are,
//! of which kind, and the rows that a node or a cluster has. How they are
//! written is for [`csv`](super::csv) and, with the feature of that name,
//! `parquet`.

use super::view;

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

/// What the cells of a column hold. Any cell may be unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A time, RFC 3339.
    Time,
    /// A whole number.
    Number,
    /// Yes or no.
    Flag,
    /// Several texts.
    List,
}

/// A column's name and what is in it.
pub type Column = (&'static str, Kind);

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// It is unknown, or there is none.
    Unknown,
    /// A text.
    Text(&'a str),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// Several texts.
    List(&'a [String]),
}

/// A row: a cell for each column.
pub type Row<'a> = Vec<Value<'a>>;

const ID: [Column; 3] = [
    ("id", Kind::Text),
    ("node", Kind::Text),
    ("cluster", Kind::Text),
];

const NODES: &[Column] = &[
    ID[0],
    ID[1],
    ID[2],
    ("customer", Kind::Text),
    ("site", Kind::Text),
    ("environment", Kind::Text),
    ("collected_at", Kind::Time),
    ("bundle", Kind::Text),
    ("pve_version", Kind::Text),
    ("kernel", Kind::Text),
    ("grade", Kind::Text),
    ("score", Kind::Number),
    ("entries", Kind::Number),
    ("valid", Kind::Number),
    ("duplicates", Kind::Number),
    ("orphans", Kind::Number),
    ("unknown", Kind::Number),
    ("in_use", Kind::Number),
    ("guests", Kind::Number),
    ("guests_running", Kind::Number),
    ("critical", Kind::Number),
    ("warnings", Kind::Number),
    ("findings", Kind::Number),
    ("ignored", Kind::Number),
    ("planned", Kind::Number),
    ("page", Kind::Text),
    ("script", Kind::Text),
    ("machine_id_sha256", Kind::Text),
];

const ENTRIES: &[Column] = &[
    ID[0],
    ID[1],
    ID[2],
    ("name", Kind::Text),
    ("uuid", Kind::Text),
    ("devno", Kind::Text),
    ("open", Kind::Number),
    ("holders", Kind::List),
    ("vg", Kind::Text),
    ("lv", Kind::Text),
    ("vmid", Kind::Number),
    ("guest_kind", Kind::Text),
    ("volume", Kind::Text),
    ("verdict", Kind::Text),
    ("reason", Kind::Text),
    ("lv_state", Kind::Text),
    ("action", Kind::Text),
    ("action_reason", Kind::Text),
    ("size_bytes", Kind::Number),
    ("pool", Kind::Text),
    ("severity", Kind::Text),
];

const GUESTS: &[Column] = &[
    ID[0],
    ID[1],
    ID[2],
    ("vmid", Kind::Number),
    ("kind", Kind::Text),
    ("name", Kind::Text),
    ("status", Kind::Text),
    ("locked", Kind::Text),
    ("template", Kind::Flag),
    ("disks", Kind::Number),
    ("entries", Kind::Number),
    ("issues", Kind::Number),
    ("health", Kind::Text),
];

const FINDINGS: &[Column] = &[
    ID[0],
    ID[1],
    ID[2],
    ("check", Kind::Text),
    ("severity", Kind::Text),
    ("subject", Kind::Text),
    ("vmid", Kind::Number),
    ("message", Kind::Text),
    ("impact", Kind::Text),
    ("remedy", Kind::Text),
    ("evidence", Kind::List),
    ("ignored_reason", Kind::Text),
    ("ignored_until", Kind::Text),
];

impl Table {
    /// All tables.
    pub const ALL: [Self; 4] = [Self::Nodes, Self::Entries, Self::Guests, Self::Findings];

    /// What is made of each table, in the tables' order.
    ///
    /// # Errors
    ///
    /// The first that `make` gives.
    pub fn each<T, E>(mut make: impl FnMut(Self) -> Result<T, E>) -> Result<[T; 4], E> {
        let [nodes, entries, guests, findings] = Self::ALL;
        Ok([make(nodes)?, make(entries)?, make(guests)?, make(findings)?])
    }

    /// Its name, of which file names are made.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Entries => "entries",
            Self::Guests => "guests",
            Self::Findings => "findings",
        }
    }

    /// The columns. The first three tell the node: `id` is unique in a run.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Nodes => NODES,
            Self::Entries => ENTRIES,
            Self::Guests => GUESTS,
            Self::Findings => FINDINGS,
        }
    }

    /// A node's rows, each as long as there are columns.
    pub fn rows(self, node: &view::Node) -> Vec<Row<'_>> {
        let cells: Vec<Row<'_>> = match self {
            Self::Nodes => vec![about(node)],
            Self::Entries => node.entries.iter().map(entry).collect(),
            Self::Guests => node.guests.iter().map(guest).collect(),
            Self::Findings => findings(&node.findings, &node.ignored),
        };
        let id = [
            Value::from(&node.slug),
            Value::from(&node.node),
            Value::from(&node.cluster),
        ];
        cells.into_iter().map(|row| whole(&id, row)).collect()
    }

    /// A cluster's rows: it has findings alone.
    pub fn rows_of_cluster(self, cluster: &view::Cluster) -> Vec<Row<'_>> {
        if self != Self::Findings {
            return Vec::new();
        }
        let id = [
            Value::Unknown,
            Value::Unknown,
            Value::from(&cluster.cluster),
        ];
        let findings = findings(&cluster.findings, &cluster.ignored);
        findings.into_iter().map(|row| whole(&id, row)).collect()
    }
}

fn whole<'a>(id: &[Value<'a>; 3], cells: Row<'a>) -> Row<'a> {
    id.iter().cloned().chain(cells).collect()
}

fn about(node: &view::Node) -> Row<'_> {
    let summary = &node.summary;
    let collected = Some(&node.collected_at).filter(|time| *time != "unknown");
    vec![
        Value::from(&node.labels.customer),
        Value::from(&node.labels.site),
        Value::from(&node.environment),
        collected.map_or(Value::Unknown, Value::from),
        Value::from(&node.bundle),
        Value::from(&node.pve_version),
        Value::from(&node.kernel),
        Value::from(&node.grade),
        Value::number(node.score),
        Value::number(Some(summary.entries)),
        Value::number(Some(summary.valid)),
        Value::number(Some(summary.duplicates)),
        Value::number(Some(summary.orphans)),
        Value::number(Some(summary.unknown)),
        Value::number(Some(summary.in_use)),
        Value::number(Some(summary.guests)),
        Value::number(Some(summary.guests_running)),
        Value::number(Some(view::count_of_severity(&node.findings, "critical"))),
        Value::number(Some(view::count_of_severity(&node.findings, "warning"))),
        Value::number(Some(node.findings.len())),
        Value::number(Some(node.ignored.len())),
        Value::number(Some(node.planned.len())),
        Value::from(&node.page),
        Value::from(&node.script),
        Value::from(&node.machine_id_sha256),
    ]
}

fn entry(entry: &view::Entry) -> Row<'_> {
    vec![
        Value::from(&entry.name),
        Value::from(&entry.uuid),
        Value::from(&entry.devno),
        Value::number(entry.open),
        Value::List(&entry.holders),
        Value::from(&entry.vg),
        Value::from(&entry.lv),
        Value::number(entry.vmid),
        Value::from(&entry.guest_kind),
        Value::from(&entry.volume),
        Value::from(&entry.verdict),
        Value::from(&entry.reason),
        Value::from(&entry.lv_state),
        Value::from(&entry.action),
        Value::from(&entry.action_reason),
        Value::number(entry.size),
        Value::from(&entry.pool),
        Value::from(&entry.severity),
    ]
}

fn guest(guest: &view::Guest) -> Row<'_> {
    vec![
        Value::number(Some(guest.vmid)),
        Value::from(&guest.kind),
        Value::from(&guest.name),
        Value::from(&guest.status),
        Value::from(&guest.locked),
        Value::Flag(guest.template),
        Value::number(Some(guest.disks)),
        Value::number(Some(guest.entries)),
        Value::number(Some(guest.issues)),
        Value::from(&guest.health),
    ]
}

fn findings<'a>(findings: &'a [view::Finding], ignored: &'a [view::Ignored]) -> Vec<Row<'a>> {
    let ignored = ignored.iter().map(|one| (&one.finding, Some(one)));
    let findings = findings.iter().map(|one| (one, None)).chain(ignored);
    findings
        .map(|(finding, ignored)| {
            vec![
                Value::from(&finding.check),
                Value::from(&finding.severity),
                Value::from(&finding.subject),
                Value::number(finding.vmid),
                Value::from(&finding.message),
                Value::from(&finding.impact),
                Value::from(&finding.remedy),
                Value::List(&finding.evidence),
                ignored.map_or(Value::Unknown, |one| Value::from(&one.reason)),
                ignored.map_or(Value::Unknown, |one| Value::from(&one.until)),
            ]
        })
        .collect()
}

impl Value<'_> {
    /// A number; one beyond 2^63 counts nothing that exists.
    fn number<N: TryInto<i64>>(number: Option<N>) -> Self {
        let number = number.and_then(|number| number.try_into().ok());
        number.map_or(Self::Unknown, Self::Number)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a view::Word> for Value<'a> {
    fn from(word: &'a view::Word) -> Self {
        Self::Text(word)
    }
}

impl<'a> From<&'a Option<String>> for Value<'a> {
    fn from(text: &'a Option<String>) -> Self {
        text.as_ref().map_or(Self::Unknown, Self::from)
    }
}

impl<'a> From<&'a Option<view::Word>> for Value<'a> {
    fn from(word: &'a Option<view::Word>) -> Self {
        word.as_ref().map_or(Self::Unknown, Self::from)
    }
}
