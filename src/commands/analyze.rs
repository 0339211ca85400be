//! `dmaudit analyze`.

use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use chrono::Utc;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use super::{interrupt, output};
use crate::audit::Audit;
use crate::bundle;
use crate::cli::{Analyze, FailOn, Format};
use crate::pipeline;
use crate::report::compose::{self, Files};
use crate::report::html::{Html, Run};
use crate::report::{json, text, view};

/// From this many bundles on, a terminal is shown how far it got.
const PROGRESS_FROM: usize = 20;

/// Analyzes bundles and reports.
///
/// # Errors
///
/// A line for the user where output could not be written.
pub fn run(args: &Analyze) -> Result<ExitCode, String> {
    if let Some(threads) = args.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(usize::from(threads))
            .build_global()
            .map_err(|error| format!("no {threads} threads: {error}"))?;
    }
    interrupt::watch()?;
    let now = args.now.unwrap_or_else(Utc::now);
    let discovery = bundle::discover(&args.paths);
    let progress = progress(discovery.sources.len());
    let (mut audits, mut rejected) =
        pipeline::read(&discovery.sources, &args.limits.limits(), || {
            progress.inc(1)
        });
    progress.finish_and_clear();
    rejected.extend(discovery.rejected);
    rejected.sort();
    let files = match args.output {
        Some(_) => Files::All,
        None => Files::None,
    };
    if files == Files::All {
        audits
            .par_iter_mut()
            .for_each(|audit| audit.write_script(now));
    }
    for input in &rejected {
        eprintln!("dmaudit: rejected {}: {}", input.path, input.error);
    }
    let any_rejected = !rejected.is_empty();
    let (report, sources) = compose::report(
        &audits,
        rejected.into_iter().map(pipeline::view_of).collect(),
        now,
        files,
    );
    if let Some(folder) = &args.output {
        write_files(folder, &report, &audits, &sources)?;
        eprintln!(
            "dmaudit: report written to {}",
            folder.join("index.html").display()
        );
    }
    print(&report, args.format)?;
    Ok(match (any_rejected, args.fail_on) {
        (true, _) => ExitCode::from(3),
        (false, Some(least)) if has_finding(&report, least) => ExitCode::from(1),
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

fn write_files(
    folder: &Path,
    report: &view::Report,
    audits: &[Audit],
    sources: &[usize],
) -> Result<(), String> {
    let html = Html::new()?;
    let run = Run::of(report);
    output::remove_old_scripts(folder)?;
    let cluster_pages: HashMap<&str, &str> = report
        .clusters
        .iter()
        .filter_map(|cluster| Some((cluster, cluster.page.as_deref()?)))
        .flat_map(|(cluster, page)| {
            let members = cluster.nodes.iter();
            members.map(move |member| (member.slug.as_str(), page))
        })
        .collect();
    report
        .nodes
        .par_iter()
        .zip(sources)
        .try_for_each(|(node, source)| {
            let script = audits
                .get(*source)
                .and_then(|audit| audit.script.as_deref());
            if let (Some(path), Some(script)) = (&node.script, script) {
                output::write(folder, path, script.as_bytes())?;
            }
            let cluster_page = cluster_pages.get(node.slug.as_str()).copied();
            match &node.page {
                Some(path) => output::write(
                    folder,
                    path,
                    html.node_page(run, node, cluster_page)?.as_bytes(),
                ),
                None => Ok(()),
            }
        })?;
    for cluster in &report.clusters {
        if let Some(path) = &cluster.page {
            output::write(folder, path, html.cluster_page(run, cluster)?.as_bytes())?;
        }
    }
    write_json(folder, report)?;
    output::write(folder, "index.html", html.index_page(report)?.as_bytes())
}

fn write_json(folder: &Path, report: &view::Report) -> Result<(), String> {
    let mut document = Vec::new();
    json::write(report, &mut document).map_err(|error| format!("report.json: {error}"))?;
    output::write(folder, "report.json", &document)
}

/// Prints to standard output. A reader that closes the pipe has read enough.
fn print(report: &view::Report, format: Format) -> Result<(), String> {
    let printed = match format {
        Format::Text => {
            let mut out = anstream::AutoStream::auto(io::stdout().lock());
            text::write(report, &mut out).and_then(|()| out.flush())
        }
        Format::Json => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            json::write(report, &mut out).and_then(|()| out.flush())
        }
    };
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("standard output could not be written: {error}"))
        }
        _ => Ok(()),
    }
}

fn has_finding(report: &view::Report, least: FailOn) -> bool {
    let counts = |severity: &str| match least {
        FailOn::Critical => severity == "critical",
        FailOn::Warning => severity != "info",
        FailOn::Info => true,
    };
    report
        .nodes
        .iter()
        .flat_map(|node| &node.findings)
        .chain(report.clusters.iter().flat_map(|cluster| &cluster.findings))
        .any(|finding| counts(&finding.severity))
}
