//! `dmaudit analyze`.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use chrono::Utc;
use indicatif::{ProgressBar, ProgressStyle};

use super::printed;
use super::reports::Reports;
use super::{interrupt, monitoring};
use crate::cli::{Analyze, FailOn, Format};
use crate::pipeline::{Job, Outcome};
use crate::report::compose;

/// From this many bundles on, a terminal is shown how far it got.
const PROGRESS_FROM: usize = 20;

/// Analyzes bundles and reports.
///
/// # Errors
///
/// A line for the user where output could not be written.
pub fn run(args: &Analyze) -> Result<ExitCode, String> {
    match (analyze(args), args.format) {
        (Err(message), Format::Nagios) => monitoring::failed(&message),
        (result, _) => result,
    }
}

fn analyze(args: &Analyze) -> Result<ExitCode, String> {
    if args.format == Format::Nagios && args.fail_on.is_some() {
        return Err(
            "--format nagios has an exit status of its own: leave --fail-on out".to_owned(),
        );
    }
    if let Some(threads) = args.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(usize::from(threads))
            .build_global()
            .map_err(|error| format!("no {threads} threads: {error}"))?;
    }
    let config = args.config.read()?;
    interrupt::watch()?;
    let now = args.now.unwrap_or_else(Utc::now);
    let job = Job::new(&args.paths, args.limits.limits(), now).configured(config);
    let analyzed_at = compose::time(now);
    let progress = progress(job.inputs());
    let mut reports = Reports::begin(args, &analyzed_at)?;
    let outcome = job.run(&mut reports, || progress.inc(1));
    progress.finish_and_clear();
    let outcome = outcome?;
    for remark in &outcome.remarks {
        tell!("dmaudit: configuration: {remark}");
    }
    for input in &outcome.rejected {
        printed::tell_rejected(&input.path, &input.error);
    }
    if let Some(status) = reports.end(&outcome)? {
        return Ok(status);
    }
    Ok(match (outcome.rejected.is_empty(), args.fail_on) {
        (false, _) => ExitCode::from(3),
        (true, Some(least)) if has_finding(&outcome, least) => ExitCode::from(1),
        _ => ExitCode::SUCCESS,
    })
}

fn progress(bundles: usize) -> ProgressBar {
    if bundles < PROGRESS_FROM || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} bundles, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(bundles as u64).with_style(style)
}

fn has_finding(outcome: &Outcome, least: FailOn) -> bool {
    let counts = |critical: usize, warnings: usize, all: usize| match least {
        FailOn::Critical => critical > 0,
        FailOn::Warning => critical + warnings > 0,
        FailOn::Info => all > 0,
    };
    let rows = &outcome.rows;
    let nodes = rows.nodes.iter();
    let clusters = rows.clusters.iter();
    nodes
        .map(|row| (row.critical, row.warnings, row.findings))
        .chain(clusters.map(|row| (row.critical, row.warnings, row.findings)))
        .any(|(critical, warnings, all)| counts(critical, warnings, all))
}
