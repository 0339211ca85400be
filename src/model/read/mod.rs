//! From a bundle to a node: each part is parsed, and what is missing, failed
//! or not understood is written down beside it.

mod bounds;
mod budget;
mod configurations;
mod guests;
mod holders;
mod identity;
mod listings;
mod lvm_tables;
mod membership;
mod room;
mod shorten;
mod system;

pub use configurations::Configurations;

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::bundle::{Bundle, Output};
use crate::model::cluster::Signature;
use crate::model::device::{Device, Devices};
use crate::model::evidence::{Evidence, LISTINGS, State};
use crate::model::lvm::{Facts, Lvm, Reports, VolumeGroup};
use crate::model::node::Node;
use crate::model::storage::{Storage, Storages};
use crate::parse::kernel_log::KernelLine;
use crate::parse::lsblk::BlockDevice;
use crate::parse::lvmconfig::LvmConfig;
use crate::parse::multipath::Multipath;
use crate::parse::{self, Parsed, lvm_json};
use room::{Room, cost};

/// Whether an output or file is larger than any node's, so that it is not
/// read. `input` is the command's id or the file's path.
pub fn is_larger(input: &str, text: &str) -> bool {
    bounds::refusal(input, text).is_some()
}

/// The part of a kernel's log that is read.
pub fn last_lines(text: &str) -> &str {
    bounds::last_lines(text).0
}

/// Reads a bundle. Every bundle gives a node: what can't be read is missing
/// evidence, noted as such. `known` has the configurations of other bundles.
pub fn node(bundle: &Bundle, known: &Configurations) -> Node {
    let mut reader = Reader::new(bundle);
    let identity = identity::read(&mut reader);
    let blocks = blocks(&mut reader);
    let (mut devices, listing_gap) = listings::devices(&mut reader, &blocks);
    let holders = holders::read(&mut reader, &devices, &blocks);
    let thin_pools = thin_pools(&mut reader);
    let lvm = lvm(&mut reader, &devices, &blocks);
    devices.flag_open(|device| open_by_lvm(device, &lvm));
    let storages = storages(&mut reader, &identity.name);
    let (guests, membership) = guests::read(&mut reader, known, &identity.name);
    let next_ids = bundle
        .files_below("/etc/pve")
        .next()
        .is_some()
        .then(|| reader.file("/etc/pve/datacenter.cfg", parse::datacenter::parse))
        .map(Option::unwrap_or_default);
    let storage_status = reader.command("pvesm-status", parse::pvesm::parse);
    let pve = shorten::versions(reader.command("pveversion", parse::pveversion::parse));
    let lvm_config = lvm_config(&mut reader);
    let kernel_log = kernel_log(&mut reader);
    let multipaths = shorten::multipaths(multipaths(&mut reader));
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
            manifest.collector.as_ref().map_or_else(
                || "unnamed".to_owned(),
                |name| bounds::brief(name, bounds::NAME),
            )
        }),
        pve,
        devices,
        listing_gap,
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

/// Which node of which cluster a bundle is of, and when it was taken. It is
/// the same for a bundle that was opened whole or in brief.
pub fn signature(bundle: &Bundle) -> Signature {
    let mut reader = Reader::new(bundle);
    let identity = identity::read(&mut reader);
    let membership = membership::membership(&mut reader, &identity.name);
    let storages = storages(&mut reader, &identity.name);
    let lvm = Lvm::new(Reports {
        vgs: groups(&mut reader, &mut Facts::default()),
        ..Reports::default()
    });
    Signature {
        machine_id_sha256: identity.machine_id_sha256,
        collected_at: identity.collected_at,
        ..Signature::new(&identity.name, &membership, &storages, &lvm)
    }
}

/// How many device-mapper entries and guests a bundle lists: what the size of
/// its report depends on.
pub fn listed(bundle: &Bundle) -> usize {
    let mut reader = Reader::new(bundle);
    let blocks = blocks(&mut reader);
    let (devices, _) = listings::devices(&mut reader, &blocks);
    let guests = ["qm-list", "pct-list"].map(|id| reader.command(id, parse::guest_list::parse));
    devices.len() + guests.iter().map(Vec::len).sum::<usize>()
}

/// A bundle, with what is written down while it is read.
struct Reader<'a> {
    bundle: &'a Bundle,
    evidence: Evidence,
    notes: Vec<String>,
    /// Commands whose output is larger than any node's.
    too_large: BTreeSet<String>,
    room: Room,
}

impl<'a> Reader<'a> {
    fn new(bundle: &'a Bundle) -> Self {
        let mut evidence = Evidence::default();
        let mut notes = bundle.notes().to_vec();
        let mut too_large = BTreeSet::new();
        for id in bundle.commands() {
            let Some(output) = bundle.command(id) else {
                continue;
            };
            let text = match id {
                "kernel-dm" => bounds::last_lines(&output.text).0,
                _ => &output.text,
            };
            let refusal = bounds::refusal(id, text).or_else(|| bounds::refusal(id, &output.error));
            if let Some(why) = refusal {
                notes.push(format!("{id} was {why}"));
                evidence.note(id, State::Failed(why));
                too_large.insert(id.to_owned());
            } else {
                evidence.note(id, state(id, &output));
            }
        }
        notes.extend(
            bundle
                .unread()
                .iter()
                .take(bounds::UNREAD)
                .map(|unread| format!("{} could not be read: {}", unread.path, unread.error))
                .map(|note| bounds::brief(&note, bounds::SENTENCE)),
        );
        if let Some(more @ 1..) = bundle.unread().len().checked_sub(bounds::UNREAD) {
            notes.push(format!("{more} more files could not be read"));
        }
        Self {
            bundle,
            evidence,
            notes,
            too_large,
            room: Room::default(),
        }
    }

    /// What a command printed, whether or not it ended well; nothing where
    /// that is more than any node has.
    fn output(&self, id: &str) -> Option<Output<'a>> {
        let usable = !self.too_large.contains(id);
        usable.then(|| self.bundle.command(id)).flatten()
    }

    /// Standard output of a command, as [`Reader::output`].
    fn text(&self, id: &str) -> Option<Cow<'a, str>> {
        Some(self.output(id)?.text)
    }

    /// Whether no listing of device-mapper's own is in the bundle, not even a
    /// failed one.
    fn lacks_listings(&self) -> bool {
        LISTINGS
            .iter()
            .all(|id| *self.evidence.state(id) == State::Missing)
    }

    /// Counts what a command listed as more than any node has: what was read
    /// of it is not used.
    fn refuse(&mut self, id: &str, why: String) {
        self.notes.push(format!("{id} was {why}"));
        self.evidence.note(id, State::Failed(why));
        self.too_large.insert(id.to_owned());
    }

    /// What a command listed, if there is room for so many things that take as
    /// many bytes each.
    fn with_room<T>(&mut self, id: &str, found: Vec<T>, bytes: usize) -> Vec<T> {
        match self.room.take(found.len() * bytes) {
            Ok(()) => found,
            Err(why) => {
                self.refuse(id, why);
                Vec::new()
            }
        }
    }

    /// Parses a command's output; empty facts where there is none.
    fn command<T: Default>(&mut self, id: &str, parser: impl FnOnce(&str) -> Parsed<T>) -> T {
        self.optional(id, parser).unwrap_or_default()
    }

    /// Parses a command's output, if there is one.
    fn optional<T>(&mut self, id: &str, parser: impl FnOnce(&str) -> Parsed<T>) -> Option<T> {
        let text = self.text(id)?;
        Some(self.parsed(id, &text, parser))
    }

    /// Parses a command's output, of which the facts may have parts.
    fn parsed<'t, T>(
        &mut self,
        id: &str,
        text: &'t str,
        parser: impl FnOnce(&'t str) -> Parsed<T>,
    ) -> T {
        let parsed = parser(text);
        // What a failed command printed is often no output of its format.
        if self.evidence.has(id) {
            self.note_problems(id, &parsed);
        }
        parsed.value
    }

    /// Parses a file, if it is there and no larger than any node's.
    fn file<T>(&mut self, path: &str, parser: impl FnOnce(&str) -> Parsed<T>) -> Option<T> {
        let text = self.bundle.file(path)?;
        let parsed = bounds::within(path, &text, parser);
        self.noted(path, parsed.map(|parsed| parsed.map(Some)))
    }

    /// What became of a file; what was not understood is noted.
    fn noted<T>(&mut self, path: &str, parsed: Result<Parsed<Option<T>>, String>) -> Option<T> {
        match parsed {
            Ok(parsed) => {
                self.note_problems(path, &parsed);
                parsed.value
            }
            Err(why) => {
                self.note(|| format!("{path} was {why}"));
                None
            }
        }
    }

    fn note_problems<T>(&mut self, input: &str, parsed: &Parsed<T>) {
        for problem in &parsed.problems {
            self.note(|| format!("{input}, line {}: {}", problem.line, problem.message));
        }
    }

    /// Notes something of which a forged bundle can hold any number: the
    /// first [`bounds::NOTES`] are kept.
    fn note(&mut self, note: impl FnOnce() -> String) {
        match self.notes.len() {
            length if length < bounds::NOTES => {
                self.notes.push(bounds::brief(&note(), bounds::SENTENCE));
            }
            bounds::NOTES => self
                .notes
                .push("there is more that was not understood; it is not listed".to_owned()),
            _ => {}
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
        None | Some(0) if LISTINGS.contains(&id) && output.text.trim().is_empty() => {
            State::Failed("it printed nothing; where there is no entry, dmsetup says so".to_owned())
        }
        None | Some(0) => State::Present,
        Some(1) if matches!(id, "lsof" | "fuser") => State::Present,
        Some(status) => {
            let said = output
                .error
                .lines()
                .map(str::trim)
                .find(|line| !line.is_empty());
            State::Failed(match said {
                Some(said) => {
                    let said = bounds::brief(said, bounds::SENTENCE);
                    format!("exit status {status}: {said}")
                }
                None => format!("exit status {status}"),
            })
        }
    }
}

/// The tree of block devices, where there is no listing of device-mapper's
/// own, or LVM's tables alone.
fn blocks(reader: &mut Reader<'_>) -> Vec<BlockDevice> {
    if !reader.lacks_listings() && *reader.evidence.state("lvs-json") != State::Missing {
        return Vec::new();
    }
    let mut blocks = reader.command("lsblk", parse::lsblk::parse);
    let most = 4 * bounds::ENTRIES;
    if blocks.len() > most {
        reader.refuse("lsblk", bounds::too_many(blocks.len(), "devices", most));
        blocks.clear();
    }
    blocks
}

/// Whether LVM says that an entry is open: the sixth letter of an active
/// volume's attributes.
fn open_by_lvm(device: &Device, lvm: &Lvm) -> Option<bool> {
    let has_layer = match &device.lvm_uuid {
        Some(uuid) => uuid.layer.is_some(),
        None => device.named_by_lvm()?.layer.is_some(),
    };
    let by_name = || {
        let name = device.named_by_lvm()?;
        lvm.by_name(&name.vg, &name.lv)
    };
    let lv = lvm.of(device).or_else(by_name)?;
    // A pool's flag is that of its inner layer.
    let plain = lv.active && !has_layer && !lv.is_thin_pool();
    plain.then(|| lv.attr.chars().nth(5) == Some('o'))
}

/// The end of the kernel's log, with the line numbers of the whole.
fn kernel_log(reader: &mut Reader<'_>) -> Vec<KernelLine> {
    let Some(text) = reader.text("kernel-dm") else {
        return Vec::new();
    };
    let (newer, skipped) = bounds::last_lines(&text);
    if skipped > 0 {
        reader.note(|| format!("kernel-dm: the first {skipped} lines were not read"));
    }
    let lines = parse::kernel_log::parse(newer).value;
    let mut lines = reader.with_room("kernel-dm", lines, cost::LOG_LINE);
    for line in &mut lines {
        line.line += skipped;
        line.text = bounds::brief(&line.text, bounds::SENTENCE);
    }
    lines
}

fn thin_pools(
    reader: &mut Reader<'_>,
) -> std::collections::BTreeMap<String, parse::thin_status::ThinPoolStatus> {
    let Some(text) = reader.text("dmsetup-status") else {
        return Default::default();
    };
    let rows = parse::dmsetup_table::rows(&text);
    reader.note_problems("dmsetup-status", &rows);
    let pools = rows.value.iter().filter(|row| row.kind == "thin-pool");
    let pools = pools.filter_map(|row| Some((row.name.to_owned(), row.args.parse().ok()?)));
    let pools = reader.with_room("dmsetup-status", pools.collect(), cost::POOL);
    pools.into_iter().collect()
}

fn lvm(reader: &mut Reader<'_>, devices: &Devices, blocks: &[BlockDevice]) -> Lvm {
    if *reader.evidence.state("lvs-json") == State::Missing
        && *reader.evidence.state("lvs") != State::Missing
    {
        return Lvm::new(lvm_tables::reports(reader, devices, blocks));
    }
    let mut facts = Facts::default();
    let mut whole = false;
    let lvs = reader.command("lvs-json", |text| {
        let parsed = lvm_json::parse(text, "lv", |row| facts.volume(row));
        whole = parsed.problems.is_empty();
        parsed
    });
    let lvs = reader.with_room("lvs-json", lvs, cost::ROW);
    Lvm::new(Reports {
        lvs,
        lvs_complete: whole && reader.evidence.has("lvs-json"),
        segments: reader.command("lvs-segments-json", |text| {
            lvm_json::parse(text, "seg", |row| facts.segment(row))
        }),
        vgs: groups(reader, &mut facts),
        pvs: few(reader, "pvs-json", "physical volumes", |text| {
            lvm_json::parse(text, "pv", |row| Some(facts.physical(row)))
        }),
    })
}

/// Groups or physical volumes that a command reports; none if there are more
/// than any node has.
fn few<T>(
    reader: &mut Reader<'_>,
    id: &str,
    what: &str,
    parser: impl FnOnce(&str) -> Parsed<Vec<T>>,
) -> Vec<T> {
    let found = reader.command(id, parser);
    if found.len() <= bounds::GROUPS {
        return reader.with_room(id, found, cost::ROW);
    }
    reader.refuse(id, bounds::too_many(found.len(), what, bounds::GROUPS));
    Vec::new()
}

fn multipaths(reader: &mut Reader<'_>) -> Vec<Multipath> {
    let found = reader.command("multipath", parse::multipath::parse);
    let paths = found.iter().map(|multipath| multipath.paths.len()).sum();
    for (count, what, most) in [
        (found.len(), "multipath devices", bounds::MULTIPATHS),
        (paths, "paths", bounds::PATHS),
    ] {
        if count > most {
            reader.refuse("multipath", bounds::too_many(count, what, most));
            return Vec::new();
        }
    }
    let each = cost::MULTIPATH * (found.len() + paths) / found.len().max(1);
    reader.with_room("multipath", found, each)
}

fn groups(reader: &mut Reader<'_>, facts: &mut Facts) -> Vec<VolumeGroup> {
    few(reader, "vgs-json", "volume groups", |text| {
        lvm_json::parse(text, "vg", |row| Some(facts.group(row)))
    })
}

fn lvm_config(reader: &mut Reader<'_>) -> Option<LvmConfig> {
    let (config, without) =
        shorten::lvm_config(reader.optional("lvmconfig", parse::lvmconfig::parse)?);
    for name in without {
        reader.note(|| {
            format!("lvmconfig: {name} is not read, for no node's is as long; what is proposed for it does not have it")
        });
    }
    Some(config)
}

fn storages(reader: &mut Reader<'_>, node: &str) -> Storages {
    let sections = reader.file("/etc/pve/storage.cfg", parse::storage_cfg::parse);
    // A longer id is none that PVE accepts, nor one that a guest could name.
    Storages::new(sections.map(|sections| {
        sections
            .into_iter()
            .filter(|section| section.id.len() <= bounds::NAME)
            .map(|section| shorten::storage(Storage::new(section, node)))
            .collect()
    }))
}
