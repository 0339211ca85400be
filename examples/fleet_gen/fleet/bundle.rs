//! One bundle per node, as the collector writes it: a deflated zip, streamed.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;

use super::world::*;
use super::{dm, lvm};

const TIME: &str = "20261123T183645Z";
const AT: &str = "2026-11-23T18:36:45Z";

pub fn file_name(cluster: &Cluster, node: &Node) -> String {
    format!("{}/dmaudit-{}-{TIME}.zip", cluster.folder, node.name)
}

fn hash(text: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

pub fn write(folder: &Path, cluster: &Cluster) -> io::Result<()> {
    std::fs::create_dir_all(folder.join(&cluster.folder))?;
    for index in 0..cluster.nodes.len() {
        let node = &cluster.nodes[index];
        let top = format!("dmaudit-{}-{TIME}", node.name);
        let commands = commands(cluster, index);
        let (files, links, directories, unread) = files(cluster, index);
        let entry = |path: &str, text: &str| json!({"path": path, "bytes": text.len(), "sha256": hash(text), "masked": false});
        let manifest = json!({
            "format": 1, "collector": "0.1.0", "node": node.name, "started_at": AT, "finished_at": AT,
            "machine_id_sha256": node.machine,
            "commands": commands.iter().map(|(id, text)| json!({"id": id, "command": id, "status": 0, "timed_out": false, "seconds": 0.01, "bytes": text.len(), "sha256": hash(text)})).collect::<Vec<_>>(),
            "files": links.iter().chain(&files).map(|(path, text)| entry(path, text)).collect::<Vec<_>>(),
            "unread": unread, "directories": directories,
        });
        let out = std::fs::File::create(folder.join(file_name(cluster, node)))?;
        let mut zip = zip::ZipWriter::new_stream(io::BufWriter::new(out));
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .unix_permissions(0o600);
        let mut member = |name: String, text: &str| {
            zip.start_file(format!("{top}/{name}"), options)?;
            zip.write_all(text.as_bytes())
        };
        for (id, text) in &commands {
            member(format!("commands/{id}.err"), "")?;
            member(format!("commands/{id}.out"), text)?;
        }
        for (path, text) in links.iter().chain(&files) {
            member(format!("files{path}"), text)?;
        }
        member("manifest.json".into(), &manifest.to_string())?;
        zip.finish()?;
    }
    Ok(())
}

fn commands(cluster: &Cluster, index: usize) -> Vec<(&'static str, String)> {
    let node = &cluster.nodes[index];
    let mut files = Vec::new();
    dm::print(node, &mut files);
    lvm::print(cluster, node, &mut files);
    let mut qm = "      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID       \n"
        .to_owned();
    let mut pct = "VMID       Status     Lock         Name                \n".to_owned();
    let known = node.configs != Configs::None;
    for guest in cluster
        .guests
        .iter()
        .filter(|guest| guest.node == index && known)
    {
        let status = if guest.running { "running" } else { "stopped" };
        let _ = if guest.container {
            writeln!(
                pct,
                "{:<10} {status:<10} {:<12} {:<20}",
                guest.vmid,
                guest.lock.unwrap_or(""),
                guest.name
            )
        } else {
            writeln!(
                qm,
                "{:>10} {:<20} {status:<10} {:<10} {:>12} {:<10}",
                guest.vmid,
                guest.name,
                2048,
                "32.00",
                if guest.running { guest.pid } else { 0 }
            )
        };
    }
    let pve = cluster.pve;
    let mut multipath = String::new();
    if cluster.multipath {
        let path = |failed| {
            if failed {
                "failed faulty running"
            } else {
                "active ready running"
            }
        };
        multipath = format!(
            "mpatha (3600a098038304437415d4b6a59676d51) dm-6 NETAPP,LUN C-Mode\nsize=19T features='1 queue_if_no_path' hwhandler='1 alua' wp=rw\n|-+- policy='service-time 0' prio=50 status=active\n| `- 2:0:0:1 sdc 8:32 {}\n`-+- policy='service-time 0' prio=10 status=enabled\n  `- 3:0:0:1 sdd 8:48 {}\n",
            path(node.failed_paths > 1),
            path(node.failed_paths > 0)
        );
    }
    let log: String = node
        .log
        .iter()
        .enumerate()
        .map(|(at, line)| format!("[{:5}.000001] {line}\n", 100 + at))
        .collect();
    for (id, text) in [
        ("date", format!("{AT}\n")),
        ("qm-list", qm),
        ("pct-list", pct),
        ("pveversion", format!("proxmox-ve: {pve} (running kernel: 6.8.12-4-pve)\npve-manager: {pve} (running version: {pve}/faa83925c9641325)\nlvm2: {}\nqemu-server: {pve}\n", cluster.lvm2)),
        ("uname", format!("Linux {} 6.8.12-4-pve #1 SMP PREEMPT_DYNAMIC PMX 6.8.12-4 x86_64 GNU/Linux\n", node.name)),
        ("machine-id", format!("{}\n", node.machine)),
        ("uptime", "501234.22 5123.16\n".into()),
        ("loadavg", "0.80 0.24 0.08 1/85 571\n".into()),
        ("meminfo", "MemTotal:       263577800 kB\nMemFree:        92050788 kB\nMemAvailable:   101983244 kB\n".into()),
        ("mountinfo", format!("22 1 {DM}:1 / / rw,relatime - ext4 /dev/mapper/pve-root rw\n23 22 0:20 / /proc rw,relatime - proc proc rw\n")),
        ("swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/dm-0                               partition\t8388604\t\t0\t\t-2\n".into()),
        ("lvmconfig", "global_filter=[\"r|/dev/zd.*|\",\"r|/dev/rbd.*|\"]\nfilter=[\"a|.*|\"]\nscan_lvs=0\n".into()),
        ("kernel-dm", log),
        ("multipath", multipath),
    ] {
        files.push((id, text));
    }
    files
}

type Text = Vec<(String, String)>;

fn files(cluster: &Cluster, index: usize) -> (Text, Text, Vec<String>, Vec<serde_json::Value>) {
    let node = &cluster.nodes[index];
    let mut files = vec![("/etc/hostname".to_owned(), format!("{}\n", node.name))];
    if node.configs == Configs::None {
        return (
            files,
            vec![],
            vec![],
            vec![json!({"path": "/etc/pve", "error": "empty: is pmxcfs running?"})],
        );
    }
    let mut directories = Vec::new();
    for other in &cluster.nodes {
        let folder = format!("/etc/pve/nodes/{}", other.name);
        directories.extend([
            format!("{folder}/lxc"),
            format!("{folder}/qemu-server"),
            folder,
        ]);
    }
    let mut vmlist = Vec::new();
    for guest in &cluster.guests {
        let kind = if guest.container {
            "lxc"
        } else {
            "qemu-server"
        };
        let home = &cluster.nodes[guest.node].name;
        vmlist.push(format!(
            "\"{}\":{{\"node\":\"{home}\",\"type\":\"{}\",\"version\":5}}",
            guest.vmid,
            if guest.container { "lxc" } else { "qemu" }
        ));
        let path = format!("/etc/pve/nodes/{home}/{kind}/{}.conf", guest.vmid);
        let lock = guest
            .lock
            .map_or_else(String::new, |lock| format!("lock: {lock}\n"));
        files.push((
            path,
            format!("{lock}{}\n{}", guest.lines.join("\n"), guest.sections),
        ));
    }
    let mut storage = "dir: local\n\tpath /var/lib/vz\n\tcontent iso,vztmpl,backup\n\nlvmthin: local-lvm\n\tthinpool data\n\tvgname pve\n\tcontent rootdir,images\n".to_owned();
    if let Some(vg) = &cluster.shared {
        let _ = write!(
            storage,
            "\nlvm: san-ha01\n\tvgname {}\n\tcontent images,rootdir\n\tshared 1\n",
            vg.name
        );
    }
    files.push(("/etc/pve/storage.cfg".into(), storage));
    files.push((
        "/etc/pve/datacenter.cfg".into(),
        "keyboard: en-us\nnext-id: lower=100,upper=999999\n".into(),
    ));
    files.push((
        "/etc/pve/.vmlist".into(),
        format!(
            "{{\n\"version\": 3,\n\"ids\": {{\n{}}}\n}}\n",
            vmlist.join(",\n")
        ),
    ));
    if let Some(name) = &cluster.name {
        let nodes: String = cluster.nodes.iter().enumerate().map(|(at, node)| format!("  node {{\n    name: {}\n    nodeid: {}\n    quorum_votes: 1\n    ring0_addr: 192.0.2.{}\n  }}\n", node.name, at + 1, at + 11)).collect();
        files.push(("/etc/pve/corosync.conf".into(), format!("nodelist {{\n{nodes}}}\n\ntotem {{\n  cluster_name: {name}\n  config_version: 2\n}}\n")));
    }
    let links = vec![
        ("/etc/pve/local".into(), format!("nodes/{}", node.name)),
        ("/etc/pve/lxc".into(), format!("nodes/{}/lxc", node.name)),
        (
            "/etc/pve/qemu-server".into(),
            format!("nodes/{}/qemu-server", node.name),
        ),
    ];
    (files, links, directories, vec![])
}
