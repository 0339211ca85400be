//! Makes reports of recorded nodes, and audits them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use dmaudit::audit::Audit;
use dmaudit::bundle::{Limits, discover, open, open_archive};
use serde_json::Value;

/// The recorded nodes.
pub const NODES: [&str; 3] = ["alpha/pve1", "alpha/pve2", "solo"];

pub fn recording(node: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fake-node")
        .join(node)
}

fn sh(script: &str, arguments: &[&Path], form: &[&str]) -> Vec<u8> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/sources")
        .join(script);
    let output = Command::new("sh")
        .arg(script)
        .args(arguments)
        .args(form)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// A node's pvereport in the form of a release: `6`, `7` or `9`.
pub fn pvereport(node: &str, form: &str) -> String {
    String::from_utf8(sh("make-pvereport", &[&recording(node)], &[form])).unwrap()
}

/// A sosreport of a node, as a folder.
pub fn sosreport(node: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    sh("make-sosreport", &[&recording(node), folder.path()], &[]);
    let root = fs::read_dir(folder.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let lvm2 = root.join("sos_commands/lvm2");
    let end = "--config_global_metadata_read_only_1_--nolocking_--foreign";
    for (name, table) in [
        (
            format!(
                "lvs_-a_-o_lv_tags_devices_lv_kernel_read_ahead_lv_read_ahead_stripes_stripesize_{end}"
            ),
            lvs(node),
        ),
        (
            format!(
                "vgs_-v_-o_vg_mda_count_vg_mda_free_vg_mda_size_vg_mda_used_count_vg_tags_systemid_lock_type_{end}"
            ),
            vgs(node),
        ),
        (
            format!(
                "pvs_-a_-v_-o_pv_mda_free_pv_mda_size_pv_mda_count_pv_mda_used_count_pe_start_{end}"
            ),
            pvs(node),
        ),
    ] {
        fs::write(
            lvm2.join(name),
            format!("  WARNING: File locking is disabled.\n{table}"),
        )
        .unwrap();
    }
    folder
}

/// A tar of a folder, its folders listed as sos lists them.
pub fn tar(folder: &Path) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let top = fs::read_dir(folder).unwrap().next().unwrap().unwrap();
    tar.append_dir_all(top.file_name(), top.path()).unwrap();
    tar.into_inner().unwrap()
}

pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

pub fn xz(bytes: &[u8], preset: u32) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(preset);
    let mut packed = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// Audits an input that is in memory.
pub fn audit(name: &str, bytes: &[u8]) -> Audit {
    let bundles = open_archive(name, bytes, &Limits::default()).unwrap();
    assert_eq!(bundles.len(), 1);
    Audit::of(&bundles[0])
}

/// Audits what is found at a path.
pub fn audit_path(path: &Path) -> Audit {
    let found = discover(&[path.to_owned()]);
    let [source] = &found.sources[..] else {
        panic!("{found:?}")
    };
    Audit::of(&open(source, &Limits::default()).unwrap()[0])
}

fn rows(node: &str, id: &str, section: &str) -> Vec<BTreeMap<String, String>> {
    let path = recording(node).join("commands").join(format!("{id}.out"));
    let report: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let rows = report["report"][0][section].as_array().unwrap();
    let text = |cell: &Value| cell.as_str().unwrap().to_owned();
    rows.iter()
        .map(|row| {
            row.as_object()
                .unwrap()
                .iter()
                .map(|(key, cell)| (key.clone(), text(cell)))
                .collect()
        })
        .collect()
}

/// Bytes as LVM prints them for people.
fn human(bytes: &str) -> String {
    let bytes: u64 = bytes.parse().unwrap();
    match bytes {
        0 => "0".to_owned(),
        _ if bytes < 1 << 20 => format!("{:.2}k", bytes as f64 / 1024.0),
        _ if bytes < 1 << 30 => format!("{:.2}m", bytes as f64 / f64::from(1 << 20)),
        _ => format!("{:.2}g", bytes as f64 / f64::from(1 << 30)),
    }
}

/// A table as LVM aligns it; headings that begin with `>` are of numbers.
fn table(headings: &[&str], rows: Vec<Vec<String>>) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].len());
        cells
            .max()
            .unwrap_or(0)
            .max(headings[column].trim_start_matches('>').len())
    };
    let mut text = String::from(" ");
    for (column, heading) in headings.iter().enumerate() {
        text += &format!(" {:<1$}", heading.trim_start_matches('>'), width(column));
    }
    for row in &rows {
        text += "\n ";
        for (column, cell) in row.iter().enumerate() {
            text += &match headings[column].starts_with('>') {
                true => format!(" {cell:>0$}", width(column)),
                false => format!(" {cell:<0$}", width(column)),
            };
        }
    }
    text + "\n"
}

fn lvs(node: &str) -> String {
    let segments = rows(node, "lvs-segments-json", "seg");
    let mut lines = Vec::new();
    for lv in rows(node, "lvs-json", "lv") {
        let own = segments.iter().filter(|segment| {
            segment["lv_uuid"] == lv["lv_uuid"] && segment["vg_uuid"] == lv["vg_uuid"]
        });
        for segment in own {
            let mut line: Vec<String> = ["lv_name", "vg_name", "lv_attr"]
                .map(|key| lv[key].clone())
                .to_vec();
            line.push(human(&lv["lv_size"]));
            line.extend(
                ["pool_lv", "origin", "data_percent", "metadata_percent"]
                    .map(|key| lv[key].clone()),
            );
            line.extend(["", "", "", ""].map(str::to_owned));
            line.push(lv["lv_tags"].clone());
            line.push(segment["devices"].clone());
            line.extend(["-1", "auto", "1", "0"].map(str::to_owned));
            lines.push(line);
        }
    }
    table(
        &[
            "LV", "VG", "Attr", ">LSize", "Pool", "Origin", "Data%", "Meta%", "Move", "Log",
            "Cpy%Sync", "Convert", "LV Tags", "Devices", ">KRahead", ">Rahead", ">#Str", ">Stripe",
        ],
        lines,
    )
}

fn vgs(node: &str) -> String {
    let lines = rows(node, "vgs-json", "vg").into_iter().map(|vg| {
        vec![
            vg["vg_name"].clone(),
            vg["vg_attr"].clone(),
            human(&vg["vg_extent_size"]),
            vg["pv_count"].clone(),
            vg["lv_count"].clone(),
            "0".to_owned(),
            human(&vg["vg_size"]),
            human(&vg["vg_free"]),
            vg["vg_uuid"].clone(),
            String::new(),
            "1".to_owned(),
            String::new(),
        ]
    });
    let headings = [
        "VG", "Attr", ">Ext", ">#PV", ">#LV", ">#SN", ">VSize", ">VFree", "VG UUID", "VProfile",
        ">#VMda", "VG Tags",
    ];
    table(&headings, lines.collect())
}

fn pvs(node: &str) -> String {
    let lines = rows(node, "pvs-json", "pv").into_iter().map(|pv| {
        vec![
            pv["pv_name"].clone(),
            pv["vg_name"].clone(),
            "lvm2".to_owned(),
            "a--".to_owned(),
            human(&pv["pv_size"]),
            human(&pv["pv_free"]),
            "1.00g".to_owned(),
            pv["pv_uuid"].clone(),
            "0".to_owned(),
            human(&pv["pe_start"]),
        ]
    });
    let headings = [
        "PV",
        "VG",
        "Fmt",
        "Attr",
        ">PSize",
        ">PFree",
        ">DevSize",
        "PV UUID",
        ">PMdaFree",
        ">1st PE",
    ];
    table(&headings, lines.collect())
}
