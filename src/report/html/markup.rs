//! From a stranger's text to markup: every character that could steer a
//! browser or deceive a reader is written so that it is only seen.

use std::fmt::{self, Write};

use crate::report::words::{Marks, is_invisible};

/// Writes `text` for element content and quoted attribute values: markup
/// characters as references, invisible ones and a fifth mark on one character
/// as `⟨U+202E⟩`.
pub(crate) fn escape_to(out: &mut dyn Write, text: &str) -> fmt::Result {
    // Most texts are plain names.
    if text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b" -_./:,;".contains(&byte))
    {
        return out.write_str(text);
    }
    let mut plain = 0;
    let mut marks = Marks::default();
    for (at, c) in text.char_indices() {
        let too_many = marks.too_many(c);
        let reference = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&#39;",
            // A tab is white space anywhere in a page.
            c if c != '\t' && (too_many || c.is_control() || is_invisible(c)) => "",
            _ => continue,
        };
        out.write_str(text.get(plain..at).unwrap_or_default())?;
        plain = at + c.len_utf8();
        if reference.is_empty() {
            write!(out, "⟨U+{:04X}⟩", u32::from(c))?;
        } else {
            out.write_str(reference)?;
        }
    }
    out.write_str(text.get(plain..).unwrap_or_default())
}

/// `text` as [`escape_to`] writes it.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    // Writing to a string can't fail.
    let _ = escape_to(&mut out, text);
    out
}

/// Sentences as markup: a paragraph per line, `words between backticks` as
/// code. A backtick without a partner stays as it is.
pub(crate) fn prose(text: &str) -> String {
    let lines = text.split('\n').filter(|line| !line.trim().is_empty());
    lines.fold(String::new(), |mut out, line| {
        out.push_str("<p>");
        out.push_str(&phrase(line));
        out.push_str("</p>");
        out
    })
}

/// One line of [`prose`], without the paragraph.
pub(crate) fn phrase(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 16);
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('`') {
        let Some((code, behind)) = after.split_once('`') else {
            break;
        };
        out.push_str(&escape(before));
        out.push_str("<code>");
        out.push_str(&escape(code));
        out.push_str("</code>");
        rest = behind;
    }
    out.push_str(&escape(rest));
    out
}

/// A link to `path` (relative to the output folder) from a page that lies
/// `depth` folders below it. Everything but unreserved characters and `/` is
/// percent-encoded and the link starts with a dot, so that no path can name a
/// scheme or a host.
pub(crate) fn href(depth: usize, path: &str) -> String {
    let mut out = if depth == 0 {
        "./".to_owned()
    } else {
        "../".repeat(depth)
    };
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Base64 with padding, as content security policies write hashes (RFC 4648).
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let six = (bits >> (18 - 6 * place) & 63) as usize;
            let letter = ALPHABET.get(six).copied().unwrap_or(b'=');
            out.push(char::from(if place <= chunk.len() { letter } else { b'=' }));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_deceiving_characters_are_only_seen() {
        assert_eq!(
            escape("<a href=\"x\" on='y'>&"),
            "&lt;a href=&quot;x&quot; on=&#39;y&#39;&gt;&amp;"
        );
        assert_eq!(
            escape("a\u{202e}b\u{200b}\0\u{1b}[31m\n\r"),
            "a⟨U+202E⟩b⟨U+200B⟩⟨U+0000⟩⟨U+001B⟩[31m⟨U+000A⟩⟨U+000D⟩"
        );
        assert_eq!(escape("a\tb Größe 北 שלום"), "a\tb Größe 北 שלום");
        assert_eq!(
            escape(&format!("e{}", "\u{301}".repeat(5))),
            format!("e{}⟨U+0301⟩", "\u{301}".repeat(4))
        );
    }

    #[test]
    fn prose_marks_code_and_escapes_inside_it() {
        assert_eq!(
            prose("Run `ls <x>` now.\n\nThen ` stop"),
            "<p>Run <code>ls &lt;x&gt;</code> now.</p><p>Then ` stop</p>"
        );
    }

    #[test]
    fn links_name_no_scheme_and_no_host() {
        assert_eq!(href(0, "nodes/a b.html"), "./nodes/a%20b.html");
        assert_eq!(href(1, "javascript:x"), "../javascript%3Ax");
        assert_eq!(href(0, "//host/x"), ".///host/x");
    }

    /// The examples of RFC 4648, section 10.
    #[test]
    fn base64_pads() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
