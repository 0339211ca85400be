//! Numbers, sizes, times and states in a reader's words.

use chrono::{DateTime, FixedOffset, SecondsFormat};

/// Bytes for people, on one line: `64 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    crate::report::words::size(bytes).replace(' ', "\u{a0}")
}

/// A count with its thousands apart: `5,000`.
pub(crate) fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + 4);
    if number < 0 {
        out.push('−');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Per cent with one decimal where it says something: `82.4 %`, `10 %`.
pub(crate) fn percent(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    if !rounded.is_finite() {
        return "–".to_owned();
    }
    format!("{rounded}\u{a0}%")
}

fn parse(time: &str) -> Option<DateTime<FixedOffset>> {
    DateTime::parse_from_rfc3339(time).ok()
}

/// An RFC 3339 time for reading, `23 Nov 2026, 18:36 UTC`, and for machines;
/// nothing if it is not one.
pub(crate) fn time(time: &str) -> Option<(String, String)> {
    let time = parse(time)?;
    let zone = match time.offset().local_minus_utc() {
        0 => "UTC".to_owned(),
        _ => time.format("UTC%:z").to_string(),
    };
    let read = format!("{} {zone}", time.format("%-d %b %Y, %H:%M"));
    Some((read, time.to_rfc3339_opts(SecondsFormat::Secs, true)))
}

/// How long before the analysis a snapshot was taken: `36 minutes before the
/// analysis`; nothing if one of the times is unknown.
pub(crate) fn age(collected: &str, analyzed: &str) -> Option<String> {
    let minutes = (parse(analyzed)? - parse(collected)?).num_minutes();
    if minutes < 0 {
        return Some("later than the analysis: a clock is wrong".to_owned());
    }
    let (number, unit) = match minutes {
        0..=89 => (minutes, "minute"),
        90..=2879 => ((minutes + 30) / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    Some(format!("{number} {unit}{plural} before the analysis"))
}

/// The colour class for a verdict, severity, state or outcome. The word itself
/// is always printed beside it.
pub(crate) fn tone(word: &str) -> &'static str {
    match word {
        "valid" | "healthy" | "ok" | "free" | "active" | "backed" => "ok",
        "critical" | "duplicate" | "blocked" | "stale" => "critical",
        "warning" | "orphan" | "leftover" | "failed" | "timed out" | "missing" | "inactive" => {
            "warning"
        }
        "info" | "open" | "running" | "remove" | "deactivate" => "info",
        _ => "quiet",
    }
}

/// The colour class of a grade.
pub(crate) fn grade_class(grade: Option<&str>) -> &'static str {
    match grade {
        Some("A+" | "A") => "grade-a",
        Some("B") => "grade-b",
        Some("C") => "grade-c",
        Some("D") => "grade-d",
        Some("F") => "grade-f",
        _ => "grade-none",
    }
}

/// A grade in a word.
pub(crate) fn grade_word(grade: Option<&str>) -> &'static str {
    match grade {
        Some("A+") => "Clean",
        Some("A") => "Good",
        Some("B") => "Minor issues",
        Some("C") => "Needs cleaning",
        Some("D") => "Poor",
        Some("F") => "Failing",
        _ => "Not graded",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_per_cents() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(-1_234_567), "−1,234,567");
        assert_eq!(percent(82.44), "82.4\u{a0}%");
        assert_eq!(percent(10.0), "10\u{a0}%");
        assert_eq!(percent(f64::NAN), "–");
    }

    #[test]
    fn times_keep_their_zone() {
        let read = |text| time(text).map(|(read, _)| read);
        assert_eq!(
            read("2026-11-23T18:36:45Z").as_deref(),
            Some("23 Nov 2026, 18:36 UTC")
        );
        assert_eq!(
            read("2026-01-03T08:06:45+01:00").as_deref(),
            Some("3 Jan 2026, 08:06 UTC+01:00")
        );
        assert_eq!(time("unknown"), None);
    }

    #[test]
    fn ages() {
        let age = |text| age(text, "2026-11-23T19:00:00Z").unwrap_or_default();
        assert_eq!(age("2026-11-23T18:59:00Z"), "1 minute before the analysis");
        assert_eq!(age("2026-11-23T17:30:00Z"), "2 hours before the analysis");
        assert_eq!(age("2026-11-20T18:00:00Z"), "3 days before the analysis");
        assert!(age("2026-11-23T20:00:00+00:00").contains("clock"));
        assert_eq!(age("unknown"), "");
    }
}
