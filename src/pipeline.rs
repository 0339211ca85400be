//! From inputs to a report: discovery, reading and auditing in parallel.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use rayon::prelude::*;

use crate::audit::Audit;
use crate::bundle::{self, Bundle, Limits, Rejected, Source};
use crate::model;
use crate::report::compose::{self, Files};
use crate::report::view;

/// The report on bundles and folders of bundles, held in memory as a whole:
/// for one customer's nodes, not for a fleet. Nothing is written, so no node
/// has a page or a script. Inputs that could not be read are in its
/// `rejected`.
#[must_use]
pub fn whole(paths: &[PathBuf], limits: &Limits, now: DateTime<Utc>) -> view::Report {
    let discovery = bundle::discover(paths);
    let (audits, mut rejected) = read(&discovery.sources, limits, || ());
    rejected.extend(discovery.rejected);
    rejected.sort();
    let rejected = rejected.into_iter().map(view_of).collect();
    compose::report(&audits, rejected, now, Files::None).0
}

/// As [`whole`], with the pages' and scripts' names in the report, and the
/// cleanup script of each of its nodes that has something to do, in their
/// order.
#[must_use]
pub fn whole_with_scripts(
    paths: &[PathBuf],
    limits: &Limits,
    now: DateTime<Utc>,
) -> (view::Report, Vec<Option<String>>) {
    let discovery = bundle::discover(paths);
    let (mut audits, mut rejected) = read(&discovery.sources, limits, || ());
    rejected.extend(discovery.rejected);
    rejected.sort();
    let rejected = rejected.into_iter().map(view_of).collect();
    for audit in &mut audits {
        audit.write_script(now);
    }
    let (report, sources) = compose::report(&audits, rejected, now, Files::All);
    let scripts = sources
        .iter()
        .map(|source| {
            audits
                .get_mut(*source)
                .and_then(|audit| audit.script.take())
        })
        .collect();
    (report, scripts)
}

/// Reads and audits every source, in the order of the sources whatever the
/// number of threads. `done` is called after each source.
pub(crate) fn read(
    sources: &[Source],
    limits: &Limits,
    done: impl Fn() + Sync,
) -> (Vec<Audit>, Vec<Rejected>) {
    let results: Vec<Result<Vec<Audit>, Rejected>> = sources
        .par_iter()
        .map(|source| {
            let audits = bundle::open(source, limits)
                // A bundle's bytes go as soon as its node is read.
                .map(|bundles| bundles.into_iter().map(audit).collect())
                .map_err(|error| Rejected {
                    path: source.name(),
                    error: error.to_string(),
                });
            done();
            audits
        })
        .collect();
    let (mut audits, mut rejected) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(found) => audits.extend(found),
            Err(error) => rejected.push(error),
        }
    }
    (audits, rejected)
}

fn audit(bundle: Bundle) -> Audit {
    let node = model::read::node(&bundle);
    drop(bundle);
    Audit::of_node(node)
}

pub(crate) fn view_of(rejected: Rejected) -> view::Rejected {
    view::Rejected {
        path: rejected.path,
        error: rejected.error,
    }
}
