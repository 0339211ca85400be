//! More of something than any cluster has: what is shown is bounded, and how
//! many more there are is said.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod made;

use std::fs;
use std::path::Path;
use std::process::Command;

use made::{SHARED, add, info, pools};
use zip::ZipWriter;

/// Archives in a folder, and the folder that their report is written to.
struct Run(tempfile::TempDir);

impl Run {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Adds a bundle of a node of cluster `c`.
    fn bundle(&self, node: &str, time: &str, files: &[(&str, &str)]) {
        let path = self.0.path().join(format!("{node}-{time}.zip"));
        let mut archive = ZipWriter::new(fs::File::create(path).unwrap());
        add(&mut archive, node, time, files);
        archive.finish().unwrap();
    }

    /// Analyzes all of them; a file of the report.
    fn report(&self, file: &str) -> String {
        let out = self.0.path().join("report");
        if !out.exists() {
            let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
                .args(["analyze", "--now", "2026-11-26T00:00:00Z", "-o"])
                .args([out.as_path(), self.0.path()])
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
        }
        fs::read_to_string(Path::new(&out).join(file)).unwrap()
    }
}

/// A small archive can list more than any cluster has: it is refused before
/// it is analyzed, and the others are not.
#[test]
fn bundles_of_one_archive_list_together_what_a_cluster_has() {
    let run = Run::new();
    let named = |count: usize| -> String {
        let line = |at: usize| format!("v-vm--{}--disk--0\t(254:{at})\n", 1_000 + at);
        (0..count).map(line).collect()
    };
    run.bundle("good", "20261123T183645Z", &[SHARED]);
    let path = run.0.path().join("several.zip");
    let mut archive = ZipWriter::new(fs::File::create(&path).unwrap());
    for (node, count) in [
        ("n0", 20_000),
        ("n1", 20_000),
        ("n2", 20_000),
        ("n3", 4_001),
    ] {
        let files = [("commands/dmsetup-ls.out", named(count))];
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        add(&mut archive, node, "20261123T183645Z", &files);
    }
    archive.finish().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .arg("analyze")
        .arg(run.0.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let errors = String::from_utf8(output.stderr).unwrap();
    let expected = "several.zip: it has more than the 64000 entries and guests for several \
                    bundles in one archive that are allowed; split it if you trust";
    assert!(errors.contains(expected), "{errors}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("good, "));
}

#[test]
fn a_cluster_shows_as_many_volumes_as_there_is_room_for() {
    let run = Run::new();
    for node in 0..100 {
        let infos: String = (0..50)
            .map(|at| info(1_000 + 50 * node + at, at, 0))
            .collect();
        let guest = "files/etc/pve/nodes/n000/qemu-server/900000.conf";
        let files = [
            ("commands/dmsetup-info.out", infos.as_str()),
            (guest, "memory: 1\n"),
            SHARED,
        ];
        run.bundle(&format!("n{node:03}"), "20261123T183645Z", &files);
    }
    let page = run.report("clusters/c.html");
    let shown = page
        .matches("<th scope=\"row\" class=\"name\">v/vm-")
        .count();
    assert_eq!(shown, 4_000);
    assert!(page.contains("Shared volumes <span class=\"n\">5,000</span>"));
    assert!(page.contains("1,000 more volumes are not shown"), "{shown}");
}

#[test]
fn a_history_shows_as_many_pools_as_there_is_room_for() {
    let run = Run::new();
    for (day, first) in [(22, 0), (23, 1)] {
        let lvs = pools(600, first);
        let files = [
            (
                "commands/machine-id.out",
                "0123456789abcdef0123456789abcdef\n",
            ),
            ("commands/lvs-json.out", lvs.as_str()),
            SHARED,
        ];
        run.bundle("n", &format!("202611{day}T183645Z"), &files);
    }
    let page = run.report("nodes/n.html");
    assert_eq!(page.matches(": per cent full</h3>").count(), 128);
    assert!(page.contains("472 more thin pools have no chart."));
    assert!(page.contains("472 more pools not compared"));
    // The fullest come first.
    let (full, less) = (page.find("v/p098: per cent"), page.find("v/p097: per cent"));
    assert!(full < less && full.is_some());
    let json: serde_json::Value = serde_json::from_str(&run.report("report.json")).unwrap();
    for point in json["nodes"][0]["history"].as_array().unwrap() {
        assert_eq!(point["pools"].as_array().unwrap().len(), 500);
        assert_eq!(point["more_pools"], 100);
    }
}
