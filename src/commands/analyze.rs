//! `dmaudit analyze`.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use chrono::Utc;
use indicatif::{ProgressBar, ProgressStyle};

use super::output::{self, Staged};
use super::parquet::{self, Parquet};
use super::printed::{Out, closed};
use super::tables::Csv;
use super::{interrupt, monitoring};
use crate::cleanup::script;
use crate::cli::{Analyze, FailOn, Format};
use crate::pipeline::{Analyzed, Job, Outcome, Sink};
use crate::report::html::{Html, Overview, Run};
use crate::report::nagios::Nagios;
use crate::report::prometheus::Prometheus;
use crate::report::text::{self, DETAILED_NODES, Text};
use crate::report::{compose, csv, json, view};

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
        eprintln!("dmaudit: configuration: {remark}");
    }
    for input in &outcome.rejected {
        eprintln!("dmaudit: rejected {}: {}", input.path, input.error);
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

/// What goes to standard output while the nodes come.
enum Printed {
    Text(Text),
    Json(json::Document<Out>),
    Lines(Out),
    Prometheus(Prometheus),
    Nagios(Nagios),
}

impl Printed {
    /// Whether nodes are taken as they are, not as text.
    fn takes_views(&self) -> bool {
        matches!(self, Self::Prometheus(_) | Self::Nagios(_))
    }
}

/// What goes to the output folder.
struct Folder<'a> {
    path: &'a Path,
    html: Html,
    json: json::Document<Staged>,
}

/// The reports of a run, written as its nodes come.
struct Reports<'a> {
    run: Run<'a>,
    printed: Printed,
    folder: Option<Folder<'a>>,
    csv: Option<Csv>,
    parquet: Option<Parquet>,
    /// Whether there are so few nodes that the text tells all of each.
    detailed: bool,
}

/// What is kept of a node until its turn comes.
struct Rendered {
    slug: String,
    json: Vec<u8>,
    line: Vec<u8>,
    section: Vec<u8>,
    rows: Option<[Vec<u8>; 4]>,
    batches: Option<parquet::Rows>,
    node: Option<Box<view::Node>>,
}

impl<'a> Reports<'a> {
    fn begin(args: &'a Analyze, analyzed_at: &'a str) -> Result<Self, String> {
        let version = env!("CARGO_PKG_VERSION");
        let run = Run {
            version,
            analyzed_at,
        };
        let folder = match &args.output {
            None => None,
            Some(path) => {
                output::remove_old_scripts(path)?;
                let staged = Staged::new(path, "report.json")?;
                Some(Folder {
                    path,
                    html: Html::new()?,
                    json: json::Document::begin(staged, version, analyzed_at)
                        .map_err(|error| format!("report.json could not be written: {error}"))?,
                })
            }
        };
        Ok(Self {
            run,
            printed: match args.format {
                Format::Text => Printed::Text(Text::default()),
                Format::Json => {
                    let begun = json::Document::begin(Out::new(), version, analyzed_at);
                    Printed::Json(begun.map_err(not_printed)?)
                }
                Format::Ndjson => Printed::Lines(Out::new()),
                Format::Prometheus => Printed::Prometheus(Prometheus::new(version, analyzed_at)),
                Format::Nagios => Printed::Nagios(Nagios::new(analyzed_at)),
            },
            folder,
            csv: args.csv.as_deref().map(Csv::begin).transpose()?,
            parquet: (args.parquet.as_deref())
                .map(|folder| Parquet::begin(folder, run))
                .transpose()?,
            detailed: true,
        })
    }

    /// Writes what is left; the exit status where the format has its own.
    fn end(self, outcome: &Outcome) -> Result<Option<ExitCode>, String> {
        let Outcome {
            rows,
            totals,
            headline,
            rejected,
            remarks: _,
        } = outcome;
        if let Some(csv) = self.csv {
            csv.end()?;
        }
        if let Some(parquet) = self.parquet {
            parquet.end()?;
        }
        if let Some(folder) = self.folder {
            let overview = Overview::of(rows, totals, headline, rejected);
            let index = folder.html.overview_page(self.run, &overview)?;
            folder
                .json
                .end(rejected)
                .map_err(|error| error.to_string())
                .and_then(Staged::keep)
                .map_err(|error| format!("report.json could not be written: {error}"))?;
            output::write(folder.path, "index.html", index.as_bytes())?;
            eprintln!(
                "dmaudit: report written to {}",
                folder.path.join("index.html").display()
            );
        }
        let printed = match self.printed {
            Printed::Text(text) => {
                let mut out = anstream::AutoStream::auto(io::stdout().lock());
                closed(
                    text.write(rows, totals, headline, rejected, &mut out)
                        .and_then(|()| out.flush()),
                )
            }
            Printed::Json(document) => document.end(rejected).map(drop),
            Printed::Lines(mut out) => rejected
                .iter()
                .try_for_each(|input| out.write_all(&json::rejected_line(input)?))
                .and_then(|()| out.flush()),
            Printed::Prometheus(mut metrics) => {
                rejected
                    .iter()
                    .for_each(|input| metrics.add_rejected(input));
                let mut out = Out::new();
                metrics.write(&mut out).and_then(|()| out.flush())
            }
            Printed::Nagios(mut line) => {
                rejected.iter().for_each(|input| line.add_rejected(input));
                let mut out = Out::new();
                line.write(&mut out)
                    .and_then(|()| out.flush())
                    .map_err(not_printed)?;
                return Ok(Some(ExitCode::from(line.state().status())));
            }
        };
        printed.map(|()| None).map_err(not_printed)
    }
}

impl Sink for Reports<'_> {
    type Made = Rendered;
    type Error = String;

    fn begin(&mut self, nodes: usize) -> bool {
        self.detailed = nodes <= DETAILED_NODES;
        self.folder.is_some()
    }

    fn make(&self, analyzed: Analyzed) -> Result<Rendered, String> {
        let Analyzed {
            node,
            cluster_page,
            cleanup,
        } = analyzed;
        if let Some(folder) = &self.folder {
            if let (Some(path), Some(cleanup)) = (&node.script, cleanup) {
                let script = script::render(&cleanup.plan, &cleanup.about)
                    .map_err(|error| format!("{path}: {error}"))?;
                output::write(folder.path, path, script.as_bytes())?;
            }
            if let Some(path) = &node.page {
                // As it is made: it can be larger than all the rest.
                output::write_with(folder.path, path, |out| {
                    let html = &folder.html;
                    html.write_node_page(self.run, &node, cluster_page.as_deref(), out)
                })?;
            }
        }
        let wants_json = self.folder.is_some() || matches!(self.printed, Printed::Json(_));
        let wants_section = self.detailed && matches!(self.printed, Printed::Text(_));
        let wants_line = matches!(self.printed, Printed::Lines(_));
        let unless = |wanted: bool, render: fn(&view::Node) -> io::Result<Vec<u8>>| match wanted {
            true => render(&node).map_err(|error| error.to_string()),
            false => Ok(Vec::new()),
        };
        Ok(Rendered {
            json: unless(wants_json, json::node_text)?,
            line: unless(wants_line, json::node_line)?,
            section: unless(wants_section, text::section)?,
            batches: match self.parquet {
                Some(_) => Some(Parquet::rows(&node)?),
                None => None,
            },
            rows: match self.csv {
                Some(_) => Some(csv::of_node(&node).map_err(|error| error.to_string())?),
                None => None,
            },
            slug: node.slug.clone(),
            node: self.printed.takes_views().then(|| Box::new(node)),
        })
    }

    fn take(&mut self, node: Rendered) -> Result<(), String> {
        if let (Some(csv), Some(rows)) = (&mut self.csv, &node.rows) {
            csv.node(rows)?;
        }
        if let (Some(parquet), Some(rows)) = (&mut self.parquet, &node.batches) {
            parquet.add(rows)?;
        }
        if let Some(folder) = &mut self.folder {
            let written = folder.json.node(&node.json);
            written.map_err(|error| format!("report.json could not be written: {error}"))?;
        }
        match &mut self.printed {
            Printed::Text(text) if self.detailed => {
                text.add_node(&node.slug, node.section);
                Ok(())
            }
            Printed::Text(_) => Ok(()),
            Printed::Json(document) => document.node(&node.json),
            Printed::Lines(out) => out.write_all(&node.line),
            Printed::Prometheus(metrics) => {
                node.node.iter().for_each(|node| metrics.add_node(node));
                Ok(())
            }
            Printed::Nagios(line) => {
                node.node.iter().for_each(|node| line.add_node(node));
                Ok(())
            }
        }
        .map_err(not_printed)
    }

    fn cluster(&mut self, cluster: view::Cluster) -> Result<(), String> {
        if let Some(csv) = &mut self.csv {
            csv.cluster(&cluster)?;
        }
        if let Some(parquet) = &mut self.parquet {
            parquet.cluster(&cluster)?;
        }
        if let Some(folder) = &mut self.folder {
            if let Some(path) = &cluster.page {
                let page = folder.html.cluster_page(self.run, &cluster)?;
                output::write(folder.path, path, page.as_bytes())?;
            }
            let written = folder.json.cluster(&cluster);
            written.map_err(|error| format!("report.json could not be written: {error}"))?;
        }
        match &mut self.printed {
            Printed::Text(text) => text.add_cluster(&cluster),
            Printed::Json(document) => document.cluster(&cluster),
            Printed::Lines(out) => {
                json::cluster_line(&cluster).and_then(|line| out.write_all(&line))
            }
            Printed::Prometheus(metrics) => {
                metrics.add_cluster(&cluster);
                Ok(())
            }
            Printed::Nagios(line) => {
                line.add_cluster(&cluster);
                Ok(())
            }
        }
        .map_err(not_printed)
    }
}

fn not_printed(error: io::Error) -> String {
    format!("standard output could not be written: {error}")
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
