//! `dmaudit facts`.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use chrono::Utc;

use super::output::Staged;
use super::{interrupt, printed};
use crate::bundle;
use crate::cli::Facts;
use crate::pipeline::{Job, Line};
use crate::report::view;

/// Turns bundles into facts.
///
/// # Errors
///
/// A line for the user where output could not be written.
pub fn run(args: &Facts) -> Result<ExitCode, String> {
    if let Some(threads) = args.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(usize::from(threads))
            .build_global()
            .map_err(|error| format!("no {threads} threads: {error}"))?;
    }
    interrupt::watch()?;
    let mut discovery = bundle::discover(&args.paths);
    if let Some(name) = &args.stdin_name {
        for source in &mut discovery.sources {
            source.call_standard_input(name);
        }
    }
    let now = args.now.unwrap_or_else(Utc::now);
    let job = Job::of(discovery, args.limits.limits(), now).configured(args.config.read()?);
    let rejected = match &args.output {
        Some(path) if path.as_os_str() != "-" => to_file(job, path)?,
        _ => to_standard_output(job)?,
    };
    for input in &rejected {
        printed::tell_rejected(&input.path, &input.error);
    }
    Ok(match rejected.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(3),
    })
}

fn to_file(job: Job, path: &Path) -> Result<Vec<view::Rejected>, String> {
    let mut file = Staged::at(path)?;
    let write = |line: &Line| {
        let written = line.write(&mut file);
        written.map_err(|error| file.failed(&error))
    };
    let rejected = job.facts(write, || ())?;
    file.keep()?;
    Ok(rejected)
}

fn to_standard_output(job: Job) -> Result<Vec<view::Rejected>, String> {
    let mut out = printed::Out::new();
    let failed = |error: io::Error| format!("standard output could not be written: {error}");
    let rejected = job.facts(|line| line.write(&mut out).map_err(failed), || ())?;
    out.flush().map_err(failed)?;
    Ok(rejected)
}
