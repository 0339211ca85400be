//! What `dmaudit analyze` writes of a run, as its nodes come.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::output::{self, Staged};
use super::parquet::{self, Parquet};
use super::printed::{Out, closed};
use super::tables::Csv;
use crate::cleanup::script::{self, ScriptError};
use crate::cli::{Analyze, Format};
use crate::pipeline::{Analyzed, Maker, Outcome, Sink, Taker};
use crate::report::html::{Html, Overview, Run};
use crate::report::nagios::Nagios;
use crate::report::prometheus::Prometheus;
use crate::report::text::{self, DETAILED_NODES, Text};
use crate::report::{csv, json, view};

/// What goes to standard output while the nodes come.
enum Printed {
    Text(Text),
    Json(json::Document<Out>),
    Lines(Out),
    Prometheus(Prometheus),
    Nagios(Nagios),
}

/// The output folder, and what pages are made with.
struct Folder<'a> {
    path: &'a Path,
    html: Html,
    run: Run<'a>,
}

/// The reports of a run, written as its nodes come.
pub(super) struct Reports<'a> {
    rendering: Rendering<'a>,
    writing: Writing<'a>,
}

/// What is made of a node at any time: its own files, and its texts.
pub(super) struct Rendering<'a> {
    folder: Option<Arc<Folder<'a>>>,
    format: Format,
    csv: bool,
    parquet: bool,
    /// Whether there are so few nodes that the text tells all of each.
    detailed: bool,
}

/// What is written in the order of the run.
pub(super) struct Writing<'a> {
    folder: Option<Arc<Folder<'a>>>,
    json: Option<json::Document<Staged>>,
    printed: Printed,
    csv: Option<Csv>,
    parquet: Option<Parquet>,
}

/// What is kept of a node until its turn comes.
pub(super) struct Rendered {
    slug: String,
    json: Vec<u8>,
    line: Vec<u8>,
    section: Vec<u8>,
    rows: Option<[Vec<u8>; 4]>,
    batches: Option<parquet::Rows>,
    /// The node itself: where it is added up, and where it is large, so that
    /// its text is written as it is made.
    node: Option<Arc<view::Node>>,
}

impl<'a> Reports<'a> {
    /// Begins the reports that were asked for.
    ///
    /// # Errors
    /// A line for the user where one can't be written.
    pub(super) fn begin(args: &'a Analyze, analyzed_at: &'a str) -> Result<Self, String> {
        let version = env!("CARGO_PKG_VERSION");
        let run = Run {
            version,
            analyzed_at,
        };
        let (folder, json) = match &args.output {
            None => (None, None),
            Some(path) => {
                output::remove_old_scripts(path)?;
                let staged = Staged::new(path, "report.json")?;
                let html = Html::new()?;
                let json = json::Document::begin(staged, version, analyzed_at);
                let json = json.map_err(|error| not_written(&error))?;
                (Some(Arc::new(Folder { path, html, run })), Some(json))
            }
        };
        let writing = Writing {
            folder: folder.clone(),
            json,
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
            csv: args.csv.as_deref().map(Csv::begin).transpose()?,
            parquet: (args.parquet.as_deref())
                .map(|folder| Parquet::begin(folder, run))
                .transpose()?,
        };
        let rendering = Rendering {
            folder,
            format: args.format,
            csv: writing.csv.is_some(),
            parquet: writing.parquet.is_some(),
            detailed: true,
        };
        Ok(Self { rendering, writing })
    }

    /// Writes what is left; the exit status where the format has its own.
    ///
    /// # Errors
    /// A line for the user where something could not be written.
    pub(super) fn end(self, outcome: &Outcome) -> Result<Option<ExitCode>, String> {
        let Outcome {
            rows,
            totals,
            headline,
            rejected,
            remarks: _,
        } = outcome;
        let Writing {
            folder,
            json,
            printed,
            csv,
            parquet,
        } = self.writing;
        if let Some(csv) = csv {
            csv.end()?;
        }
        if let Some(parquet) = parquet {
            parquet.end()?;
        }
        if let (Some(folder), Some(json)) = (folder, json) {
            let overview = Overview::of(rows, totals, headline, rejected);
            json.end(rejected)
                .map_err(|error| error.to_string())
                .and_then(Staged::keep)
                .map_err(|error| not_written(&error))?;
            output::write_with(folder.path, "index.html", |out| {
                folder.html.write_overview_page(folder.run, &overview, out)
            })?;
            tell!(
                "dmaudit: report written to {}",
                folder.path.join("index.html").display()
            );
        }
        let printed = match printed {
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

impl<'a> Sink for Reports<'a> {
    type Made = Rendered;
    type Error = String;
    type Maker = Rendering<'a>;
    type Taker = Writing<'a>;

    fn begin(&mut self, nodes: usize) -> bool {
        self.rendering.detailed = nodes <= DETAILED_NODES;
        self.rendering.folder.is_some()
    }

    fn parts(&mut self) -> (&Rendering<'a>, &mut Writing<'a>) {
        (&self.rendering, &mut self.writing)
    }
}

impl Maker for Rendering<'_> {
    type Made = Rendered;
    type Error = String;

    fn make(&self, analyzed: Analyzed) -> Result<Rendered, String> {
        let Analyzed {
            node,
            cluster_page,
            cleanup,
        } = analyzed;
        let node = Arc::new(node);
        if let Some(folder) = &self.folder {
            if let (Some(path), Some(cleanup)) = (&node.script, cleanup) {
                let plan = Arc::new(cleanup.plan);
                output::write_with(folder.path, path, |out| {
                    script::write(&plan, &cleanup.about, out).map_err(|error| match error {
                        ScriptError::Io(error) => error,
                        error => io::Error::other(error),
                    })
                })?;
            }
            if let Some(path) = &node.page {
                // As it is made: it can be larger than all the rest.
                output::write_with(folder.path, path, |out| {
                    let html = &folder.html;
                    html.write_node_page(folder.run, &node, cluster_page.as_deref(), out)
                })?;
            }
        }
        let wants_json = self.folder.is_some() || self.format == Format::Json;
        let wants_section = self.detailed && self.format == Format::Text;
        let wants_line = self.format == Format::Ndjson;
        let is_large = json::is_large(&node);
        let wants_view = matches!(self.format, Format::Prometheus | Format::Nagios)
            || is_large && (wants_json || wants_line || self.csv);
        let unless = |wanted: bool, render: fn(&view::Node) -> io::Result<Vec<u8>>| match wanted {
            true => render(&node).map_err(|error| error.to_string()),
            false => Ok(Vec::new()),
        };
        Ok(Rendered {
            json: unless(wants_json && !is_large, json::node_text)?,
            line: unless(wants_line && !is_large, json::node_line)?,
            section: unless(wants_section, text::section)?,
            batches: match self.parquet {
                true => Some(Parquet::rows(&node)?),
                false => None,
            },
            rows: match self.csv && !is_large {
                true => Some(csv::of_node(&node).map_err(|error| error.to_string())?),
                false => None,
            },
            slug: node.slug.clone(),
            node: wants_view.then_some(node),
        })
    }
}

impl Taker for Writing<'_> {
    type Made = Rendered;
    type Error = String;

    fn take(&mut self, node: Rendered) -> Result<(), String> {
        if let (Some(parquet), Some(rows)) = (&mut self.parquet, &node.batches) {
            parquet.add(rows)?;
        }
        let large = node.node.as_deref().filter(|node| json::is_large(node));
        if let Some(csv) = &mut self.csv {
            match (large, &node.rows) {
                (Some(large), _) => csv.large_node(large)?,
                (None, Some(rows)) => csv.node(rows)?,
                (None, None) => {}
            }
        }
        if let Some(json) = &mut self.json {
            let written = match large {
                Some(large) => json.large_node(large),
                None => json.node(&node.json),
            };
            written.map_err(|error| not_written(&error))?;
        }
        match &mut self.printed {
            Printed::Text(_) if node.section.is_empty() => Ok(()),
            Printed::Text(text) => {
                text.add_node(&node.slug, node.section);
                Ok(())
            }
            Printed::Json(document) => match large {
                Some(large) => document.large_node(large),
                None => document.node(&node.json),
            },
            Printed::Lines(out) => match large {
                Some(large) => json::write_node_line(large, out),
                None => out.write_all(&node.line),
            },
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
        let cluster = Arc::new(cluster);
        if let Some(csv) = &mut self.csv {
            csv.cluster(&cluster)?;
        }
        if let Some(parquet) = &mut self.parquet {
            parquet.cluster(&cluster)?;
        }
        if let (Some(folder), Some(path)) = (&self.folder, &cluster.page) {
            output::write_with(folder.path, path, |out| {
                let html = &folder.html;
                html.write_cluster_page(folder.run, &cluster, out)
            })?;
        }
        if let Some(json) = &mut self.json {
            let written = json.cluster(&cluster);
            written.map_err(|error| not_written(&error))?;
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

fn not_written(error: &impl Display) -> String {
    format!("report.json could not be written: {error}")
}
