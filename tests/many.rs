//! More of something than any cluster has: what is shown is bounded, and how
//! many more there are is said.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// Archives in a folder, and the folder that their report is written to.
struct Run(tempfile::TempDir);

impl Run {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Adds a bundle of a node of cluster `c`.
    fn bundle(&self, node: &str, time: &str, files: &[(&str, &str)]) {
        let top = format!("dmaudit-{node}-{time}");
        let file = fs::File::create(self.0.path().join(format!("{top}.zip"))).unwrap();
        let mut archive = zip::ZipWriter::new(file);
        let uname = format!("Linux {node} 6.8.12-4-pve #1 SMP x86_64 GNU/Linux\n");
        let common = [
            ("commands/uname.out", uname.as_str()),
            ("commands/qm-list.out", ""),
            ("commands/pct-list.out", ""),
            (
                "files/etc/pve/corosync.conf",
                "totem {\n  cluster_name: c\n}\nnodelist {\n}\n",
            ),
        ];
        for (path, text) in common.iter().chain(files) {
            let options = zip::write::SimpleFileOptions::default();
            archive
                .start_file(format!("{top}/{path}"), options)
                .unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
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

/// `dmsetup info` of an entry of VG `v`.
fn info(guest: usize, minor: usize, open: usize) -> String {
    format!(
        "Name:              v-vm--{guest}--disk--0\nState:             ACTIVE\nTables present:    LIVE\nOpen count:        {open}\nMajor, minor:      254, {minor}\nNumber of targets: 1\nUUID: LVM-{}{guest:032}\n\n",
        "V".repeat(32)
    )
}

const SHARED: (&str, &str) = (
    "files/etc/pve/storage.cfg",
    "lvm: s\n\tvgname v\n\tshared 1\n",
);

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

/// LVM's report of this many thin pools of VG `v`, one more per cent full than
/// the one before.
fn pools(count: usize, first: usize) -> String {
    let lvs: Vec<String> = (0..count)
        .map(|at| {
            format!(
                "{{\"vg_name\":\"v\",\"vg_uuid\":\"V\",\"lv_name\":\"p{at:03}\",\"lv_uuid\":\"{at}\",\"lv_attr\":\"twi-aotz--\",\"lv_size\":\"1\",\"data_percent\":\"{}\",\"metadata_percent\":\"1\"}}",
                (first + at) % 100
            )
        })
        .collect();
    format!("{{\"report\":[{{\"lv\":[{}]}}]}}", lvs.join(","))
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
