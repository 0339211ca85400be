//! A made-up node for the collector to run on, and the bundle that comes of it. See `make-node` and `stand-in` here.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use sha2::{Digest, Sha256};

/// What the collector may use of a node beside the commands it asks: nothing else is on its PATH.
const TOOLS: &[&str] = &[
    "awk",
    "cat",
    "cp",
    "cut",
    "find",
    "grep",
    "gzip",
    "id",
    "mkdir",
    "mktemp",
    "mv",
    "paste",
    "perl",
    "rm",
    "sed",
    "setsid",
    "sh",
    "sha256sum",
    "sleep",
    "sort",
    "tar",
    "tr",
    "xargs",
];

/// The file of this repository at `path`.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Where this machine has `tool`, if it has it.
pub fn find_tool(tool: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(tool))
        .find(|path| path.is_file())
}

/// A node in a temporary folder.
pub struct Node {
    folder: tempfile::TempDir,
}

impl Node {
    /// Makes up a node from a recording below `tests/fake-node`.
    pub fn from(recording: &str) -> Node {
        let node = Node {
            folder: tempfile::tempdir().unwrap(),
        };
        let made = Command::new("sh")
            .arg(project("tests/fake-node/make-node"))
            .arg(project("tests/fake-node").join(recording))
            .arg(node.path(""))
            .status()
            .unwrap();
        assert!(made.success(), "make-node failed");
        for folder in ["tools", "tmp", "out"] {
            fs::create_dir(node.path(folder)).unwrap();
        }
        for tool in TOOLS {
            let found = find_tool(tool).unwrap_or_else(|| panic!("this machine has no {tool}"));
            symlink(found, node.path("tools").join(tool)).unwrap();
        }
        node
    }

    /// A path in the node's folder: `root/…` is its file system, `bin/…` its commands, `out` where bundles go.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces a command or tool (`bin/NAME`, `tools/NAME`) by a shell script.
    pub fn script(&self, path: &str, text: &str) {
        self.remove(path);
        self.write(path, &format!("#!/bin/sh\n{text}\n"));
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Removes a file or folder, if it is there.
    pub fn remove(&self, path: &str) {
        let path = self.path(path);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            let _ = fs::remove_file(path);
        }
    }

    /// Makes `shell` the node's `sh`.
    pub fn use_shell(&self, shell: &Path) {
        self.remove("tools/sh");
        symlink(shell, self.path("tools/sh")).unwrap();
    }

    /// Starts the collector with these arguments, in the folder `out`.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.start_by("tools/sh", arguments)
    }

    /// As [`Node::start`], by another shell of the node.
    pub fn start_by(&self, shell: &str, arguments: &[&str]) -> Child {
        Command::new(self.path(shell))
            .arg(project("collector/dmaudit-collect.sh"))
            .args(arguments)
            .current_dir(self.path("out"))
            .env_clear()
            .env(
                "PATH",
                std::env::join_paths([self.path("bin"), self.path("tools")]).unwrap(),
            )
            .env("TMPDIR", self.path("tmp"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs the collector on this node's file system. It must leave nothing behind in its temporary folder.
    pub fn collect(&self, arguments: &[&str]) -> Output {
        let root = self.path("root");
        let output = self
            .start(&[&["--sysroot", root.to_str().unwrap()], arguments].concat())
            .wait_with_output()
            .unwrap();
        assert_eq!(
            self.list("tmp"),
            Vec::<String>::new(),
            "left in the temporary folder"
        );
        output
    }

    /// Runs the collector with `-o -` and opens the bundle it prints.
    pub fn bundle(&self, arguments: &[&str]) -> Bundle {
        let output = self.collect(&[&["-o", "-"], arguments].concat());
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Bundle::from_zip(&output.stdout)
    }

    /// The names in a folder, sorted.
    pub fn list(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The command lines that were called, in order.
    pub fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap();
        calls
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    }

    /// The processes that hanging stand-ins left behind.
    pub fn left_behind(&self) -> Vec<String> {
        let pids = fs::read_to_string(self.path("left-behind")).unwrap_or_default();
        pids.lines().map(str::to_owned).collect()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        for pid in self.left_behind() {
            let _ = Command::new("sh")
                .args(["-c", "kill \"$@\"", "sh"])
                .args(["-KILL", &pid])
                .status();
        }
    }
}

/// An opened bundle.
#[derive(Debug, PartialEq)]
pub struct Bundle {
    /// The one folder at its top.
    pub top: String,
    /// Every file's content by its path below `top`.
    pub files: BTreeMap<String, Vec<u8>>,
    /// `manifest.json`.
    pub manifest: Value,
}

impl Bundle {
    pub fn from_zip(bytes: &[u8]) -> Bundle {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut entries = Vec::new();
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            let name = entry.name().unwrap().into_owned();
            entries.push((name, content));
        }
        Bundle::new(entries)
    }

    pub fn from_tar_gz(bytes: &[u8]) -> Bundle {
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
        let mut entries = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            if entry.header().entry_type().is_file() {
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                entries.push((entry.path().unwrap().to_str().unwrap().to_owned(), content));
            }
        }
        Bundle::new(entries)
    }

    fn new(entries: Vec<(String, Vec<u8>)>) -> Bundle {
        let mut tops: Vec<&str> = entries
            .iter()
            .map(|(name, _)| name.split_once('/').unwrap().0)
            .collect();
        tops.dedup();
        assert_eq!(tops.len(), 1, "one folder at the top: {tops:?}");
        let top = tops[0].to_owned();
        let files: BTreeMap<_, _> = entries
            .iter()
            .map(|(name, content)| (name[top.len() + 1..].to_owned(), content.clone()))
            .collect();
        assert_eq!(files.len(), entries.len(), "no name twice");
        let manifest = serde_json::from_slice(&files["manifest.json"]).unwrap();
        Bundle {
            top,
            files,
            manifest,
        }
    }

    /// The text of a file of the bundle.
    pub fn text(&self, path: &str) -> &str {
        let content = self
            .files
            .get(path)
            .unwrap_or_else(|| panic!("{path} is not in the bundle"));
        std::str::from_utf8(content).unwrap()
    }

    /// The manifest's object in `list` whose `key` is `value`.
    pub fn noted(&self, list: &str, key: &str, value: &str) -> &Value {
        let found = self.manifest[list]
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item[key] == value);
        found.unwrap_or_else(|| panic!("{list} of the manifest has no {value}"))
    }

    /// The manifest's object for a command.
    pub fn command(&self, id: &str) -> &Value {
        self.noted("commands", "id", id)
    }

    /// The values of `key` in `list` of the manifest, sorted.
    pub fn all(&self, list: &str, key: &str) -> Vec<&str> {
        let items = self.manifest[list].as_array().unwrap().iter();
        let mut values: Vec<_> = items.map(|item| item[key].as_str().unwrap()).collect();
        values.sort_unstable();
        values
    }
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
