//! Builds a healthy cluster.

use super::rng::Rng;
use super::world::*;

const PVE: [(&str, &str); 5] = [
    ("8.2.4", "2.03.16-2"),
    ("8.4.1", "2.03.16-2"),
    ("9.0.6", "2.03.31-2+pmx1"),
    ("8.1.4", "2.03.16-2"),
    ("7.4-17", "2.03.11-2.1"),
];

pub fn cluster(rng: &mut Rng, number: usize, nodes: usize, entries: usize) -> Cluster {
    let (pve, lvm2) = PVE[rng.range(0, 4) as usize];
    let clustered = nodes > 1;
    let multipath = clustered && rng.chance(0.5);
    let name = clustered.then(|| format!("site{number:04}"));
    let mut cluster = Cluster {
        folder: name.clone().unwrap_or_else(|| format!("single{number:04}")),
        name,
        pve,
        lvm2,
        nodes: Vec::new(),
        shared: clustered.then(|| shared(rng, multipath)),
        multipath,
        guests: Vec::new(),
        next_vmid: 100,
        expected: Findings::new(),
    };
    for index in 0..nodes {
        let name = if clustered {
            format!("pve{}", index + 1)
        } else {
            format!("pve-{number:04}")
        };
        let node = empty_node(rng, name, multipath);
        cluster.nodes.push(node);
        fill(rng, &mut cluster, index, entries);
    }
    // Room for what the problems add; the pool promises less than it has.
    for node in &mut cluster.nodes {
        let promised: u64 = node
            .local
            .lvs
            .iter()
            .filter(|lv| matches!(lv.kind, Kind::Thin(_)))
            .map(|lv| lv.extents)
            .sum();
        let size = promised * 2 + 1000;
        set_pool_size(node, size);
    }
    cluster
}

pub fn set_pool_size(node: &mut Node, extents: u64) {
    let first = 4096 + 64;
    for lv in &mut node.local.lvs {
        match &mut lv.kind {
            Kind::Pool => lv.extents = extents,
            Kind::PoolData(_, count) => {
                *count = extents;
                lv.extents = extents;
            }
            _ => {}
        }
    }
    node.local.extents = first + extents + 4096;
    for dev in &mut node.devs {
        if ["pve-data", "pve-data-tpool", "pve-data_tdata"].contains(&dev.name.as_str())
            && let Some(target) = dev.table.first_mut()
        {
            target.length = extents * (EXTENT / 512);
        }
    }
}

fn shared(rng: &mut Rng, multipath: bool) -> Vg {
    Vg {
        name: "vg-san-ha01".into(),
        uuid: rng.lvm_uuid(),
        pv: if multipath {
            "/dev/mapper/mpatha"
        } else {
            "/dev/sdc"
        }
        .into(),
        pv_uuid: rng.lvm_uuid(),
        devno: if multipath { (DM, 6) } else { (8, 32) },
        extents: 5_000_000,
        next: 0,
        lvs: Vec::new(),
        autoactivation: false,
    }
}

fn empty_node(rng: &mut Rng, name: String, multipath: bool) -> Node {
    let mut local = Vg {
        name: "pve".into(),
        uuid: rng.lvm_uuid(),
        pv: "/dev/sda3".into(),
        pv_uuid: rng.lvm_uuid(),
        devno: (8, 3),
        extents: 0,
        next: 0,
        lvs: Vec::new(),
        autoactivation: true,
    };
    let mut lv = |name: &str, extents, kind| {
        local.lvs.push(Lv {
            name: name.into(),
            uuid: rng.lvm_uuid(),
            extents,
            kind,
            used: Use::System,
            vmid: None,
            skip: false,
            origin: String::new(),
            fixed_name: false,
        });
    };
    lv("data", 1, Kind::Pool);
    lv("[data_tdata]", 1, Kind::PoolData(4096 + 64, 1));
    lv("[data_tmeta]", 32, Kind::PoolMeta(4096, 32));
    lv("[lvol0_pmspare]", 32, Kind::Spare(4096 + 32, 32));
    lv("root", 2048, Kind::Linear(vec![(2048, 2048)]));
    lv("swap", 2048, Kind::Linear(vec![(0, 2048)]));
    let mut node = Node {
        name,
        local,
        devs: Vec::new(),
        configs: Configs::All,
        log: Vec::new(),
        pool: (rng.range(1000, 7500), rng.range(300, 5000), "rw", false),
        failed_paths: 0,
        machine: rng.hex(64),
        next_minor: 0,
        expected: Findings::new(),
    };
    let sectors = EXTENT / 512;
    let linear = |first: u64, count: u64| Target {
        start: 0,
        length: count * sectors,
        text: format!("linear 8:3 {}", Vg::sector(first)),
        on: vec![(8, 3)],
    };
    let part = |text: String, on: Vec<(u32, u32)>| Target {
        start: 0,
        length: sectors,
        text,
        on,
    };
    let rows: Vec<(&str, usize, &str, u32, Target)> = vec![
        ("pve-swap", 5, "", 2, linear(0, 2048)),
        ("pve-root", 4, "", 1, linear(2048, 2048)),
        ("pve-data_tmeta", 2, "-tmeta", 1, linear(4096, 32)),
        ("pve-data_tdata", 1, "-tdata", 1, linear(4096 + 64, 1)),
        (
            "pve-data-tpool",
            0,
            "-tpool",
            0,
            part(
                format!("thin-pool {DM}:2 {DM}:3 128 0 0 "),
                vec![(DM, 3), (DM, 2)],
            ),
        ),
        (
            "pve-data",
            0,
            "-pool",
            0,
            part(format!("linear {DM}:4 0"), vec![(DM, 4)]),
        ),
    ];
    for (name, lv, layer, open, target) in rows {
        let uuid = format!("{}{layer}", node.local.uuid_of(&node.local.lvs[lv]));
        push(&mut node, name.into(), uuid, open, vec![target], Of::System);
    }
    node.devs[5].read_only = true;
    if multipath {
        let text = "multipath 1 queue_if_no_path 1 alua 2 1 service-time 0 1 2 8:32 1 1 service-time 0 1 2 8:48 1 1".into();
        let target = Target {
            start: 0,
            length: 40_960_000_000,
            text,
            on: vec![(8, 32), (8, 48)],
        };
        push(
            &mut node,
            "mpatha".into(),
            "mpath-3600a098038304437415d4b6a59676d51".into(),
            0,
            vec![target],
            Of::System,
        );
    }
    node
}

pub fn push(
    node: &mut Node,
    name: String,
    uuid: String,
    open: u32,
    table: Vec<Target>,
    of: Of,
) -> usize {
    let minor = node.minor();
    node.devs.push(Dev {
        name,
        uuid,
        minor,
        open,
        read_only: false,
        suspended: false,
        no_table: false,
        table,
        of,
        process: None,
        touched: false,
    });
    node.devs.len() - 1
}

/// The table that LVM loads for a volume.
pub fn table_of(vg: &Vg, lv: &Lv) -> Vec<Target> {
    let sectors = EXTENT / 512;
    match &lv.kind {
        Kind::Linear(runs) => {
            let mut start = 0;
            runs.iter()
                .map(|(first, count)| {
                    let (major, minor) = vg.devno;
                    let text = format!("linear {major}:{minor} {}", Vg::sector(*first));
                    start += count * sectors;
                    Target {
                        start: start - count * sectors,
                        length: count * sectors,
                        text,
                        on: vec![vg.devno],
                    }
                })
                .collect()
        }
        Kind::Thin(id) => vec![Target {
            start: 0,
            length: lv.extents * sectors,
            text: format!("thin {DM}:4 {id}"),
            on: vec![(DM, 4)],
        }],
        _ => Vec::new(),
    }
}

/// Activates a volume on a node; returns its device.
pub fn activate(cluster: &mut Cluster, node: usize, shared: bool, lv: usize, open: u32) -> usize {
    let Cluster {
        nodes, shared: san, ..
    } = cluster;
    let node = &mut nodes[node];
    let (name, uuid, table) = {
        let vg = if shared {
            san.as_ref().unwrap_or(&node.local)
        } else {
            &node.local
        };
        let lv = &vg.lvs[lv];
        (
            dm_name(&vg.name, &lv.name),
            vg.uuid_of(lv),
            table_of(vg, lv),
        )
    };
    push(node, name, uuid, open, table, Of::Lv(shared, lv))
}

pub struct NewLv {
    pub name: String,
    pub vmid: u32,
    pub extents: u64,
    pub used: Use,
}

pub fn add_lv(
    rng: &mut Rng,
    cluster: &mut Cluster,
    node: usize,
    shared: bool,
    new: NewLv,
) -> usize {
    let Cluster {
        nodes, shared: san, ..
    } = cluster;
    let local = &mut nodes[node].local;
    let kind = match (shared, san.as_mut()) {
        (true, Some(san)) => Kind::Linear(vec![(san.take(new.extents), new.extents)]),
        _ => Kind::Thin(local.take(1) + 1),
    };
    let vg = match (shared, san.as_mut()) {
        (true, Some(san)) => san,
        _ => local,
    };
    let fixed_name = new.name.contains("-cloudinit") || new.name.contains("-state-");
    vg.lvs.push(Lv {
        uuid: rng.lvm_uuid(),
        name: new.name,
        extents: new.extents,
        kind,
        used: new.used,
        vmid: Some(new.vmid),
        skip: false,
        origin: String::new(),
        fixed_name,
    });
    vg.lvs.len() - 1
}

fn fill(rng: &mut Rng, cluster: &mut Cluster, node: usize, entries: usize) {
    // Between 20 and 80 guests, as many as it takes for more disks.
    let guests = (rng.range(20, 80) as usize)
        .min(entries / 4 + 1)
        .max(entries / 40);
    let each = (entries / guests).max(1);
    let mut first = true;
    let mut template = None;
    let target = entries.saturating_sub(4);
    let on_san_share = if cluster.shared.is_some() {
        (60.0 / entries as f64).min(0.12)
    } else {
        0.0
    };
    let mut number = 0;
    while first || number < 4 || cluster.nodes[node].devs.len() < target {
        let room = target.saturating_sub(cluster.nodes[node].devs.len()).max(1) as u64;
        let disks = rng.range(1, (each as u64 * 2).min(44)).min(room) as usize;
        // The first is stopped on local storage, the second runs on the SAN,
        // the third is a template, the fourth stopped and yet active.
        let shared =
            cluster.shared.is_some() && (number == 1 || number > 3 && rng.chance(on_san_share));
        let running = number == 1 || number > 3 && rng.chance(0.8);
        let active = number > 0 && number != 2 && (running || number == 3 || rng.chance(0.5));
        super::guests::add(
            rng,
            cluster,
            super::guests::Plan {
                node,
                disks,
                shared,
                running,
                active,
                template: number == 2,
                base: template,
            },
        );
        if number == 2 {
            template = Some(cluster.guests.len() - 1);
        }
        first = false;
        number += 1;
    }
}
