//! `dmaudit collect`.

mod progress;
mod summary;

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::cli::{ClusterBy, Collect, CollectFormat};
use crate::collect::{self, By, COLLECTOR, Outcome, Settings, Target};
use progress::Progress;

/// The exit status of a run that a signal ended, as a shell has it.
const INTERRUPTED: u8 = 130;

/// Collects bundles from nodes.
///
/// # Errors
///
/// A line for the user: the list of hosts or the output folder is of no use,
/// or standard output failed.
pub fn run(args: &Collect) -> Result<ExitCode, String> {
    if args.print_collector {
        return print(COLLECTOR.as_bytes()).map(|()| ExitCode::SUCCESS);
    }
    let mut targets = args.targets.clone();
    if let Some(file) = &args.hosts {
        targets.extend(listed(file)?);
    }
    if targets.is_empty() {
        return Err("the list names no host".to_owned());
    }
    fs::create_dir_all(&args.output)
        .map_err(|error| format!("{} can't be made: {error}", args.output.display()))?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register(signal, Arc::clone(&stop))
            .map_err(|error| format!("signals can't be caught: {error}"))?;
    }
    let settings = settings(args);
    let mut failed = Vec::new();
    if args.cluster {
        (targets, failed) = members(&settings, &targets, args.cluster_by, &stop);
    }
    let targets = distinct(targets);
    let progress = Progress::new(&targets);
    let mut outcomes = collect::collect(&settings, &targets, &stop, &progress);
    outcomes.extend(failed);
    let collected = outcomes.iter().filter(|one| one.result.is_ok()).count();
    summary::tell(&outcomes, &args.output);
    match args.format {
        CollectFormat::Text => print(summary::paths(&outcomes).as_bytes())?,
        CollectFormat::Json => print(summary::json(&outcomes)?.as_bytes())?,
    }
    Ok(if stop.load(Ordering::Relaxed) {
        ExitCode::from(INTERRUPTED)
    } else if collected == 0 {
        ExitCode::from(2)
    } else if collected < outcomes.len() {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

fn settings(args: &Collect) -> Settings {
    let seconds = |number: u32| Duration::from_secs(u64::from(number));
    Settings {
        folder: args.output.clone(),
        ssh_config: args.ssh_config.clone(),
        ssh_options: args.ssh_option.clone(),
        sudo: args.sudo,
        connect_timeout: seconds(args.connect_timeout),
        timeout: seconds(args.timeout),
        command_timeout: seconds(args.command_timeout),
        jobs: usize::from(args.jobs),
    }
}

/// The hosts of a list.
fn listed(file: &Path) -> Result<Vec<Target>, String> {
    let name = file.display();
    let mut text = String::new();
    let read = if file == Path::new("-") {
        io::stdin().read_to_string(&mut text)
    } else {
        fs::File::open(file).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.map_err(|error| format!("{name} can't be read: {error}"))?;
    let mut targets = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let host = line.split('#').next().unwrap_or_default().trim();
        if !host.is_empty() {
            targets.push(
                Target::parse(host).map_err(|error| format!("{name}, line {number}: {error}"))?,
            );
        }
    }
    Ok(targets)
}

/// The members of the hosts' clusters. A host that can't be asked is an
/// outcome already.
fn members(
    settings: &Settings,
    targets: &[Target],
    by: Option<ClusterBy>,
    stop: &AtomicBool,
) -> (Vec<Target>, Vec<Outcome>) {
    let by = match by {
        None => By::LikeAsked,
        Some(ClusterBy::Name) => By::Name,
        Some(ClusterBy::Address) => By::Address,
    };
    let (mut all, mut failed) = (Vec::new(), Vec::new());
    for target in targets {
        match collect::cluster(settings, target, by, stop) {
            Ok(members) => {
                tell!(
                    "dmaudit: {target}: {}",
                    crate::report::words::count(
                        members.len(),
                        "node in its cluster",
                        "nodes in its cluster"
                    )
                );
                all.extend(members);
            }
            Err(failure) => failed.push(Outcome {
                target: target.clone(),
                result: Err(failure),
                seconds: 0,
            }),
        }
    }
    (all, failed)
}

/// Each host once, in order.
fn distinct(targets: Vec<Target>) -> Vec<Target> {
    let mut seen = std::collections::BTreeSet::new();
    targets
        .into_iter()
        .filter(|target| seen.insert(target.clone()))
        .collect()
}

/// Prints to standard output. A reader that closes the pipe has read enough.
fn print(bytes: &[u8]) -> Result<(), String> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("standard output could not be written: {error}"))
        }
        _ => Ok(()),
    }
}
