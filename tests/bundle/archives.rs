//! Archives built in memory, by writers that know nothing of the reader.

use std::io::{Cursor, Write};
use std::path::Path;

use dmaudit::bundle::{Bundle, Limits, OpenError, open_archive};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;

pub type Members = Vec<(String, Vec<u8>)>;

pub const TOP: &str = "dmaudit-pve1-20261123T183645Z";

/// A small bundle's commands and files.
pub const COMMANDS: [(&str, &str); 3] = [
    (
        "dmsetup-info",
        "Name:              pve-root\nState: ACTIVE\n",
    ),
    ("lvs-json", "{\"report\":[]}\n"),
    ("qm-list", ""),
];
pub const FILES: [(&str, &str); 3] = [
    (
        "/etc/pve/nodes/pve1/qemu-server/100.conf",
        "scsi0: local-lvm:vm-100-disk-0\n",
    ),
    (
        "/etc/pve/nodes/pve2/lxc/200.conf",
        "rootfs: local-lvm:vm-200-disk-0\n",
    ),
    ("/etc/pve/storage.cfg", "lvmthin: local-lvm\n\tvgname pve\n"),
];

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The manifest that describes [`COMMANDS`] and [`FILES`].
pub fn manifest() -> serde_json::Value {
    let commands: Vec<_> = COMMANDS
        .iter()
        .map(|(id, out)| {
            serde_json::json!({
                "id": id, "command": format!("run {id}"), "status": 0, "timed_out": false,
                "seconds": 0.25, "bytes": out.len(), "sha256": sha256(out.as_bytes()),
            })
        })
        .collect();
    let files: Vec<_> = FILES
        .iter()
        .map(|(path, text)| {
            serde_json::json!({
                "path": path, "bytes": text.len(), "sha256": sha256(text.as_bytes()), "masked": false,
            })
        })
        .collect();
    serde_json::json!({
        "format": 1, "collector": "0.1.0", "node": "pve1",
        "started_at": "2026-11-23T18:36:45Z", "finished_at": "2026-11-23T18:36:47Z",
        "machine_id_sha256": "00".repeat(32),
        "commands": commands, "files": files,
        "unread": [{"path": "/etc/lvm/lvm.conf", "error": "Permission denied"}],
        "directories": ["/etc/pve/nodes/pve1/lxc", "/etc/pve/nodes/pve1/qemu-server/"],
    })
}

/// The members below a bundle's root, without manifest.
pub fn plain() -> Members {
    let mut members = Members::new();
    for (id, out) in COMMANDS {
        members.push((format!("commands/{id}.out"), out.into()));
        members.push((format!("commands/{id}.err"), format!("{id} warns\n").into()));
    }
    for (path, text) in FILES {
        members.push((format!("files{path}"), text.into()));
    }
    members
}

/// The same with its manifest in front.
pub fn complete() -> Members {
    with_manifest(&manifest())
}

pub fn with_manifest(manifest: &serde_json::Value) -> Members {
    let mut members = vec![("manifest.json".into(), manifest.to_string().into_bytes())];
    members.extend(plain());
    members
}

/// All members below a folder.
pub fn below(top: &str, members: Members) -> Members {
    members
        .into_iter()
        .map(|(name, bytes)| (format!("{top}/{name}"), bytes))
        .collect()
}

pub fn zip(members: &Members) -> Vec<u8> {
    zip_with(members, zip::CompressionMethod::Deflated)
}

pub fn zip_with(members: &Members, method: zip::CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(name.as_str(), options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub fn tar(members: &Members) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        add_to_tar(&mut builder, name, bytes);
    }
    builder.into_inner().unwrap()
}

/// A tar as `tar --format=v7` writes it, without a magic number.
pub fn old_tar(members: &Members) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_old();
        header.set_path(name).unwrap();
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        builder.append(&header, &bytes[..]).unwrap();
    }
    builder.into_inner().unwrap()
}

pub fn add_to_tar(builder: &mut tar::Builder<Vec<u8>>, name: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, name, bytes).unwrap();
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

pub fn write_folder(folder: &Path, members: &Members) {
    for (name, bytes) in members {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

pub fn open(bytes: &[u8]) -> Result<Vec<Bundle>, OpenError> {
    open_archive("input.zip", bytes, &Limits::default())
}

/// Opens what must hold one bundle.
pub fn one(bytes: &[u8]) -> Bundle {
    let mut bundles = open(bytes).unwrap();
    assert_eq!(bundles.len(), 1);
    bundles.remove(0)
}

/// Opens what must be rejected.
pub fn refused(bytes: &[u8]) -> String {
    match open(bytes) {
        Ok(bundles) => panic!("accepted: {bundles:?}"),
        Err(error) => error.to_string(),
    }
}

/// Why a path is unread, if it is.
pub fn why_unread<'a>(bundle: &'a Bundle, path: &str) -> Option<&'a str> {
    let found = bundle.unread().iter().find(|unread| unread.path == path)?;
    Some(&found.error)
}

/// Writes `new` over each `old` of the same length; there must be `times`.
pub fn patched(archive: &[u8], old: &[u8], new: &[u8], times: usize) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let mut bytes = archive.to_vec();
    let mut count = 0;
    for at in 0..bytes.len().saturating_sub(old.len() - 1) {
        if bytes[at..].starts_with(old) {
            bytes[at..at + old.len()].copy_from_slice(new);
            count += 1;
        }
    }
    assert_eq!(count, times, "{:?}", String::from_utf8_lossy(old));
    bytes
}

/// Where the central directory's header of the named member begins.
pub fn central_header(archive: &[u8], name: &str) -> usize {
    (0..archive.len())
        .find(|&at| {
            archive[at..].starts_with(b"PK\x01\x02")
                && archive[at + 46..].starts_with(name.as_bytes())
        })
        .unwrap()
}
