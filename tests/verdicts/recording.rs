//! A copy of a recording, to be changed and audited.

use std::fs;
use std::path::{Path, PathBuf};

use dmaudit::audit::Audit;
use dmaudit::bundle::{Limits, discover, open};
use dmaudit::cleanup::plan::Plan;
use dmaudit::cleanup::planner::Decision;
use dmaudit::verdicts::Judgement;

pub struct Recording {
    folder: tempfile::TempDir,
}

impl Recording {
    /// A copy of the recording of a node of the cluster alpha.
    pub fn of(node: &str) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fake-node/alpha")
            .join(node);
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

    /// The standalone node `n1` with the storages `thin` and `thick` on the VG
    /// `pve`, without an entry, a volume or a guest.
    pub fn bare() -> Self {
        let bare = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        bare.write("uname", "Linux n1 6.8.12-4-pve #1 SMP x86_64 GNU/Linux\n")
            .write("dmsetup-info", "")
            .write("dmsetup-table", "")
            .write("qm-list", "")
            .write("pct-list", "")
            .write("lvs-json", "{\"report\":[{\"lv\":[]}]}")
            .write(
                "vgs-json",
                &format!(
                    "{{\"report\":[{{\"vg\":[{{\"vg_name\":\"pve\",\"vg_uuid\":\"{VG}\"}}]}}]}}"
                ),
            )
            .write(
                "/etc/pve/storage.cfg",
                "lvmthin: thin\n\tvgname pve\n\tthinpool data\n\nlvm: thick\n\tvgname pve\n",
            )
            .write("/etc/pve/nodes/n1/qemu-server/1.conf", "memory: 1\n")
            .write("/etc/pve/nodes/n1/lxc/2.conf", "memory: 1\n")
    }

    /// Adds an entry with its table.
    pub fn entry(self, name: &str, minor: u32, open: u32, uuid: &str, table: &str) -> Self {
        self.add("dmsetup-info", &info(name, minor, open, uuid))
            .add("dmsetup-table", &format!("{name}: {table}\n"))
    }

    /// Adds a volume of the VG `pve`, with the UUID of [`uuid`].
    pub fn lv(self, lv: &str, letter: char, attr: &str) -> Self {
        let uuid = letter.to_string().repeat(32);
        let row = format!(
            "\"lv\":[{{\"vg_name\":\"pve\",\"vg_uuid\":\"{VG}\",\"lv_name\":\"{lv}\",\"lv_uuid\":\"{uuid}\",\"lv_attr\":\"{attr}\"}}"
        );
        let rows = fs::read_to_string(self.path("lvs-json")).unwrap();
        let row = match rows.contains("\"lv\":[]") {
            true => row,
            false => row + ",",
        };
        self.edit("lvs-json", "\"lv\":[", &row)
    }

    /// Writes the bundle's manifest.
    pub fn manifest(self, text: &str) -> Self {
        fs::write(self.folder.path().join("manifest.json"), text).unwrap();
        self
    }

    /// Adds to a guest's configuration on the node `n1`.
    pub fn conf(self, guest: &str, text: &str) -> Self {
        let path = format!("/etc/pve/nodes/n1/{guest}.conf");
        let old = fs::read_to_string(self.path(&path)).unwrap_or_default();
        self.write(&path, &(old + text))
    }

    /// A bundle of `dmsetup info`, `qm list` and `/etc/pve` alone.
    pub fn minimal(self) -> Self {
        for entry in fs::read_dir(self.folder.path().join("commands")).unwrap() {
            let path = entry.unwrap().path();
            let id = path.file_stem().unwrap().to_str().unwrap();
            if !["dmsetup-info", "qm-list", "uname"].contains(&id) {
                fs::remove_file(path).unwrap();
            }
        }
        self
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
        let path = self.path(name);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{name} has no {from:?}");
        fs::write(path, text.replace(from, to)).unwrap();
        self
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
        let path = self.path(name);
        let old = fs::read_to_string(&path).unwrap();
        self.write(name, &(old + text))
    }

    /// A file's text or a command's output.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
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

    pub fn audit(&self) -> Audited {
        Audited::of(self.folder.path())
    }
}

pub struct Audited(pub Audit);

impl Audited {
    /// Audits a bundle.
    pub fn of(path: &Path) -> Self {
        let found = discover(&[path.to_owned()]);
        let source = found.sources.first().unwrap_or_else(|| panic!("{found:?}"));
        let bundles = open(source, &Limits::default()).unwrap();
        Self(Audit::of(bundles.first().unwrap()))
    }

    pub fn entry(&self, name: &str) -> (&Judgement, &Decision) {
        let (index, _, judgement) = self
            .0
            .verdicts
            .of(&self.0.node)
            .find(|(_, device, _)| device.name == name)
            .unwrap_or_else(|| panic!("no entry {name}"));
        (judgement, &self.0.planning.decisions[index])
    }

    /// `verdict reason lv_state action action_reason`, `-` for what is not.
    pub fn line(&self, name: &str) -> String {
        let (judgement, decision) = self.entry(name);
        format!(
            "{} {} {} {} {}",
            judgement.verdict.as_str(),
            judgement.reason.unwrap_or("-"),
            judgement.lv_state.as_str(),
            decision.action.as_str(),
            decision.reason.unwrap_or("-"),
        )
    }

    pub fn verdict(&self, name: &str) -> &'static str {
        self.entry(name).0.verdict.as_str()
    }

    /// What the script does.
    pub fn plan(&self) -> &Plan {
        &self.0.planning.plan
    }

    pub fn planned(&self) -> Vec<&str> {
        self.0
            .planning
            .plan
            .items
            .iter()
            .map(|item| item.name.as_str())
            .collect()
    }

    /// How many entries have this verdict.
    pub fn count(&self, verdict: &str) -> usize {
        self.0
            .verdicts
            .of(&self.0.node)
            .filter(|(_, _, judgement)| judgement.verdict.as_str() == verdict)
            .count()
    }
}

/// The UUID of the VG `pve` of [`Recording::bare`].
pub const VG: &str = "VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVV";

/// The UUID of an entry of its volume of that letter, with a layer such as
/// `-real`.
pub fn uuid(letter: char, layer: &str) -> String {
    format!("LVM-{VG}{}{layer}", letter.to_string().repeat(32))
}

/// A device as `dmsetup info` prints it.
pub fn info(name: &str, minor: u32, open: u32, uuid: &str) -> String {
    format!(
        "\nName:              {name}\nState:             ACTIVE\nRead Ahead:        256\nTables present:    LIVE\nOpen count:        {open}\nEvent number:      0\nMajor, minor:      254, {minor}\nNumber of targets: 1\n{}",
        if uuid.is_empty() {
            String::new()
        } else {
            format!("UUID: {uuid}\n")
        }
    )
}
