//! A message of MIME parts (RFC 2045 to 2047, 5322) from a report's content.

use chrono::{DateTime, Utc};
use lettre::Message;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use sha2::{Digest, Sha256};

use super::attach::Attached;
use crate::report::mail::Content;
use crate::report::words::printable;

/// Who writes to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// The sender.
    pub from: Mailbox,
    /// Recipients.
    pub to: Vec<Mailbox>,
    /// Recipients of a copy.
    pub cc: Vec<Mailbox>,
}

/// Reads an address, `a@example.com` or `Name <a@example.com>`.
///
/// # Errors
///
/// Names the text and what was expected. Line ends and other control
/// characters have no place in one.
pub fn address(text: &str) -> Result<Mailbox, String> {
    let wrong = || {
        format!("{text:?} is no e-mail address: expected ops@example.com or Ops <ops@example.com>")
    };
    if text.chars().any(char::is_control) {
        return Err(wrong());
    }
    text.parse().map_err(|_| wrong())
}

/// Builds the message, dated `date`. The same arguments give the same bytes.
/// The files are attached in their order.
///
/// # Errors
///
/// What the addresses lack to make a message.
pub fn build(
    content: &Content,
    addresses: &Addresses,
    prefix: Option<&str>,
    files: Vec<Attached>,
    date: DateTime<Utc>,
) -> Result<Message, String> {
    let subject = match prefix {
        Some(prefix) => format!("{} {}", printable(prefix.trim()), content.subject),
        None => content.subject.clone(),
    };
    let mut hash = Sha256::new();
    for part in [&subject, &content.text, &content.html, &date.to_rfc3339()] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    for one in addresses.to.iter().chain(&addresses.cc) {
        hash.update(one.email.to_string());
        hash.update([0]);
    }
    let id: String = hash
        .finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut message = Message::builder()
        .from(addresses.from.clone())
        .subject(subject)
        .date(date.into())
        .message_id(Some(format!("<{id}@{}>", addresses.from.email.domain())));
    for one in &addresses.to {
        message = message.to(one.clone());
    }
    for one in &addresses.cc {
        message = message.cc(one.clone());
    }
    let bodies = MultiPart::alternative()
        .boundary(format!("alternative-{id}"))
        .singlepart(SinglePart::plain(content.text.clone()))
        .singlepart(SinglePart::html(content.html.clone()));
    let built = if files.is_empty() {
        message.multipart(bodies)
    } else {
        let mut mixed = MultiPart::mixed()
            .boundary(format!("mixed-{id}"))
            .multipart(bodies);
        for file in files {
            let kind = ContentType::parse(file.kind).map_err(|error| error.to_string())?;
            mixed = mixed.singlepart(Attachment::new(file.name.to_owned()).body(file.bytes, kind));
        }
        message.multipart(mixed)
    };
    built.map_err(|error| format!("no message could be made: {error}"))
}
