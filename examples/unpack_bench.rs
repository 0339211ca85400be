//! How long the unpacking of an archive can take that is just below the
//! limits: `cargo run --release --example unpack_bench`. Each is a sosreport
//! with one large member, packed in the ways that cost a reader most.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use dmaudit::bundle::{Limits, discover, open};
use flate2::Compression;
use flate2::write::GzEncoder;
use lzma_rust2::{XzOptions, XzWriter};

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Pack = fn(&[u8]) -> Result<Vec<u8>>;

/// What it is, its suffix, how it is packed and at what cost for each byte, a
/// packed piece of it, and the bytes that come out of that.
type Case = (&'static str, &'static str, Pack, usize, Vec<u8>, usize);

/// What a sosreport may have: bytes unpacked, and so many for each packed
/// one with gzip and with xz.
const ALLOWED: usize = 20 * (128 << 20);
const GZIP_COST: usize = 10;
const XZ_COST: usize = 24;

/// Bytes in a zstd archive: larger ones are refused at once.
const ZSTD_BYTES: usize = 60 << 20;

/// Two dynamic blocks without a byte, which end at a whole byte together: of
/// 257 lengths only that of the end is not 0. Each has tables to be built.
const DEFLATE_TABLES: &[u8] =
    b"\x04\xc0\x81\x08\0\0\0\0\x20\x7f\xeb\x47\0\x1c\x88\0\0\0\0\0\xf2\xb7\x7e";

/// A zstd frame's beginning (window 32 MiB) with 16 bytes to copy from, and
/// a block with three tables of 256 and 512 states for one sequence.
const ZSTD_BEGINNING: &[u8] = b"\x28\xb5\x2f\xfd\0\x78\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
const ZSTD_TABLES: &[u8] = b"\x6c\0\0\0\x01\xa8\xe4\xff\xe3\x7f\xe4\xff\0\0\0\x04";

fn main() -> Result<()> {
    let noise = noise(16 << 20);
    // 20 new bytes before 3,000 that were there already: a ratio below 200.
    let copies: Vec<u8> = noise
        .chunks(20)
        .take(5000)
        .flat_map(|new| [new, &noise[..3000]].concat())
        .collect();
    let folder = std::env::temp_dir().join(format!("unpack_bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    println!("case             packed MiB  unpacked MiB  seconds  result");
    let zeros = [0; 40];
    let cases: [Case; 6] = [
        ("tables", "gz", gz, GZIP_COST, gz_of_tables(), 0),
        ("noise", "gz", gz, GZIP_COST, gz(&noise)?, noise.len()),
        ("copies", "gz", gz, GZIP_COST, gz(&copies)?, copies.len()),
        ("tables", "xz", xz, XZ_COST, xz(&zeros)?, zeros.len()),
        ("noise", "xz", xz, XZ_COST, xz(&noise)?, noise.len()),
        ("copies", "xz", xz, XZ_COST, xz(&copies)?, copies.len()),
    ];
    for (case, suffix, pack, cost, piece, bytes) in cases {
        // The rest, 1 MiB, is for what stands around the pieces.
        let count = (ALLOWED - (1 << 20)) / (bytes + cost * piece.len());
        let path = folder.join(format!("{case}.tar.{suffix}"));
        let mut file = fs::File::create(&path)?;
        file.write_all(&pack(&beginning(count * bytes)?)?)?;
        for _ in 0..count {
            file.write_all(&piece)?;
        }
        file.write_all(&pack(&end(count * bytes))?)?;
        measure(&path, count * bytes)?;
    }
    let path = folder.join("tables.tar.zst");
    let mut frame = ZSTD_BEGINNING.to_vec();
    frame.extend(ZSTD_TABLES.repeat(ZSTD_BYTES / ZSTD_TABLES.len()));
    frame.extend(b"\x01\0\0");
    fs::write(&path, frame)?;
    measure(&path, 0)?;
    fs::remove_dir_all(&folder)?;
    Ok(())
}

/// Bytes of 7 random bits: literals for a packer, not stored as they are.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1u64;
    std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 57) as u8
    })
    .take(count)
    .collect()
}

fn measure(path: &Path, unpacked: usize) -> Result<()> {
    let found = discover(&[path.to_owned()]);
    let source = found.sources.first().ok_or("no archive was found")?;
    let began = Instant::now();
    let opened = open(source, &Limits::default());
    let seconds = began.elapsed().as_secs_f64();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    println!(
        "{name:<16} {:>10} {:>13} {seconds:>8.2}  {}",
        fs::metadata(path)?.len() >> 20,
        unpacked >> 20,
        match opened {
            Ok(_) => "read".to_owned(),
            Err(error) => format!("refused: {error}"),
        }
    );
    fs::remove_file(path)?;
    Ok(())
}

/// A sosreport's first members and the header of one with `bytes`.
fn beginning(bytes: usize) -> Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, text) in [
        (
            "sos_commands/devicemapper/dmsetup_info_-c",
            "Name Maj Min\n",
        ),
        ("etc/hostname", "pve1\n"),
    ] {
        tar.append_data(
            &mut header(text.len()),
            format!("sosreport-pve1/{path}"),
            text.as_bytes(),
        )?;
    }
    let mut large = header(bytes);
    large.set_path("sosreport-pve1/var/log/journal")?;
    large.set_cksum();
    let mut bytes = tar.into_inner()?;
    bytes.truncate(bytes.len() - 1024);
    bytes.extend(large.as_bytes());
    Ok(bytes)
}

fn header(bytes: usize) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes as u64);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

/// The padding of a member of `bytes`, and the archive's end.
fn end(bytes: usize) -> Vec<u8> {
    vec![0; bytes.next_multiple_of(512) - bytes + 1024]
}

fn gz(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes)?;
    Ok(packer.finish()?)
}

fn xz(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut options = XzOptions::with_preset(3);
    options.lzma_options.lc = 4;
    options.lzma_options.lp = 0;
    let mut packer = XzWriter::new(Vec::new(), options)?;
    packer.write_all(bytes)?;
    Ok(packer.finish()?)
}

/// A gzip member of 4,000 empty blocks with tables.
fn gz_of_tables() -> Vec<u8> {
    let mut member = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    member.extend(DEFLATE_TABLES.repeat(2000));
    member.extend(b"\x03\0\0\0\0\0\0\0\0\0");
    member
}
