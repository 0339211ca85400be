//! `dmaudit analyze` as a plugin of a monitoring system.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::report::nagios::{self, Nagios, State};
use crate::report::prometheus::Prometheus;
use crate::report::view;

/// Prints the metrics.
pub(super) fn prometheus(report: &view::Report) -> io::Result<()> {
    let mut metrics = Prometheus::new(&report.version, &report.analyzed_at);
    report.nodes.iter().for_each(|node| metrics.add_node(node));
    report
        .clusters
        .iter()
        .for_each(|cluster| metrics.add_cluster(cluster));
    report
        .rejected
        .iter()
        .for_each(|input| metrics.add_rejected(input));
    let mut out = io::BufWriter::new(io::stdout().lock());
    metrics.write(&mut out)?;
    out.flush()
}

/// Prints the line, and ends as a plugin does.
pub(super) fn nagios(report: &view::Report) -> Result<ExitCode, String> {
    let mut line = Nagios::new(&report.analyzed_at);
    report.nodes.iter().for_each(|node| line.add_node(node));
    report
        .clusters
        .iter()
        .for_each(|cluster| line.add_cluster(cluster));
    report
        .rejected
        .iter()
        .for_each(|input| line.add_rejected(input));
    let mut out = io::stdout().lock();
    match line.write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("standard output could not be written: {error}"))
        }
        _ => Ok(ExitCode::from(line.state().status())),
    }
}

/// A run that failed is UNKNOWN, never CRITICAL.
pub(super) fn failed(message: &str) -> Result<ExitCode, String> {
    let mut out = io::stdout().lock();
    // The exit status says it, too.
    let _ = writeln!(out, "{}", nagios::failed(message));
    Ok(ExitCode::from(State::Unknown.status()))
}
