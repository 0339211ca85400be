//! The report as the content of an e-mail: subject, HTML that mail programs
//! show right, and plain text. Its size is bounded, whatever the number of
//! nodes and findings.

mod digest;
mod lists;
mod page;
mod parts;

use std::borrow::Cow;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, UndefinedBehavior};

use super::html::{markup, words};
use super::text::fold;
use super::words::printable;
pub use digest::{Digest, NodePart, Parts};
pub use page::subject;

/// Columns of the plain text, for mail programs that don't fold.
const WIDTH: usize = 76;

/// An e-mail's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The subject, on one line.
    pub subject: String,
    /// The HTML part: tables and inline styles, nothing from outside.
    pub html: String,
    /// The plain-text part.
    pub text: String,
}

/// Writes a run as an e-mail. `enclosed` are sentences on what is
/// attached, shown at its end.
///
/// # Errors
///
/// Names the template and line that failed; no bundle can cause that.
pub fn content(digest: &Digest<'_>, enclosed: &[String]) -> Result<Content, String> {
    let page = page::Page::new(digest, enclosed);
    let html = environment(Kind::Html)?
        .get_template("mail.html")
        .and_then(|template| template.render(Serde(&page)))
        .map_err(|error| said(&error))?;
    let text = environment(Kind::Text)?
        .get_template("mail.txt")
        .and_then(|template| template.render(Serde(&page)))
        .map_err(|error| said(&error))?;
    Ok(Content {
        subject: subject(digest),
        html,
        text,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Html,
    Text,
}

fn environment(kind: Kind) -> Result<Environment<'static>, String> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build();
    env.set_syntax(syntax.map_err(|error| said(&error))?);
    env.add_filter("count", words::count);
    env.add_filter("grade_word", |grade: Option<Cow<str>>| {
        words::grade_word(grade.as_deref())
    });
    let (name, source) = match kind {
        Kind::Html => {
            env.set_auto_escape_callback(|_| AutoEscape::Html);
            env.set_formatter(|out, _, value| write(out, value, markup::escape_to));
            env.add_filter("phrase", |text: Cow<str>| phrase(&text));
            env.add_filter("grade_colour", |grade: Option<Cow<str>>| {
                parts::grade_colour(grade.as_deref())
            });
            env.add_filter("severity_colour", |severity: Cow<str>| {
                parts::severity_colour(&severity)
            });
            ("mail.html", include_str!("../../templates/mail.html"))
        }
        Kind::Text => {
            env.set_auto_escape_callback(|_| AutoEscape::None);
            env.set_formatter(|out, _, value| {
                write(out, value, |out, text| out.write_str(&printable(text)))
            });
            env.add_filter("fold", folded);
            env.add_filter("pad", |text: Cow<str>, width: usize| {
                format!("{text:<width$}")
            });
            ("mail.txt", include_str!("../../templates/mail.txt"))
        }
    };
    env.add_template(name, source)
        .map_err(|error| said(&error))?;
    Ok(env)
}

fn said(error: &Error) -> String {
    format!("the e-mail's template failed: {error:#}")
}

/// Prints a value: text through `escape`, markup of this module as it is. A
/// list, a map or an absent value is a mistake in a template.
fn write(
    out: &mut Output,
    value: &Value,
    escape: impl Fn(&mut dyn std::fmt::Write, &str) -> std::fmt::Result,
) -> Result<(), Error> {
    let written = match (value.kind(), value.as_str()) {
        (_, Some(text)) if value.is_safe() => out.write_str(text),
        (_, Some(text)) => escape(out, text),
        (ValueKind::Number | ValueKind::Bool, None) => write!(out, "{value}"),
        (kind, None) => {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                format!("{kind} can't be printed"),
            ));
        }
    };
    written.map_err(Error::from)
}

/// A sentence with its code marked, by inline style: mail programs know no
/// style sheet of ours. In the escaped text the only tags are `phrase`'s own.
fn phrase(text: &str) -> Value {
    let plain = markup::phrase(text).replace(
        "<code>",
        "<code style=\"font-family:Consolas,Menlo,'DejaVu Sans Mono',monospace;font-size:0.93em;\">",
    );
    Value::from_safe_string(plain)
}

/// Text for a terminal-wide column that starts at `indent`; the first line's
/// indent is the template's.
fn folded(text: Cow<str>, indent: usize) -> Value {
    let lines = fold(&printable(&text), WIDTH.saturating_sub(indent));
    Value::from_safe_string(lines.join(&format!("\n{:indent$}", "")))
}
