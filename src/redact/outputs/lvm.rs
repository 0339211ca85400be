//! LVM's reports and its filters.

use super::count;
use crate::parse::lvm_json;
use crate::redact::names::Names;
use crate::redact::words;

/// LVM's report with the columns that are known; others are dropped. A report
/// that is cut off stays so.
pub(super) fn report(names: &mut Names, text: &str, section: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    let parsed = lvm_json::parse(text, section, |row| Some(row.clone()));
    if !parsed.problems.is_empty() {
        return format!("{{\"report\": [{{\"{section}\": [\n");
    }
    let mut rows = Vec::new();
    for row in &parsed.value {
        let cells: serde_json::Map<String, serde_json::Value> = row
            .iter()
            .filter_map(|(column, cell)| {
                Some((column.to_owned(), lvm_cell(names, column, cell)?.into()))
            })
            .collect();
        rows.push(serde_json::Value::Object(cells).to_string());
    }
    format!(
        "{{\"report\": [{{\"{section}\": [\n{}\n]}}]}}\n",
        rows.join(",\n")
    )
}

fn lvm_cell(names: &mut Names, column: &str, cell: &str) -> Option<String> {
    const PLAIN: [&str; 38] = [
        "lv_attr",
        "lv_size",
        "data_percent",
        "metadata_percent",
        "lv_active",
        "lv_time",
        "lv_autoactivation",
        "vg_size",
        "vg_free",
        "vg_extent_size",
        "vg_seqno",
        "lv_count",
        "pv_count",
        "vg_attr",
        "vg_autoactivation",
        "segtype",
        "seg_start",
        "seg_size",
        "pv_size",
        "pv_free",
        "pe_start",
        "pv_major",
        "pv_minor",
        "pv_attr",
        "lv_kernel_major",
        "lv_kernel_minor",
        "snap_percent",
        "copy_percent",
        "lv_layout",
        "lv_role",
        "thin_id",
        "transaction_id",
        "lv_device_open",
        "lv_suspended",
        "lv_permissions",
        "lv_active_locally",
        "pv_missing",
        "lv_health_status",
    ];
    let plain = |c: char| c.is_ascii_alphanumeric() || " .:-+,_<>%".contains(c);
    Some(match column {
        "vg_name" => names.store(cell.trim()),
        "vg_uuid" | "lv_uuid" | "pv_uuid" => match cell.trim() {
            "" => String::new(),
            uuid => names.lvm_uuid(uuid),
        },
        "lv_name" | "pool_lv" | "origin" => names.lv(cell.trim()),
        "lv_tags" | "vg_tags" => cell
            .split(',')
            .map(|tag| names.tag(tag.trim()))
            .collect::<Vec<_>>()
            .join(","),
        "pv_name" => pv(names, cell),
        "devices" | "seg_pe_ranges" => cell
            .split([' ', ','])
            .map(|range| {
                let at = range.rfind([':', '(']).unwrap_or(range.len());
                let (device, extents) = range.split_at(at);
                let legal = |c: char| c.is_ascii_digit() || ":()-".contains(c);
                let extents = if extents.chars().all(legal) {
                    extents
                } else {
                    ""
                };
                let device = match device.starts_with('/') {
                    true => names.path(device),
                    false => names.lv(device),
                };
                format!("{device}{extents}")
            })
            .collect::<Vec<_>>()
            .join(if cell.contains(',') { "," } else { " " }),
        _ if PLAIN.contains(&column) && cell.len() <= 80 && cell.chars().all(plain) => {
            cell.to_owned()
        }
        _ => return None,
    })
}

fn pv(names: &mut Names, cell: &str) -> String {
    match cell.trim() {
        "" | "[unknown]" | "unknown device" => cell.trim().to_owned(),
        path if path.starts_with('/') => names.path(path),
        other => names.lv(other),
    }
}

/// The patterns of filters, where they name a device, and `scan_lvs`.
pub(super) fn lvmconfig(names: &mut Names, line: &str) -> Option<String> {
    let Some((key, value)) = line.trim().split_once('=') else {
        return Some(String::new());
    };
    let key = key.trim();
    match key.strip_prefix("devices/").unwrap_or(key) {
        "scan_lvs" => Some(format!("scan_lvs={}", count(value))),
        name @ ("filter" | "global_filter") => Some(format!("{name}={}", patterns(names, value))),
        _ => Some(String::new()),
    }
}

/// Each word of a pattern that is no folder or kernel name gets a stand-in;
/// what makes it a pattern stays.
fn patterns(names: &mut Names, value: &str) -> String {
    const STAY: [&str; 13] = [
        "a", "r", "dev", "zd", "mapper", "pve", "rbd", "drbd", "mpath", "sd", "vd", "nvme", "disk",
    ];
    let mut out = String::new();
    let mut word = String::new();
    for c in value.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            let stays = STAY.contains(&word.as_str())
                || words::is_folder(&word)
                || words::is_kernel_name(&word)
                || word.len() == 1
                || word.bytes().all(|byte| byte.is_ascii_digit()) && word.len() <= 3;
            match stays {
                true => out.push_str(&word),
                false => out.push_str(&names.store(&word)),
            }
            word.clear();
        }
        if c != '\n' {
            out.push(c);
        }
    }
    out
}
