//! A guest with its volumes and configuration.

use super::build::{NewLv, activate, add_lv};
use super::rng::Rng;
use super::world::*;

pub struct Plan {
    pub node: usize,
    pub disks: usize,
    pub shared: bool,
    pub running: bool,
    pub active: bool,
    pub template: bool,
    /// A template of this node, by its position.
    pub base: Option<usize>,
}

const NAMES: [&str; 8] = [
    "web",
    "mail",
    "db",
    "files",
    "ldap",
    "ci-runner",
    "Production-Database",
    "monitor",
];

pub fn new_vmid(rng: &mut Rng, cluster: &mut Cluster) -> u32 {
    let gap = if rng.chance(0.1) {
        rng.range(1, 4) as u32
    } else {
        0
    };
    cluster.next_vmid += 1 + gap;
    cluster.next_vmid - 1
}

pub fn storage(shared: bool) -> &'static str {
    if shared { "san-ha01" } else { "local-lvm" }
}

fn key(container: bool, disk: usize) -> String {
    match (container, disk) {
        (true, 0) => "rootfs".into(),
        (true, disk) => format!("mp{}", disk - 1),
        (false, 0..=30) => format!("scsi{disk}"),
        (false, disk) => format!("virtio{}", disk - 31),
    }
}

pub fn add(rng: &mut Rng, cluster: &mut Cluster, plan: Plan) -> usize {
    let vmid = new_vmid(rng, cluster);
    let guest = cluster.guests.len();
    let container = !plan.template && !plan.shared && rng.chance(0.25);
    let name = format!("{}{vmid}", NAMES[rng.range(0, 7) as usize]);
    let running = plan.running && !plan.template;
    let mut lines = vec![
        format!("cores: {}", rng.range(1, 16)),
        format!("memory: {}", 512 << rng.range(0, 6)),
        if container {
            format!("hostname: {name}")
        } else {
            format!("name: {name}")
        },
        format!(
            "net0: virtio=BC:24:11:{:02X}:{:02X}:{:02X},bridge=vmbr0",
            vmid >> 16,
            vmid >> 8 & 255,
            vmid & 255
        ),
    ];
    if container {
        lines.push("arch: amd64".into());
    } else {
        lines.push("scsihw: virtio-scsi-single".into());
        lines.push("boot: order=scsi0".into());
    }
    if plan.template {
        lines.push("template: 1".into());
    }
    let open = u32::from(running);
    let pid = 1000 + vmid * 3;
    let mut volumes = Vec::new();
    for disk in 0..plan.disks {
        let kind = if plan.template { "base" } else { "vm" };
        let extents = rng.range(8, 256) * 4;
        let lv = format!("{kind}-{vmid}-disk-{disk}");
        let at = format!("{}:", storage(plan.shared));
        let base = plan
            .base
            .filter(|_| disk == 0 && !container && !plan.shared && rng.chance(0.1));
        let origin = base.map(|base| format!("base-{}-disk-0", cluster.guests[base].vmid));
        let volume = origin
            .as_ref()
            .map_or_else(|| lv.clone(), |origin| format!("{origin}/{lv}"));
        lines.push(format!(
            "{}: {at}{volume},size={}M",
            key(container, disk),
            extents * 4
        ));
        volumes.push((lv, extents, origin));
    }
    if !container && !plan.template && !plan.shared {
        let mut extra = |line: &str, name: String, comma: &str| {
            lines.push(format!("{line}: {}:{name}{comma}", storage(plan.shared)));
            volumes.push((name, 1, None));
        };
        if plan.disks > 2 && rng.chance(0.3) {
            extra("ide2", format!("vm-{vmid}-cloudinit"), ",media=cdrom");
        }
        if plan.disks > 2 && rng.chance(0.3) {
            extra(
                "efidisk0",
                format!("vm-{vmid}-disk-{}", plan.disks),
                ",efitype=4m,size=4M",
            );
            extra(
                "tpmstate0",
                format!("vm-{vmid}-disk-{}", plan.disks + 1),
                ",size=4M,version=v2.0",
            );
        }
    }
    let snapshot = (!container && !plan.template && !plan.shared && rng.chance(0.1))
        .then(|| "before".to_owned());
    let mut sections = String::new();
    if let Some(snapshot) = &snapshot {
        sections = format!(
            "\n[{snapshot}]\n#before the upgrade\n{}\nsnaptime: 1763892000\n",
            lines.join("\n")
        );
        if running {
            sections.push_str(&format!(
                "vmstate: {}:vm-{vmid}-state-{snapshot}\n",
                storage(plan.shared)
            ));
        }
        lines.push(format!("parent: {snapshot}"));
    }
    lines.sort();
    cluster.guests.push(Guest {
        vmid,
        container,
        node: plan.node,
        name,
        running,
        pid,
        lock: None,
        template: plan.template,
        lines,
        sections,
    });
    let used = Use::Referenced(guest);
    let count = volumes.len();
    for (at, (name, extents, origin)) in volumes.into_iter().enumerate() {
        let snap = snapshot
            .as_ref()
            .filter(|_| at < count.min(plan.disks))
            .map(|s| format!("snap_{name}_{s}"));
        let lv_name = name.clone();
        let lv = add_lv(
            rng,
            cluster,
            plan.node,
            plan.shared,
            NewLv {
                name,
                vmid,
                extents,
                used: used.clone(),
            },
        );
        let vg = volume_group(cluster, plan.node, plan.shared);
        vg.lvs[lv].skip = plan.template;
        vg.lvs[lv].origin = origin.unwrap_or_default();
        if let Some(name) = snap {
            let lv = add_lv(
                rng,
                cluster,
                plan.node,
                false,
                NewLv {
                    name,
                    vmid,
                    extents,
                    used: used.clone(),
                },
            );
            let vg = volume_group(cluster, plan.node, false);
            vg.lvs[lv].skip = true;
            vg.lvs[lv].origin = lv_name;
        }
        if plan.active && !plan.template {
            let dev = activate(cluster, plan.node, plan.shared, lv, open);
            if running && !container {
                cluster.nodes[plan.node].devs[dev].process = Some((pid, "kvm"));
            }
        }
    }
    if let Some(snapshot) = snapshot.filter(|_| running) {
        let name = format!("vm-{vmid}-state-{snapshot}");
        let lv = add_lv(
            rng,
            cluster,
            plan.node,
            plan.shared,
            NewLv {
                name,
                vmid,
                extents: 64,
                used,
            },
        );
        activate(cluster, plan.node, plan.shared, lv, 0);
    }
    guest
}

pub fn volume_group(cluster: &mut Cluster, node: usize, shared: bool) -> &mut Vg {
    match (shared, cluster.shared.as_mut()) {
        (true, Some(san)) => san,
        _ => &mut cluster.nodes[node].local,
    }
}
