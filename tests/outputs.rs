//! Readers that go away, files in the way and signals: outputs are whole or
//! not there, and the user is told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn analyze() -> Command {
    let samples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut command = Command::new(env!("CARGO_BIN_EXE_dmaudit"));
    command.arg("analyze").arg(samples);
    command
}

fn names(folder: &Path) -> Vec<String> {
    let entries = walkdir::WalkDir::new(folder).into_iter();
    entries
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect()
}

#[test]
fn a_reader_that_goes_away_is_no_failure_in_any_format() {
    for format in ["text", "json", "ndjson", "prometheus"] {
        // At once, and in the middle.
        for taken in [0, 10] {
            let (mut reader, writer) = std::io::pipe().unwrap();
            let child = analyze()
                .args(["--format", format])
                .stdout(writer)
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            reader.read_exact(&mut vec![0; taken]).unwrap();
            drop(reader);
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(0), "{format}: {said}");
            assert!(!said.contains("panic"), "{said}");
        }
    }
}

#[test]
fn a_file_in_the_way_of_a_folder_is_named_and_stays() {
    let out = tempfile::tempdir().unwrap();
    for (place, text) in [("nodes", "mine"), ("file", "mine")] {
        let file = out.path().join(place);
        fs::write(&file, text).unwrap();
        let target = match place {
            "file" => file.clone(),
            _ => out.path().to_owned(),
        };
        let output = analyze().arg("-o").arg(&target).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(file.to_str().unwrap()), "{said}");
        assert!(said.contains("could not be written"), "{said}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        assert!(!out.path().join("index.html").exists());
        let left = names(out.path());
        assert!(
            !left.iter().any(|name| name.contains(".dmaudit-")),
            "{left:?}"
        );
    }
}

/// So many bundles that it is still at them when the signal comes.
#[test]
fn a_signal_in_the_middle_leaves_no_temporary_file_and_the_old_report() {
    let out = tempfile::tempdir().unwrap();
    for name in ["report.json", "index.html"] {
        fs::write(out.path().join(name), "old").unwrap();
    }
    let bundles = tempfile::tempdir().unwrap();
    let sample =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples/dmaudit-pve1-20261123T183645Z.zip");
    for copy in 0..200 {
        fs::copy(&sample, bundles.path().join(format!("{copy}.zip"))).unwrap();
    }
    let staged = || {
        let entries = fs::read_dir(out.path()).unwrap();
        let mut names = entries.map(|entry| entry.unwrap().file_name());
        names.any(|name| name.to_string_lossy().starts_with(".dmaudit-"))
    };
    let mut child = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .arg("analyze")
        .arg(bundles.path())
        .arg("-o")
        .arg(out.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !staged() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before");
        std::thread::yield_now();
    }
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(!staged(), "{:?}", names(out.path()));
    for name in ["report.json", "index.html"] {
        assert_eq!(fs::read(out.path().join(name)).unwrap(), b"old", "{name}");
    }
}
