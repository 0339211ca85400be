//! From a bundle to a node: each part is parsed, and what is missing, failed
//! or not understood is written down beside it.

mod guests;
mod holders;
mod identity;
mod system;

use crate::bundle::Bundle;
use crate::model::device::Devices;
use crate::model::evidence::{Evidence, SOURCES, State};
use crate::model::lvm::{Lvm, Reports};
use crate::model::node::Node;
use crate::model::storage::{Storage, Storages};
use crate::parse::dmsetup_info::DmInfo;
use crate::parse::{self, Parsed, lvm_json};

/// Reads a bundle. Every bundle gives a node: what can't be read is missing
/// evidence, noted as such.
pub fn node(bundle: &Bundle) -> Node {
    let mut reader = Reader::new(bundle);
    let identity = identity::read(&mut reader);
    let devices = devices(&mut reader);
    let holders = holders::read(&mut reader, &devices);
    let thin_pools = thin_pools(&mut reader);
    let lvm = lvm(&mut reader);
    let storages = storages(&mut reader);
    let (guests, membership) = guests::read(&mut reader, &identity.name);
    let next_ids = bundle
        .files_below("/etc/pve")
        .next()
        .is_some()
        .then(|| reader.file("/etc/pve/datacenter.cfg", parse::datacenter::parse))
        .map(Option::unwrap_or_default);
    let storage_status = reader.command("pvesm-status", parse::pvesm::parse);
    let pve = reader.command("pveversion", parse::pveversion::parse);
    let lvm_config = reader.optional("lvmconfig", parse::lvmconfig::parse);
    let kernel_log = reader.command("kernel-dm", parse::kernel_log::parse);
    let multipaths = reader.command("multipath", parse::multipath::parse);
    let system = system::read(&mut reader);
    Node {
        collected_at: identity.collected_at,
        machine_id_sha256: identity.machine_id_sha256,
        boot_id: identity.boot_id,
        kernel: identity.kernel.or_else(|| pve.running_kernel.clone()),
        name: identity.name,
        membership,
        bundle: bundle.source().to_owned(),
        collector: bundle.manifest().map(|manifest| {
            manifest
                .collector
                .clone()
                .unwrap_or_else(|| "unnamed".to_owned())
        }),
        pve,
        devices,
        holders,
        thin_pools,
        lvm,
        lvm_config,
        storages,
        storage_status,
        guests,
        next_ids,
        kernel_log,
        multipaths,
        system,
        evidence: reader.evidence,
        notes: reader.notes,
    }
}

/// A bundle, with what is written down while it is read.
struct Reader<'a> {
    bundle: &'a Bundle,
    evidence: Evidence,
    notes: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(bundle: &'a Bundle) -> Self {
        let mut evidence = Evidence::default();
        for id in bundle.commands() {
            if let Some(output) = bundle.command(id) {
                evidence.note(id, state(id, &output));
            }
        }
        let mut notes = bundle.notes().to_vec();
        notes.extend(
            bundle
                .unread()
                .iter()
                .map(|unread| format!("{} could not be read: {}", unread.path, unread.error)),
        );
        Self {
            bundle,
            evidence,
            notes,
        }
    }

    /// Standard output of a command, whether or not it ended well.
    fn text(&self, id: &str) -> Option<String> {
        Some(self.bundle.command(id)?.text.into_owned())
    }

    /// Parses a command's output; empty facts where there is none.
    fn command<T: Default>(&mut self, id: &str, parser: impl Fn(&str) -> Parsed<T>) -> T {
        self.optional(id, parser).unwrap_or_default()
    }

    /// Parses a command's output, if there is one.
    fn optional<T>(&mut self, id: &str, parser: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        let text = self.text(id)?;
        let parsed = parser(&text);
        // What a failed command printed is often no output of its format.
        if self.evidence.has(id) {
            self.note_problems(id, &parsed);
        }
        Some(parsed.value)
    }

    /// Parses a file, if it is there.
    fn file<T>(&mut self, path: &str, parser: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        let text = self.bundle.file(path)?.into_owned();
        let parsed = parser(&text);
        self.note_problems(path, &parsed);
        Some(parsed.value)
    }

    fn note_problems<T>(&mut self, input: &str, parsed: &Parsed<T>) {
        for problem in &parsed.problems {
            self.notes.push(format!(
                "{input}, line {}: {}",
                problem.line, problem.message
            ));
        }
    }
}

/// What became of a command. Some end with a status that is no failure:
/// `lsof` and `fuser` say by it that they found nothing, or not all.
fn state(id: &str, output: &crate::bundle::Output<'_>) -> State {
    if output.timed_out {
        return State::TimedOut;
    }
    match output.status {
        None | Some(0) => State::Present,
        Some(1) if matches!(id, "lsof" | "fuser") => State::Present,
        Some(status) => {
            let said = output
                .error
                .lines()
                .map(str::trim)
                .find(|line| !line.is_empty());
            State::Failed(match said {
                Some(said) => format!("exit status {status}: {said}"),
                None => format!("exit status {status}"),
            })
        }
    }
}

/// A parser of a list of facts.
type Parser<T> = fn(&str) -> Parsed<Vec<T>>;

fn devices(reader: &mut Reader<'_>) -> Devices {
    let mut best: (&'static str, Vec<DmInfo>) = (SOURCES[0].id, Vec::new());
    let forms: [(&'static str, Parser<DmInfo>); 3] = [
        ("dmsetup-info", parse::dmsetup_info::parse),
        (
            "dmsetup-info-columns",
            parse::dmsetup_columns::parse_separated,
        ),
        ("dmsetup-info-c", parse::dmsetup_columns::parse_aligned),
    ];
    for (id, parser) in forms {
        let infos = reader.command(id, parser);
        if infos.len() > best.1.len() {
            best = (id, infos);
        }
    }
    if best.1.is_empty() {
        // Names and numbers alone: open counts stay unknown.
        let listed = reader.command("dmsetup-ls", parse::dmsetup_deps::parse_ls);
        let infos = listed
            .into_iter()
            .enumerate()
            .map(|(index, (name, devno))| DmInfo {
                name,
                devno: Some(devno),
                line: index + 1,
                ..Default::default()
            })
            .collect();
        best = ("dmsetup-ls", infos);
    }
    let tables = reader.command("dmsetup-table", parse::dmsetup_table::parse);
    let deps = reader.command("dmsetup-deps", parse::dmsetup_deps::parse);
    Devices::new(best.0, best.1, tables, deps)
}

fn thin_pools(
    reader: &mut Reader<'_>,
) -> std::collections::BTreeMap<String, parse::thin_status::ThinPoolStatus> {
    let Some(text) = reader.text("dmsetup-status") else {
        return Default::default();
    };
    let rows = parse::dmsetup_table::rows(&text);
    reader.note_problems("dmsetup-status", &rows);
    rows.value
        .iter()
        .filter(|row| row.kind == "thin-pool")
        .filter_map(|row| Some((row.name.to_owned(), row.args.parse().ok()?)))
        .collect()
}

fn lvm(reader: &mut Reader<'_>) -> Lvm {
    let mut rows =
        |id: &str, section: &str| reader.command(id, |text| lvm_json::parse(text, section));
    let mut reports = Reports {
        lvs: rows("lvs-json", "lv"),
        segments: rows("lvs-segments-json", "seg"),
        vgs: rows("vgs-json", "vg"),
        pvs: rows("pvs-json", "pv"),
        lvs_complete: false,
    };
    let whole = reader
        .text("lvs-json")
        .is_some_and(|text| lvm_json::parse(&text, "lv").problems.is_empty());
    reports.lvs_complete = whole && reader.evidence.has("lvs-json");
    Lvm::new(reports)
}

fn storages(reader: &mut Reader<'_>) -> Storages {
    let sections = reader.file("/etc/pve/storage.cfg", parse::storage_cfg::parse);
    Storages::new(sections.map(|sections| sections.into_iter().map(Storage::from).collect()))
}
