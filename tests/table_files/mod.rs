//! Runs that write tables of the samples.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn analyze(option: &str, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dmaudit"));
    command
        .args(["analyze", "--format", "json"])
        .args(["--now", "2026-11-24T12:00:00Z", option])
        .arg(folder)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples"));
    command
}

/// The report of the samples; the tables of `option` are in `folder`.
pub fn run(option: &str, folder: &Path) -> Value {
    let output = analyze(option, folder).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A folder that can't be made: the run names `file`, and leaves nothing.
pub fn fails_where_no_folder_can_be(option: &str, file: &str) {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("file");
    fs::write(&in_the_way, "").unwrap();
    let output = analyze(option, &in_the_way.join("tables"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains(file),
        "{output:?}"
    );
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}
