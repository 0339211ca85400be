//! The answer in a line.

use super::{Tally, Then};
use crate::report::words::count;

/// What became of the findings: `5 of 6 issues resolved, 1 still there, none
/// new`.
pub(super) fn tally(tally: &Tally) -> String {
    let mut parts = vec![match tally.before {
        0 => "no issue before".to_owned(),
        before => format!(
            "{} of {} resolved",
            tally.resolved,
            count(before, "issue", "issues")
        ),
    }];
    match tally.remaining + tally.changed {
        0 => {}
        there => parts.push(format!("{there} still there")),
    }
    if tally.worse > 0 {
        parts.push(format!("{} of them worse", tally.worse));
    }
    if tally.unknown > 0 {
        parts.push(format!("{} unknown now", tally.unknown));
    }
    parts.push(match tally.new {
        0 => "none new".to_owned(),
        new => format!("{new} new"),
    });
    parts.join(", ")
}

/// A node's grade then and now: `grade F -> B`.
pub(super) fn grades(before: &Then, after: &Then) -> String {
    let grade = |then: &Then| then.grade.clone().unwrap_or_else(|| "none".to_owned());
    match (grade(before), grade(after)) {
        (was, is) if was == is => format!("grade {is} as before"),
        (was, is) => format!("grade {was} -> {is}"),
    }
}
