//! Measures dmaudit on a folder of bundles against the floor, which is to read
//! and inflate every bundle and to drop the bytes:
//! `fleet_bench DIR [--rounds N] [--dmaudit PROGRAM]`
//!
//! Each measurement is a process of its own, so that its peak memory is its own.
//! Those of a round follow each other, so that what else the machine does hits
//! all of them alike.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Parser;
use rayon::prelude::*;

#[derive(Parser)]
struct Arguments {
    /// A folder of bundles
    folder: PathBuf,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The program to measure (default: the one beside this one's folder)
    #[arg(long)]
    dmaudit: Option<PathBuf>,
    /// Only the floor's work, in this process
    #[arg(long, hide = true)]
    floor: bool,
}

/// What a process took: seconds by the clock, seconds of CPU, KiB at its peak.
type Taken = [f64; 3];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let zips = zips(&arguments.folder)?;
    if arguments.floor {
        let bytes = floor(&zips)?;
        writeln!(io::stdout(), "{bytes}")?;
        return Ok(());
    }
    let me = std::env::current_exe()?;
    let beside = || Some(me.parent()?.parent()?.join("dmaudit"));
    let program = arguments
        .dmaudit
        .clone()
        .or_else(beside)
        .filter(|program| program.is_file())
        .ok_or("no dmaudit: build it first (cargo build --release), or name it with --dmaudit")?;
    let out = tempfile::tempdir()?;
    let mut floor: Vec<Taken> = Vec::new();
    let mut json: Vec<Taken> = Vec::new();
    let mut files: Vec<Taken> = Vec::new();
    for round in 0..=arguments.rounds {
        let folder = out.path().join(round.to_string());
        let taken = [
            measure(Command::new(&me).arg("--floor").arg(&arguments.folder))?,
            measure(
                Command::new(&program)
                    .args(["analyze", "--format", "json"])
                    .arg(&arguments.folder),
            )?,
            measure(
                Command::new(&program)
                    .arg("analyze")
                    .arg(&arguments.folder)
                    .arg("-o")
                    .arg(&folder),
            )?,
        ];
        std::fs::remove_dir_all(&folder)?;
        // The first round fills the page cache.
        if round > 0 {
            floor.push(taken[0]);
            json.push(taken[1]);
            files.push(taken[2]);
        }
    }
    let threads = std::thread::available_parallelism()?;
    let mut print = io::stdout().lock();
    writeln!(
        print,
        "{} bundles, {} MB packed, {threads} threads, {} rounds; min / median / max\n",
        zips.len(),
        size(&zips)? / 1_000_000,
        arguments.rounds
    )?;
    writeln!(
        print,
        "| | wall, s | CPU, s | peak memory, MiB | wall ÷ floor | CPU ÷ floor |\n|---|---|---|---|---|---|"
    )?;
    for (name, taken) in [
        ("floor: read and inflate", &floor),
        ("`--format json`", &json),
        ("`-o DIR`", &files),
    ] {
        let ratio = |of: usize| {
            let each = taken.iter().zip(&floor);
            spread(each.map(|(taken, floor)| taken[of] / floor[of]), 2)
        };
        let values = |of: usize, unit: f64, digits: usize| {
            spread(taken.iter().map(|taken| taken[of] / unit), digits)
        };
        writeln!(
            print,
            "| {name} | {} | {} | {} | {} | {} |",
            values(0, 1.0, 3),
            values(1, 1.0, 3),
            values(2, 1024.0, 1),
            ratio(0),
            ratio(1),
        )?;
    }
    Ok(())
}

fn zips(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut zips = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        if entry.path().extension().is_some_and(|ext| ext == "zip") {
            zips.push(entry.into_path());
        }
    }
    Ok(zips)
}

fn size(zips: &[PathBuf]) -> io::Result<u64> {
    zips.iter()
        .map(|zip| zip.metadata().map(|about| about.len()))
        .sum()
}

/// Inflates every member of every archive; returns how many bytes they have.
fn floor(zips: &[PathBuf]) -> Result<u64, String> {
    let inflate = |path: &PathBuf| -> Result<u64, Box<dyn Error>> {
        let mut archive = zip::ZipArchive::new(BufReader::new(File::open(path)?))?;
        let mut bytes = 0;
        for at in 0..archive.len() {
            bytes += io::copy(&mut archive.by_index(at)?, &mut io::sink())?;
        }
        Ok(bytes)
    };
    zips.par_iter()
        .map(|path| inflate(path).map_err(|error| format!("{}: {error}", path.display())))
        .sum()
}

/// Runs a command under GNU time, which knows what its child took.
fn measure(command: &Command) -> Result<Taken, Box<dyn Error>> {
    let report = tempfile::NamedTempFile::new()?;
    let start = std::time::Instant::now();
    let status = Command::new("/usr/bin/time")
        .args(["-f", "%U %S %M", "-o"])
        .arg(report.path())
        .arg(command.get_program())
        .args(command.get_args())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .status()
        .map_err(|error| format!("/usr/bin/time (Debian's package time): {error}"))?;
    let wall = start.elapsed().as_secs_f64();
    let text = std::fs::read_to_string(report.path())?;
    if !status.success() {
        return Err(format!("{command:?}: {status}").into());
    }
    let numbers: Vec<f64> = text.split_whitespace().flat_map(str::parse).collect();
    match numbers[..] {
        [user, system, memory] => Ok([wall, user + system, memory]),
        _ => Err(format!("/usr/bin/time: expected three numbers, got '{text}'").into()),
    }
}

fn spread(values: impl Iterator<Item = f64>, digits: usize) -> String {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let of = |at: usize| {
        let value = values.get(at).copied().unwrap_or(f64::NAN);
        format!("{value:.digits$}")
    };
    format!(
        "{} / {} / {}",
        of(0),
        of(values.len() / 2),
        of(values.len().saturating_sub(1))
    )
}
