//! `dmaudit diff`.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use chrono::{DateTime, Utc};

use super::{interrupt, output, printed};
use crate::bundle::{self, Limits};
use crate::cli::{Answer, Diff, FailOnChange};
use crate::config::Config;
use crate::diff::{Node, Side, compare, html, text};
use crate::pipeline;
use crate::report::html::Html;
use crate::report::json;

/// Compares two times.
///
/// # Errors
///
/// A line for the user where output could not be written.
pub fn run(args: &Diff) -> Result<ExitCode, String> {
    interrupt::watch()?;
    let now = args.now.unwrap_or_else(Utc::now);
    let limits = args.limits.limits();
    let config = args.config.read()?;
    let diff = compare(
        side(&args.before, &limits, &config, now),
        side(&args.after, &limits, &config, now),
        now,
    );
    for input in &diff.rejected {
        printed::tell_rejected(&input.path, &input.error);
    }
    if let Some(file) = &args.html {
        let templates = Html::new()?;
        output::write_to(file, |out| html::write(&diff, &templates, out))?;
    }
    let printed = match args.format {
        Answer::Json => json::write_value(&diff, io::stdout().lock()),
        Answer::Text => {
            let mut out = anstream::AutoStream::auto(io::stdout().lock());
            text::write(&diff, &mut out).and_then(|()| out.flush())
        }
    };
    match printed {
        // A reader that has seen enough is no failure.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            return Err(format!("standard output: {error}"));
        }
        _ => {}
    }
    let totals = diff.totals;
    let fails = args.fail_on.iter().any(|kind| match kind {
        FailOnChange::New => totals.new + totals.worse > 0,
        FailOnChange::Remaining => totals.remaining + totals.changed + totals.unknown > 0,
    });
    Ok(match (diff.rejected.is_empty(), fails) {
        (false, _) => ExitCode::from(3),
        (true, true) => ExitCode::from(1),
        (true, false) => ExitCode::SUCCESS,
    })
}

/// A file's bytes, if they are no more than `most`.
fn text_of(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let unread = |error: io::Error| format!("could not be read: {error}");
    let mut text = Vec::new();
    let file = fs::File::open(path).map_err(unread)?;
    file.take(most.saturating_add(1))
        .read_to_end(&mut text)
        .map_err(unread)?;
    match u64::try_from(text.len()).is_ok_and(|bytes| bytes <= most) {
        true => Ok(text),
        false => Err(format!(
            "it has more than {most} bytes; raise the limit with --max-file if you trust it"
        )),
    }
}

/// What lies at a path: a report.json, a report's folder without bundles, or
/// bundles.
fn side(path: &Path, limits: &Limits, config: &Config, now: DateTime<Utc>) -> Side {
    let named = path.extension().is_some_and(|ext| ext == "json") && path.is_file();
    let inside = path.join("report.json");
    let report = match named {
        true => Some(path),
        false if inside.is_file() && bundle::discover(&[path.to_owned()]).sources.is_empty() => {
            Some(inside.as_path())
        }
        false => None,
    };
    let Some(report) = report else {
        // Less is kept of each node than is shown of it.
        let paths = [path.to_owned()];
        let run = pipeline::reduced(&paths, limits, config.clone(), now, Node::from);
        return Side::of(run.nodes, run.clusters, run.rejected);
    };
    let read = text_of(report, limits.file_bytes).and_then(|text| Side::of_json(&text));
    read.unwrap_or_else(|error| Side::rejected(report.display().to_string(), error))
}
