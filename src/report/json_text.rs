//! JSON that a terminal can be shown: control characters beyond those that
//! JSON itself escapes (the 8-bit escape sequences begin with one), and
//! characters that hide or reorder text, are written as `\uXXXX`.

use std::io::{self, Write};

use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::words::is_invisible;

/// Nothing in texts that a terminal obeys; two blanks for each level, or no
/// blanks at all.
#[derive(Debug, Default)]
pub(super) struct Plain(Layout);

#[derive(Debug)]
enum Layout {
    Pretty(PrettyFormatter<'static>),
    Compact(CompactFormatter),
}

impl Default for Layout {
    fn default() -> Self {
        Self::Pretty(PrettyFormatter::new())
    }
}

impl Plain {
    /// For a value that stands this many levels deep in a document.
    pub(super) fn at(depth: usize) -> Self {
        let mut pretty = PrettyFormatter::new();
        for _ in 0..depth {
            // Into nothing: only the level counts, and this can't fail.
            let _ = pretty.begin_array(&mut io::sink());
        }
        Self(Layout::Pretty(pretty))
    }

    /// For a document on one line.
    pub(super) fn compact() -> Self {
        Self(Layout::Compact(CompactFormatter))
    }
}

macro_rules! as_laid_out {
    ($($method:ident($($argument:ident: $type:ty)?),)*) => {$(
        fn $method<W: ?Sized + Write>(&mut self, out: &mut W $(, $argument: $type)?) -> io::Result<()> {
            match &mut self.0 {
                Layout::Pretty(layout) => layout.$method(out $(, $argument)?),
                Layout::Compact(layout) => layout.$method(out $(, $argument)?),
            }
        }
    )*};
}

impl Formatter for Plain {
    as_laid_out! {
        begin_array(),
        end_array(),
        begin_array_value(first: bool),
        end_array_value(),
        begin_object(),
        end_object(),
        begin_object_key(first: bool),
        begin_object_value(),
        end_object_value(),
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Nearly all text is plain, which is found out much faster alone.
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return out.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        let obeyed = |c: char| c.is_control() || is_invisible(c);
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| obeyed(*c)) {
            let (before, from) = rest.split_at(at);
            out.write_all(before.as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = from.get(c.len_utf8()..).unwrap_or_default();
        }
        out.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde::Serialize;

    #[test]
    fn texts_stay_what_they_are_and_hold_nothing_to_obey() {
        let text = "a\u{9b}31m\u{7f}\u{202e}\u{e0041}\u{1b}\"\\é東";
        let mut out = Vec::new();
        let mut json = serde_json::Serializer::with_formatter(&mut out, Plain::default());
        [text].serialize(&mut json).unwrap();
        let shown = String::from_utf8(out).unwrap();
        assert!(!shown.contains(|c: char| c != '\n' && (c.is_control() || is_invisible(c))));
        assert!(shown.contains("é東"), "{shown}");
        let back: Vec<String> = serde_json::from_str(&shown).unwrap();
        assert_eq!(back, [text]);
    }
}
