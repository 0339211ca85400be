//! Showing bytes of strangers: names in messages, text of files.

use std::borrow::Cow;

/// Characters of a name that a message repeats.
const SHOWN: usize = 160;

/// Notes that are kept; an archive of 100,000 odd members is described by
/// the first of them.
const KEPT: usize = 20;

/// A member's name for a message: in quotes, control characters escaped,
/// shortened.
pub(super) fn quoted(name: &str) -> String {
    let mut shown: String = name.chars().take(SHOWN).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    format!("'{}'", shown.escape_debug())
}

/// Bytes up to which each that is not UTF-8 may become three.
const SMALL: usize = 1 << 20;

/// Text of a file: not UTF-8 is replaced, a byte order mark is dropped.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // Nearly all text is sound, which is found out much faster alone.
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) if bytes.len() <= SMALL => String::from_utf8_lossy(bytes),
        Err(_) => {
            let mut text = String::with_capacity(bytes.len());
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                text.extend(chunk.invalid().iter().map(|_| '?'));
            }
            Cow::Owned(text)
        }
    }
}

/// Notes about one input, the first [`KEPT`] of them and how many followed.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes {
    kept: Vec<String>,
    further: usize,
}

impl Notes {
    pub(super) fn add(&mut self, note: impl FnOnce() -> String) {
        if self.kept.len() < KEPT {
            self.kept.push(note());
        } else {
            self.further += 1;
        }
    }

    /// These notes with `others` behind them.
    pub(super) fn extend(&mut self, others: &Notes) {
        for note in &others.kept {
            self.add(|| note.clone());
        }
        self.further += others.further;
    }

    pub(super) fn into_vec(mut self) -> Vec<String> {
        if self.further > 0 {
            self.kept
                .push(format!("{} further notes are not shown", self.further));
        }
        self.kept
    }
}
