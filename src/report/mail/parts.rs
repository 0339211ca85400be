//! Colours and clipped texts.

/// Characters of a name.
pub(super) const NAME: usize = 80;

/// Characters of a sentence or two.
pub(super) const TEXT: usize = 600;

/// `text`, or its beginning and an ellipsis if it has more than `most`
/// characters.
pub(super) fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim_end()),
    }
}

/// The colour behind a grade's white letter: dark enough for it (WCAG AA).
pub(super) fn grade_colour(grade: Option<&str>) -> &'static str {
    match grade {
        Some("A+" | "A") => "#1b7245",
        Some("B") => "#4d6b12",
        Some("C") => "#8a6100",
        Some("D") => "#b84a08",
        Some("F") => "#b3261e",
        _ => "#5a6677",
    }
}

/// The colour of a severity, behind white text.
pub(super) fn severity_colour(severity: &str) -> &'static str {
    match severity {
        "critical" => "#b3261e",
        "warning" => "#8a6100",
        _ => "#17509b",
    }
}

#[cfg(test)]
mod tests {
    use super::clip;

    #[test]
    fn clipping_counts_characters() {
        assert_eq!(clip("Größe", 5), "Größe");
        assert_eq!(clip("Größe 北", 6), "Größe…");
    }
}
