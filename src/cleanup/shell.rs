//! A template engine for shell scripts: every value that a template prints is
//! quoted by the engine, so that no template can forget it.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};

/// A comment or a shown text is cut at this many characters: a script is read
/// by a person, and a bundle can hold anything.
const LONGEST_TEXT: usize = 600;

/// An engine whose templates are POSIX shell.
///
/// - `{{ value }}` becomes one single-quoted word. A value that holds anything
///   but printable ASCII is an error, as is a missing one.
/// - `{{ value|comment }}` becomes the rest of a comment line: printed as it
///   is, with everything but printable ASCII escaped.
/// - `{{ value|shown }}` is the same text as a quoted word, for what the script
///   shows to a person.
///
/// # Errors
///
/// None that an input could cause: the engine's own syntax is what it checks.
pub fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .keep_trailing_newline(true)
            .build()?,
    );
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("shell".into()));
    environment.set_formatter(print_quoted);
    environment.add_filter("comment", |text: &str| {
        Value::from_safe_string(comment(text))
    });
    environment.add_filter("shown", |text: &str| one_line(text));
    Ok(environment)
}

/// The engine's formatter: what `{{ value }}` prints.
fn print_quoted(out: &mut Output, _state: &mut State, value: &Value) -> Result<(), Error> {
    let refuse = |what: &str| Err(Error::new(ErrorKind::InvalidOperation, what.to_owned()));
    if value.is_undefined() || value.is_none() {
        return refuse("a value for the shell is missing");
    }
    let text = value.to_string();
    if value.is_safe() {
        return Ok(out.write_str(&text)?);
    }
    match quote(&text) {
        Some(quoted) => Ok(out.write_str(&quoted)?),
        None => refuse("a value for the shell holds more than printable ASCII"),
    }
}

/// `text` as one word of a POSIX shell, in single quotes; `None` if it holds
/// anything but printable ASCII.
pub fn quote(text: &str) -> Option<String> {
    text.chars()
        .all(is_plain)
        .then(|| format!("'{}'", text.replace('\'', r"'\''")))
}

/// `text` as the rest of a comment line: it can't end early, and what a person
/// reads is what is there.
pub fn comment(text: &str) -> String {
    let mut line = one_line(text);
    if line.ends_with('\\') {
        // No shell continues a comment; people and linters wonder, though.
        line.push('.');
    }
    line
}

/// `text` as one line of printable ASCII. Everything else (line ends, control
/// and escape characters, bidirectional and invisible ones, letters that look
/// like others) is written as `\u{…}`; a long text is cut.
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == LONGEST_TEXT {
            line.push_str(" ...");
            break;
        }
        if is_plain(character) {
            line.push(character);
        } else {
            line.extend(character.escape_unicode());
        }
    }
    line
}

/// Whether a character is printable ASCII or a blank.
fn is_plain(character: char) -> bool {
    character == ' ' || character.is_ascii_graphic()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use minijinja::context;

    fn rendered(template: &str, value: Value) -> Result<String, Error> {
        environment()
            .unwrap()
            .render_str(template, context! { value })
    }

    #[test]
    fn every_value_is_one_quoted_word() {
        for (value, word) in [
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("'", r"''\'''"),
            ("$(x) `y` \\ \" ;", "'$(x) `y` \\ \" ;'"),
        ] {
            assert_eq!(rendered("{{ value }}", Value::from(value)).unwrap(), word);
        }
        assert_eq!(rendered("{{ value }}", Value::from(24)).unwrap(), "'24'");
    }

    #[test]
    fn what_is_no_printable_ascii_is_an_error_and_not_a_word() {
        for value in ["a\nb", "\0", "\x1b[0m", "\u{e9}", "\u{202e}"] {
            assert!(
                rendered("{{ value }}", Value::from(value)).is_err(),
                "{value:?}"
            );
        }
    }

    #[test]
    fn a_missing_value_is_an_error() {
        assert!(rendered("{{ value }}", Value::from(())).is_err());
        assert!(rendered("{{ forgotten }}", Value::from("")).is_err());
    }

    #[test]
    fn a_comment_stays_one_line_and_shows_what_is_there() {
        let text = "a\nb\r\u{2028}c\u{202e}d\u{200b}\u{e9}\t\\";
        let line = r"# a\u{a}b\u{d}\u{2028}c\u{202e}d\u{200b}\u{e9}\u{9}\.";
        assert_eq!(
            rendered("# {{ value|comment }}", Value::from(text)).unwrap(),
            line
        );
    }

    #[test]
    fn a_shown_text_is_quoted_too() {
        let shown = rendered("{{ value|shown }}", Value::from("it's\x1b")).unwrap();
        assert_eq!(shown, r"'it'\''s\u{1b}'");
    }

    #[test]
    fn a_long_text_is_cut() {
        let line = one_line(&"x".repeat(LONGEST_TEXT + 1));
        assert_eq!(line, "x".repeat(LONGEST_TEXT) + " ...");
        assert_eq!(
            one_line(&"x".repeat(LONGEST_TEXT)),
            "x".repeat(LONGEST_TEXT)
        );
    }
}
