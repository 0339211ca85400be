//! What the formats for monitoring share.

use chrono::DateTime;

/// A grade as a number that grows with trouble: 0 for A+ to 5 for F.
pub(super) fn grade_number(grade: &str) -> Option<u8> {
    let grades = ["A+", "A", "B", "C", "D", "F"];
    (0..)
        .zip(grades)
        .find_map(|(number, name)| (name == grade).then_some(number))
}

/// RFC 3339 as seconds since 1970; none for `unknown`.
pub(super) fn seconds(time: &str) -> Option<i64> {
    Some(DateTime::parse_from_rfc3339(time).ok()?.timestamp())
}
