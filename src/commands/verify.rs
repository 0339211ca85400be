//! `dmaudit verify`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::printed;
use crate::bundle::{self, Limits, Rejected, Source};
use crate::cli::{Answer, Verify};
use crate::report::words::printable;
use crate::soundness::{self, Fault, Report, Soundness};

/// All that is printed; `schema` is raised when a field changes meaning.
#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    bundles: &'a [Report],
    rejected: Vec<Refused<'a>>,
}

#[derive(Serialize)]
struct Refused<'a> {
    path: &'a str,
    error: &'a str,
}

/// Says whether bundles are complete and unchanged.
///
/// # Errors
///
/// A line for the user where standard output could not be written.
pub fn run(args: &Verify) -> Result<ExitCode, String> {
    let discovery = bundle::discover(&args.paths);
    let mut reports = Vec::new();
    let mut rejected = discovery.rejected;
    // Facts beside bundles in a folder are none of its business; where there is
    // no bundle, they are what was to be verified.
    let mut sources = discovery.sources.iter();
    let only_facts = sources.all(Source::is_named_as_facts);
    let in_question = discovery.sources.iter().filter(|source| {
        let given = |path: &PathBuf| path.to_string_lossy() == source.name();
        only_facts || !source.is_named_as_facts() || args.paths.iter().any(given)
    });
    for source in in_question {
        match bundle::open(source, &Limits::default()) {
            Ok(bundles) => reports.extend(bundles.iter().map(soundness::report)),
            Err(error) => rejected.push(Rejected {
                path: source.name(),
                error: error.to_string(),
            }),
        }
    }
    rejected.sort();
    for input in &rejected {
        printed::tell_rejected(&input.path, &input.error);
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    let printed = match args.format {
        Answer::Text => text(&reports, &mut out),
        Answer::Json => json(&reports, &rejected, &mut out),
    };
    match printed.and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            return Err(format!("standard output could not be written: {error}"));
        }
        _ => {}
    }
    let worst = reports.iter().map(|report| report.state).max();
    Ok(match worst {
        _ if !rejected.is_empty() => ExitCode::from(3),
        // Of no bundle nothing is vouched for.
        None | Some(Soundness::Damaged) => ExitCode::from(3),
        Some(Soundness::Incomplete) => ExitCode::from(1),
        Some(Soundness::Complete) => ExitCode::SUCCESS,
    })
}

/// Only ASCII, so that no text of a bundle can command a terminal.
fn json(reports: &[Report], rejected: &[Rejected], out: &mut impl Write) -> io::Result<()> {
    let document = serde_json::to_string_pretty(&Document {
        schema: 1,
        bundles: reports,
        rejected: rejected
            .iter()
            .map(|input| Refused {
                path: &input.path,
                error: &input.error,
            })
            .collect(),
    })?;
    for c in document.chars() {
        if c == '\n' || (' '..='~').contains(&c) {
            write!(out, "{c}")?;
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
    }
    writeln!(out)
}

fn text(reports: &[Report], out: &mut impl Write) -> io::Result<()> {
    for (index, report) in reports.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        one(report, out)?;
    }
    Ok(())
}

fn one(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let state = match report.state {
        Soundness::Complete => "complete",
        Soundness::Incomplete => "INCOMPLETE",
        Soundness::Damaged => "DAMAGED OR CHANGED",
    };
    writeln!(out, "{}: {state}", printable(&report.bundle))?;
    let known = |text: &Option<String>| printable(text.as_deref().unwrap_or("unknown"));
    writeln!(
        out,
        "  node {}, collected {}, collector {}",
        printable(&report.node),
        known(&report.collected_at),
        known(&report.collector)
    )?;
    match report.manifest {
        true => writeln!(
            out,
            "  {} outputs and files have the manifest's SHA-256, {} have none there",
            report.hashes_match, report.without_hash
        )?,
        false => writeln!(
            out,
            "  no manifest: whether it is complete and unchanged is not known"
        )?,
    }
    faults("Damaged or changed", &report.damaged, out)?;
    list("Missing", &report.missing, out)?;
    faults("Failed on the node", &report.failed, out)?;
    faults("Not read on the node", &report.unread, out)?;
    list(
        "What can't be concluded from this bundle",
        &report.not_concluded,
        out,
    )?;
    list("Notes", &report.notes, out)
}

fn faults(title: &str, faults: &[Fault], out: &mut impl Write) -> io::Result<()> {
    let lines: Vec<String> = faults
        .iter()
        .map(|fault| format!("{}: {}", fault.what, fault.why))
        .collect();
    list(title, &lines, out)
}

fn list(title: &str, lines: &[String], out: &mut impl Write) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "  {title}:")?;
    for line in lines {
        writeln!(out, "    - {}", printable(line))?;
    }
    Ok(())
}
