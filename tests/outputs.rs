//! Readers that go away, files in the way and signals: outputs are whole or
//! not there, and the user is told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

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

/// Every command that writes one file, which it is told last, and a bundle.
const INTO_ONE_FILE: [&[&str]; 3] = [
    &["facts", "-o"],
    &[
        "mail",
        "--from",
        "a@example.com",
        "--to",
        "b@example.com",
        "--eml",
    ],
    &["diff", "--html"],
];

fn write_into(command: &[&str], file: &Path, bundle: &Path) -> Output {
    let mut run = Command::new(env!("CARGO_BIN_EXE_dmaudit"));
    run.args(command).arg(file).arg(bundle);
    if command[0] == "diff" {
        run.arg(bundle);
    }
    run.args(["--now", "2026-11-23T19:00:00Z"])
        .output()
        .unwrap()
}

fn solo() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples/dmaudit-solo-20261123T183645Z.zip")
}

/// What differs from run to run: a mail's boundaries.
fn comparable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines = text
        .lines()
        .filter(|line| !line.contains("boundary=") && !line.starts_with("--"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Root could replace any device, and it would be gone for the whole system.
#[test]
fn a_pipe_is_written_into_and_stays() {
    for command in INTO_ONE_FILE {
        let out = tempfile::tempdir().unwrap();
        let [pipe, file] = ["pipe", "file"].map(|name| out.path().join(name));
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        let mut reader = Command::new("cat")
            .arg(&pipe)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = reader.stdout.take().unwrap();
        let reading = std::thread::spawn(move || {
            let mut text = Vec::new();
            stdout.read_to_end(&mut text).map(|_| text)
        });
        let output = write_into(command, &pipe, &solo());
        let stays = fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo();
        if !stays || !output.status.success() {
            reader.kill().unwrap();
        }
        assert!(stays && output.status.success(), "{command:?} {output:?}");
        reader.wait().unwrap();
        let text = reading.join().unwrap().unwrap();
        assert!(write_into(command, &file, &solo()).status.success());
        assert_eq!(comparable(&text), comparable(&fs::read(&file).unwrap()));
        assert!(text.len() > 1000, "{command:?}");
        assert_eq!(names(out.path()).len(), 3, "{:?}", names(out.path()));
    }
}

/// Another user may have put it there, for root to write somewhere else.
#[test]
fn a_link_is_replaced_and_the_file_behind_it_stays() {
    for command in INTO_ONE_FILE {
        let out = tempfile::tempdir().unwrap();
        let [link, file] = ["link", "file"].map(|name| out.path().join(name));
        fs::write(&file, "another's").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        assert!(write_into(command, &link, &solo()).status.success());
        assert!(!link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"another's", "{command:?}");
        assert!(fs::read(&link).unwrap().len() > 1000, "{command:?}");
        assert_eq!(names(out.path()).len(), 3, "{:?}", names(out.path()));
    }
}

/// `/dev/stdout` leads there. The shell that opened it goes on where this ends.
#[test]
fn the_stream_of_a_program_is_added_to() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("file");
    let mut stdout = fs::File::create(&file).unwrap();
    stdout.write_all(b"before\n").unwrap();
    let mut shell = stdout.try_clone().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["facts", "-o", "/proc/self/fd/1"])
        .arg(solo())
        .stdout(stdout)
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    shell.write_all(b"after\n").unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let facts = text.strip_prefix("before\n").unwrap();
    let facts = facts.strip_suffix("}\nafter\n").unwrap();
    assert!(facts.starts_with('{'));
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
        Command::new("sh")
            .args(["-c", "kill \"$@\"", "sh"])
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
