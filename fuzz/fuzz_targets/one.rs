//! All targets in one file: each binary feeds what it is named after.
#![no_main]

use std::borrow::Cow;

use chrono::DateTime;
use dmaudit::audit::Audit;
use dmaudit::bundle::{Limits, open_archive};
use dmaudit::cleanup::script;
use dmaudit::facts::Facts;
use dmaudit::facts::line::Head;
use dmaudit::parse::*;
use dmaudit::pipeline;
use dmaudit::report::html::{Html, Run};
use dmaudit::report::view::Report;
use dmaudit::report::{json, text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let input: Cow<'_, str> = String::from_utf8_lossy(data);
    let text = input.as_ref();
    match env!("CARGO_BIN_NAME") {
        "archive" => whole_way(data),
        "node_text" => whole_way(&tar(text)),
        "facts" => facts(text),
        "pvereport" => whole_way(format!("==== general system info ====\n{text}").as_bytes()),
        "vmlist" => drop(cluster_files::parse_vmlist(text)),
        "members" => drop(cluster_files::parse_members(text)),
        "corosync" => drop(corosync::parse(text)),
        "datacenter" => drop(datacenter::parse(text)),
        "dmsetup_columns" => {
            dmsetup_columns::parse_separated(text);
            dmsetup_columns::parse_aligned(text);
        }
        "dmsetup_deps" => {
            dmsetup_deps::parse(text);
            dmsetup_deps::parse_ls(text);
        }
        "dmsetup_info" => drop(dmsetup_info::parse(text)),
        "dmsetup_table" => drop(dmsetup_table::parse(text)),
        "guest_config" => {
            dmaudit::model::guest::references(&guest_config::parse(text).value);
        }
        "guest_list" => drop(guest_list::parse(text)),
        "holders" => drop(holders::parse(text)),
        "kernel_log" => drop(kernel_log::parse(text)),
        "lsblk" => {
            let devices = lsblk::parse(text).value;
            lsblk::device_mapper(&devices).count();
        }
        "lvm_table" => {
            for table in [
                lvm_table::Table::Lvs,
                lvm_table::Table::Vgs,
                lvm_table::Table::Pvs,
            ] {
                lvm_table::parse(text, table);
            }
            if let Some(size) = lvm_table::Size::parse(text) {
                assert!(size.may_be(size.shown));
            }
        }
        "lvm_json" => drop(lvm_json::parse(text, "lv", |row| Some(row.clone()))),
        "lvmconfig" => drop(lvmconfig::parse(text)),
        "mountinfo" => drop(mountinfo::parse(text)),
        "multipath" => drop(multipath::parse(text)),
        "openers" => {
            openers::parse_lsof(text);
            openers::parse_fuser(text, text);
        }
        "pvesm" => drop(pvesm::parse(text)),
        "pveversion" => drop(pveversion::parse(text)),
        "storage_cfg" => drop(storage_cfg::parse(text)),
        "swaps" => drop(swaps::parse(text)),
        "system" => {
            system::parse_uname(text);
            system::parse_meminfo(text);
            system::parse_loadavg(text);
            system::parse_uptime(text);
            system::parse_lscpu(text);
            system::parse_df(text);
        }
        "thin_status" => drop(text.parse::<thin_status::ThinPoolStatus>()),
        other => panic!("no target {other}"),
    }
});

/// A tar of members written as `\0name\n` and their text: an archive's
/// checksums would stop every mutation before it reaches a parser.
fn tar(text: &str) -> Vec<u8> {
    let mut archive = Vec::new();
    for member in text.split('\0').take(256) {
        let (name, content) = member.split_once('\n').unwrap_or((member, ""));
        let name = format!("dmaudit-n-20261123T183645Z/{name}");
        if name.len() > 99 {
            continue;
        }
        let mut header = [0u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        archive.extend_from_slice(&header);
        archive.extend_from_slice(content.as_bytes());
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// From lines of facts to every output.
fn facts(text: &str) {
    let lines = text.lines().take(8);
    let facts: Vec<Facts> = lines
        .filter_map(|line| {
            let read = Facts::from_line(line.as_bytes()).ok();
            assert!(read.is_none() || Head::read(line.as_bytes()).is_ok());
            read
        })
        .collect();
    for one in &facts {
        let line = one.to_line().expect("facts are written");
        let again = Facts::from_line(&line).expect("what is written is read");
        assert_eq!(again.to_line().expect("facts are written"), line);
        if let Some(cleanup) = &one.cleanup {
            let _ = script::render(&cleanup.plan, &cleanup.about);
        }
    }
    shown(&pipeline::of_facts(facts, DateTime::UNIX_EPOCH));
}

/// From an archive's bytes to every output.
fn whole_way(archive: &[u8]) {
    let limits = Limits {
        total_bytes: 4 << 20,
        ..Limits::default()
    };
    let Ok(bundles) = open_archive("bundle", archive, &limits) else {
        return;
    };
    let now = DateTime::UNIX_EPOCH;
    for bundle in &bundles {
        let audit = Audit::of(bundle);
        let about = audit.about(now);
        let _ = script::render(&audit.planning.plan, &about);
    }
    shown(&pipeline::of_bundles(bundles, now));
}

/// Renders all of a report.
fn shown(report: &Report) {
    let mut shown = Vec::new();
    json::write(report, &mut shown).expect("writing to memory");
    std::str::from_utf8(&shown).expect("JSON is UTF-8");
    for node in &report.nodes {
        text::section(node).expect("writing to memory");
    }
    let html = Html::new().expect("templates");
    let run = Run::of(report);
    for node in &report.nodes {
        html.node_page(run, node, None).expect("a node's page");
    }
    for cluster in &report.clusters {
        html.cluster_page(run, cluster).expect("a cluster's page");
    }
    html.index_page(report).expect("the index");
}
