//! What LVM prints.

use std::fmt::Write;

use super::world::*;

type Files = Vec<(&'static str, String)>;

fn report(kind: &str, rows: &[String]) -> String {
    format!(
        "  {{\n      \"report\": [\n          {{\n              \"{kind}\": [\n{}\n              ]\n          }}\n      ]\n  }}\n",
        rows.iter()
            .map(|row| format!("                  {{{row}}}"))
            .collect::<Vec<_>>()
            .join(",\n")
    )
}

pub fn print(cluster: &Cluster, node: &Node, files: &mut Files) {
    let (mut lvs, mut segments, mut vgs, mut pvs) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut plain =
        "  LV VG Attr LSize Pool Origin Data% Meta% Move Log Cpy%Sync Convert\n".to_owned();
    let mut plain_vgs = "  VG          #PV #LV #SN Attr   VSize VFree\n".to_owned();
    let mut plain_pvs = "  PV         VG       Fmt  Attr PSize    PFree\n".to_owned();
    let autoactivation = !cluster.lvm2.starts_with("2.03.11");
    for (shared, vg) in [(false, Some(&node.local)), (true, cluster.shared.as_ref())] {
        let Some(vg) = vg else { continue };
        let mut active = vec![None; vg.lvs.len()];
        for dev in &node.devs {
            if let Of::Lv(on, lv) = dev.of
                && on == shared
                && let Some(slot) = active.get_mut(lv)
            {
                *slot = Some((dev.minor, dev.open > 0));
            }
        }
        let minor = |name: &str| {
            node.devs
                .iter()
                .find(|d| d.name == name)
                .map(|d| (d.minor, true))
        };
        for (at, lv) in vg.lvs.iter().enumerate() {
            let dm = dm_name(&vg.name, lv.name.trim_matches(['[', ']']));
            let device = match lv.kind {
                Kind::Pool => minor("pve-data-tpool"),
                Kind::Spare(..) => None,
                _ if lv.used == Use::System => minor(&dm),
                _ => active[at],
            };
            let (mut data, mut metadata) = (String::new(), String::new());
            let (letters, pool) = match lv.kind {
                Kind::Linear(_) => ("-wi-?-----", ""),
                Kind::Thin(_) if lv.skip => ("Vri---tz-k", "data"),
                Kind::Thin(_) => ("Vwi-?-tz--", "data"),
                Kind::Pool => ("twi-?-tz--", ""),
                Kind::PoolData(..) => ("Twi-?-----", ""),
                Kind::PoolMeta(..) => ("ewi-?-----", ""),
                Kind::Spare(..) => ("ewi-------", ""),
            };
            if let Kind::Pool = lv.kind {
                data = format!("{:.2}", node.pool.0 as f64 / 100.0);
                metadata = format!("{:.2}", node.pool.1 as f64 / 100.0);
            } else if !pool.is_empty() && device.is_some() {
                data = "0.00".into();
            }
            let open = device.is_some_and(|(_, open)| open);
            let attr = letters.replace(
                "?-",
                match (device.is_some(), open) {
                    (true, true) => "ao",
                    (true, false) => "a-",
                    _ => "--",
                },
            );
            let (major, number) = device
                .map_or(("-1".to_owned(), "-1".to_owned()), |(minor, _)| {
                    (DM.to_string(), minor.to_string())
                });
            let auto = match (autoactivation, lv.used == Use::System || vg.autoactivation) {
                (true, true) => ", \"lv_autoactivation\":\"enabled\"",
                (true, false) => ", \"lv_autoactivation\":\"\"",
                _ => "",
            };
            lvs.push(format!(
                "\"vg_name\":\"{}\", \"vg_uuid\":\"{}\", \"lv_name\":\"{}\", \"lv_uuid\":\"{}\", \"lv_attr\":\"{attr}\", \"lv_size\":\"{}\", \"pool_lv\":\"{pool}\", \"origin\":\"{}\", \"data_percent\":\"{data}\", \"metadata_percent\":\"{metadata}\", \"lv_tags\":\"\", \"lv_active\":\"{}\", \"lv_device_open\":\"{}\", \"lv_kernel_major\":\"{major}\", \"lv_kernel_minor\":\"{number}\", \"lv_dm_path\":\"/dev/mapper/{dm}\", \"lv_time\":\"2026-03-02 10:36:24 +0000\"{auto}",
                vg.name, vg.uuid, lv.name, lv.uuid, lv.extents * EXTENT, lv.origin,
                if device.is_some() { "active" } else { "" },
                match (device.is_some(), open) { (true, true) => "open", (true, false) => "", _ => "unknown" },
            ));
            let mut segment = |start: u64, count: u64, kind: &str, ranges: String, on: String| {
                segments.push(format!("\"vg_uuid\":\"{}\", \"lv_uuid\":\"{}\", \"lv_name\":\"{}\", \"segtype\":\"{kind}\", \"seg_start\":\"{}\", \"seg_size\":\"{}\", \"seg_pe_ranges\":\"{ranges}\", \"devices\":\"{on}\"",
                    vg.uuid, lv.uuid, lv.name, start * EXTENT, count * EXTENT));
            };
            let mut run = |start: u64, first: u64, count: u64| {
                segment(
                    start,
                    count,
                    "linear",
                    format!("{}:{first}-{}", vg.pv, first + count - 1),
                    format!("{}({first})", vg.pv),
                )
            };
            match &lv.kind {
                Kind::Linear(runs) => {
                    let mut start = 0;
                    for (first, count) in runs {
                        run(start, *first, *count);
                        start += count;
                    }
                }
                Kind::PoolData(first, count)
                | Kind::PoolMeta(first, count)
                | Kind::Spare(first, count) => run(0, *first, *count),
                Kind::Thin(_) => segment(0, lv.extents, "thin", String::new(), String::new()),
                Kind::Pool => segment(
                    0,
                    lv.extents,
                    "thin-pool",
                    format!("data_tdata:0-{}", lv.extents - 1),
                    "data_tdata(0)".into(),
                ),
            }
            if !lv.name.starts_with('[') {
                let _ = writeln!(
                    plain,
                    "  {} {} {attr} {:.2}m {pool} {} {data} {metadata}",
                    lv.name,
                    vg.name,
                    (lv.extents * 4) as f64,
                    lv.origin
                );
            }
        }
        let (size, free) = (
            vg.extents * EXTENT,
            vg.extents.saturating_sub(
                vg.lvs
                    .iter()
                    .filter(|lv| !matches!(lv.kind, Kind::Thin(_) | Kind::Pool))
                    .map(|lv| lv.extents)
                    .sum(),
            ) * EXTENT,
        );
        let auto = if autoactivation {
            ", \"vg_autoactivation\":\"enabled\""
        } else {
            ""
        };
        vgs.push(format!("\"vg_name\":\"{}\", \"vg_uuid\":\"{}\", \"vg_size\":\"{size}\", \"vg_free\":\"{free}\", \"vg_extent_size\":\"{EXTENT}\", \"vg_seqno\":\"38\", \"lv_count\":\"{}\", \"pv_count\":\"1\", \"vg_attr\":\"wz--n-\"{auto}", vg.name, vg.uuid, vg.lvs.len()));
        pvs.push(format!("\"pv_name\":\"{}\", \"pv_uuid\":\"{}\", \"vg_name\":\"{}\", \"vg_uuid\":\"{}\", \"pv_size\":\"{size}\", \"pv_free\":\"{free}\", \"pe_start\":\"1048576\", \"pv_major\":\"{}\", \"pv_minor\":\"{}\"", vg.pv, vg.pv_uuid, vg.name, vg.uuid, vg.devno.0, vg.devno.1));
        let _ = writeln!(
            plain_vgs,
            "  {} 1 {} 0 wz--n- {}m {}m",
            vg.name,
            vg.lvs.len(),
            size >> 20,
            free >> 20
        );
        let _ = writeln!(
            plain_pvs,
            "  {} {} lvm2 a-- {}m {}m",
            vg.pv,
            vg.name,
            size >> 20,
            free >> 20
        );
    }
    files.push(("lvs-json", report("lv", &lvs)));
    files.push(("lvs-segments-json", report("seg", &segments)));
    files.push(("vgs-json", report("vg", &vgs)));
    files.push(("pvs-json", report("pv", &pvs)));
    files.extend([("lvs", plain), ("vgs", plain_vgs), ("pvs", plain_pvs)]);
}
