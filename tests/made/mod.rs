//! Bundles of nodes of a cluster, made of what a test is about.

use std::io::{Seek, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Adds a bundle of a node of cluster `c` to an archive.
pub fn add<W: Write + Seek>(
    archive: &mut ZipWriter<W>,
    node: &str,
    time: &str,
    files: &[(&str, &str)],
) {
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
        let path = format!("dmaudit-{node}-{time}/{path}");
        archive
            .start_file(path, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
}

/// `dmsetup info` of an entry of VG `v`.
pub fn info(guest: usize, minor: usize, open: usize) -> String {
    format!(
        "Name:              v-vm--{guest}--disk--0\nState:             ACTIVE\nTables present:    LIVE\nOpen count:        {open}\nMajor, minor:      254, {minor}\nNumber of targets: 1\nUUID: LVM-{}{guest:032}\n\n",
        "V".repeat(32)
    )
}

/// VG `v` is a shared storage.
pub const SHARED: (&str, &str) = (
    "files/etc/pve/storage.cfg",
    "lvm: s\n\tvgname v\n\tshared 1\n",
);

/// LVM's report of this many thin pools of VG `v`, one more per cent full than
/// the one before.
pub fn pools(count: usize, first: usize) -> String {
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
