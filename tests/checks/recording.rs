//! A copy of a recording, to be changed and checked.

use std::fs;
use std::path::{Path, PathBuf};

use dmaudit::bundle::{Limits, discover, open};
use dmaudit::checks::shared::Shared;
use dmaudit::checks::{self, Case};
use dmaudit::config::Thresholds;
use dmaudit::model::evidence::State;
use dmaudit::model::finding::Finding;
use dmaudit::model::read::{self, Configurations};
use dmaudit::verdicts::judge;

/// UUID of the shared VG, without dashes.
pub const SAN: &str = "NSrARW8xE3eF5Knc0vyq4gzobI2n1ie4";

pub struct Recording {
    folder: tempfile::TempDir,
}

impl Recording {
    /// A copy of the recording of a node of the cluster alpha (`pve1`,
    /// `pve2`), or of the healthy node `solo`.
    pub fn of(node: &str) -> Self {
        let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake-node");
        let source = match node {
            "solo" => recordings.join("solo"),
            node => recordings.join("alpha").join(node),
        };
        let folder = tempfile::tempdir().unwrap();
        for entry in walkdir::WalkDir::new(&source) {
            let entry = entry.unwrap();
            let target = folder
                .path()
                .join(entry.path().strip_prefix(&source).unwrap());
            if entry.file_type().is_dir() {
                fs::create_dir_all(target).unwrap();
            } else {
                fs::copy(entry.path(), target).unwrap();
            }
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        match name.strip_prefix('/') {
            Some(path) => self.folder.path().join("files").join(path),
            None => self
                .folder
                .path()
                .join("commands")
                .join(format!("{name}.out")),
        }
    }

    /// Replaces text in a file (`/etc/…`) or a command's output (its id).
    pub fn edit(self, name: &str, from: &str, to: &str) -> Self {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} has no {from:?}");
        self.write(name, &text.replace(from, to))
    }

    /// Takes the lines that hold `word` out.
    pub fn drop_lines(self, name: &str, word: &str) -> Self {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(word), "{name} has no {word:?}");
        let left: Vec<&str> = text.lines().filter(|line| !line.contains(word)).collect();
        self.write(name, &(left.join("\n") + "\n"))
    }

    /// Writes a file or a command's output.
    pub fn write(self, name: &str, text: &str) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Adds to a file or a command's output.
    pub fn add(self, name: &str, text: &str) -> Self {
        let old = fs::read_to_string(self.path(name)).unwrap();
        self.write(name, &(old + text))
    }

    /// Adds a row to one of LVM's JSON reports.
    pub fn row(self, id: &str, cells: &[(&str, &str)]) -> Self {
        let section = match id {
            "lvs-json" => "lv",
            "lvs-segments-json" => "seg",
            "vgs-json" => "vg",
            "pvs-json" => "pv",
            _ => panic!("{id} is no report"),
        };
        let cells: Vec<String> = cells
            .iter()
            .map(|(column, cell)| format!("{column:?}:{cell:?}"))
            .collect();
        let head = format!("\"{section}\": [");
        let row = format!("{head}\n{{{}}},", cells.join(", "));
        self.edit(id, &head, &row)
    }

    /// Adds a device as `dmsetup info` prints it.
    pub fn device(self, name: &str, minor: u32, open: u32, uuid: &str) -> Self {
        let uuid = match uuid {
            "" => String::new(),
            uuid => format!("UUID: {uuid}\n"),
        };
        self.add(
            "dmsetup-info",
            &format!(
                "\nName:              {name}\nState:             ACTIVE\nRead Ahead:        256\nTables present:    LIVE\nOpen count:        {open}\nEvent number:      0\nMajor, minor:      254, {minor}\nNumber of targets: 1\n{uuid}"
            ),
        )
    }

    /// Gives a device another open count, which nothing else contradicts.
    pub fn open_count(self, name: &str, from: u32, to: u32) -> Self {
        let block = |open| {
            format!(
                "Name:              {name}\nState:             ACTIVE\nRead Ahead:        256\nTables present:    LIVE\nOpen count:        {open}\n"
            )
        };
        let changed = self.edit("dmsetup-info", &block(from), &block(to));
        if to > 0 {
            return changed;
        }
        let lv = name.rsplit_once("vm--").unwrap().1.replace("--", "-");
        let row = format!("\"lv_name\":\"vm-{lv}\"");
        let lvs = fs::read_to_string(changed.path("lvs-json")).unwrap();
        let rows = lvs.lines().map(|line| match line.contains(&row) {
            true => line.replace("ao----", "a-----"),
            false => line.to_owned(),
        });
        let rows: Vec<String> = rows.collect();
        changed
            .drop_lines("dmsetup-info-c", &format!("{name} "))
            .drop_lines("dmsetup-info-columns", &format!("{name}|"))
            .write("lvs-json", &(rows.join("\n") + "\n"))
    }

    /// Removes a file, a folder or a command's output.
    pub fn remove(self, name: &str) -> Self {
        let path = self.path(name);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
        self
    }

    /// Makes a command fail.
    pub fn fail(self, id: &str, status: i32) -> Self {
        let path = self.path(id).with_extension("rc");
        fs::write(path, format!("{status}\n")).unwrap();
        self
    }

    pub fn checked(&self) -> Checked {
        let found = discover(&[self.folder.path().to_owned()]);
        let source = found.sources.first().unwrap_or_else(|| panic!("{found:?}"));
        let bundles = open(source, &Limits::default()).unwrap();
        let node = read::node(bundles.first().unwrap(), &Configurations::default());
        let (verdicts, references) = judge(&node);
        let case = Case::new(&node, &verdicts, &references, Thresholds::default());
        let (findings, not_run) = checks::node_findings(&case);
        let shared = Shared::of(&case, &findings);
        Checked {
            failed: node
                .evidence
                .gaps()
                .into_iter()
                .filter(|gap| matches!(gap.state, State::Failed(_)))
                .map(|gap| gap.id)
                .collect(),
            findings,
            shared,
            lacking: not_run.iter().map(|(check, _)| check.name).collect(),
        }
    }

    /// A check's findings: severity and subject of each.
    pub fn found(&self, check: &str) -> Vec<String> {
        self.checked().lines(check)
    }
}

/// A node with its findings.
pub struct Checked {
    pub findings: Vec<Finding>,
    /// The evidence that failed.
    pub failed: Vec<&'static str>,
    pub shared: Shared,
    /// The checks that lacked evidence.
    pub lacking: Vec<&'static str>,
}

impl Checked {
    /// A check's findings: severity and subject of each.
    pub fn lines(&self, check: &str) -> Vec<String> {
        self.findings
            .iter()
            .filter(|finding| finding.check == check)
            .map(|finding| format!("{} {}", finding.severity.as_str(), finding.subject))
            .collect()
    }

    /// The only finding of a check.
    pub fn only(&self, check: &str) -> &Finding {
        let found: Vec<&Finding> = self
            .findings
            .iter()
            .filter(|finding| finding.check == check)
            .collect();
        match found[..] {
            [finding] => finding,
            _ => panic!("{check}: {found:#?}"),
        }
    }
}

/// What a cluster's checks find on these nodes.
pub fn cluster(nodes: &[&Checked]) -> (Vec<Finding>, Vec<&'static str>) {
    let shared: Vec<&Shared> = nodes.iter().map(|node| &node.shared).collect();
    let (findings, not_run) = checks::cluster_findings(&shared);
    let lacking = not_run.iter().map(|(check, _)| check.name).collect();
    (findings, lacking)
}

/// Cells of a volume of `lvs-json`, of VG `pve` on pve1.
pub fn volume<'a>(
    name: &'a str,
    uuid: &'a str,
    attr: &'a str,
    size: &'a str,
) -> Vec<(&'static str, &'a str)> {
    let thin = attr.starts_with('V');
    vec![
        ("vg_name", "pve"),
        ("vg_uuid", "qI2XpX-d8NI-WOZX-TC89-2vFj-hskE-9CCRM7"),
        ("lv_name", name),
        ("lv_uuid", uuid),
        ("lv_attr", attr),
        ("lv_size", size),
        ("pool_lv", if thin { "data" } else { "" }),
        (
            "lv_active",
            if attr.as_bytes()[4] == b'a' {
                "active"
            } else {
                ""
            },
        ),
        ("lv_time", "2026-11-13 18:36:08 +0000"),
        ("lv_autoactivation", "enabled"),
    ]
}
