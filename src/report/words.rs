//! Numbers in words, the same in every format.

/// `1 orphan`, `3 orphans`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {many}")
    }
}

/// A size in bytes for people: `64 MiB`, `1.2 TiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or("B");
    if value >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0} {name}")
    } else {
        format!("{value:.1} {name}")
    }
}

/// Names for a sentence: `a`, `a and b`, `a, b and 3 more`.
pub fn list<S: AsRef<str>>(names: &[S], most: usize) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match &names[..] {
        [] => String::new(),
        [one] => (*one).to_owned(),
        all if all.len() > most => {
            let shown = all
                .iter()
                .take(most)
                .copied()
                .collect::<Vec<_>>()
                .join(", ");
            format!("{shown} and {} more", all.len() - most.min(all.len()))
        }
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// How many findings the configuration ignores.
pub fn ignored(findings: usize) -> String {
    format!(
        "{} ignored by the configuration",
        count(findings, "finding", "findings")
    )
}

/// As [`printable`], of a text whose line ends stay.
pub fn printable_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(printable).collect();
    lines.join("\n")
}

/// A text from a bundle, safe on a terminal: control characters, escape
/// sequences and characters that reorder or hide text are shown by number.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut marks = Marks::default();
    for c in text.chars() {
        if marks.too_many(c) || c.is_control() || is_invisible(c) {
            shown.push_str(&format!("<U+{:04X}>", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Characters that a reader does not see, or that change how others are read:
/// bidirectional controls, zero-width characters, tags, variation selectors.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Marks (accents, vowel signs) that are drawn on one character. Every script
/// does with four; a hundred are a column over what stands above and below.
#[derive(Debug, Default)]
pub struct Marks(usize);

impl Marks {
    /// Whether the next character of a text is one mark too many.
    pub fn too_many(&mut self, c: char) -> bool {
        use unicode_general_category::{GeneralCategory, get_general_category};
        let is_mark = c >= '\u{300}'
            && matches!(
                get_general_category(c),
                GeneralCategory::NonspacingMark
                    | GeneralCategory::EnclosingMark
                    | GeneralCategory::SpacingMark
            );
        self.0 = if is_mark { self.0 + 1 } else { 0 };
        self.0 > 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_get_no_commands_from_bundles() {
        assert_eq!(
            printable("a\u{1b}[31mb\n\u{202e}c"),
            "a<U+001B>[31mb<U+000A><U+202E>c"
        );
        assert_eq!(printable("Größe – 東京"), "Größe – 東京");
        let marked = "e\u{301}\u{302}\u{303}\u{304} กำ่ नि";
        assert_eq!(printable(marked), marked);
        assert_eq!(
            printable("e\u{301}\u{302}\u{303}\u{304}\u{305}\u{336}x\u{301}"),
            "e\u{301}\u{302}\u{303}\u{304}<U+0305><U+0336>x\u{301}"
        );
    }

    #[test]
    fn sizes() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(64 << 20), "64 MiB");
        assert_eq!(size(1_319_413_953_331), "1.2 TiB");
        assert_eq!(size(u64::MAX), "16384 PiB");
    }

    #[test]
    fn lists() {
        assert_eq!(list::<&str>(&[], 3), "");
        assert_eq!(list(&["a"], 3), "a");
        assert_eq!(list(&["a", "b", "c"], 3), "a, b and c");
        assert_eq!(list(&["a", "b", "c", "d"], 2), "a, b and 2 more");
    }
}
