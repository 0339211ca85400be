//! `dmaudit mail`.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::mailed::{Mailed, Taking};
use super::{interrupt, output, printed};
use crate::cli::{FailOn, Mail};
use crate::mail::message::{self, Addresses};
use crate::mail::smtp::{Options, Server};
use crate::pipeline::{Job, Outcome};
use crate::report::compose;
use crate::report::html::{Overview, Run};
use crate::report::mail::{self, Digest};

/// Sends the report, or writes it.
///
/// # Errors
///
/// A line for the user: an address, server or secret is wrong, or a file could
/// not be read or written.
pub fn run(args: &Mail) -> Result<ExitCode, String> {
    interrupt::watch()?;
    // Everything that can be wrong is found before the analysis.
    let addresses = Addresses {
        from: message::address(&args.from)?,
        to: all(&args.to)?,
        cc: all(&args.cc)?,
    };
    let server = args
        .smtp
        .as_deref()
        .map(|smtp| server(smtp, args))
        .transpose()?;
    let now = args.now.unwrap_or_else(Utc::now);
    let limits = args.limits.limits();
    let config = args.config.read()?;
    let analyzed_at = compose::time(now);
    let run = Run {
        version: env!("CARGO_PKG_VERSION"),
        analyzed_at: &analyzed_at,
    };
    let mut mailed = Mailed::begin(&args.attach, run)?;
    let outcome = Job::new(&args.paths, limits, now)
        .configured(config)
        .run(&mut mailed, || ())?;
    let Outcome {
        rows,
        totals,
        headline,
        rejected,
        remarks: _,
    } = &outcome;
    let Taking { parts, attachments } = mailed.end();
    for input in rejected {
        printed::tell_rejected(&input.path, &input.error);
    }
    let done = match rejected.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(3),
    };
    let digest = Digest::new(run, rows, (totals, headline), rejected, parts);
    if args.when.is_some_and(|least| !is_due(&digest, least)) {
        tell!("dmaudit: no finding is severe enough for --when; no mail");
        return Ok(done);
    }
    let overview = Overview::of(rows, totals, headline, rejected);
    let (attached, enclosed) = attachments.end(&overview, rejected)?;
    let content = mail::content(&digest, &enclosed)?;
    let prefix = args.subject_prefix.as_deref();
    let message = message::build(&content, &addresses, prefix, attached, now)?;
    if let Some(file) = &args.eml {
        write(file, &message.formatted())?;
    }
    if let Some(server) = server {
        if let Err(error) = server.deliver(&message) {
            tell!("dmaudit: the mail was not delivered: {error}");
            let kept = keep(&args.keep, now, &message.formatted())?;
            tell!("dmaudit: the mail is kept in {}", kept.display());
            return Ok(ExitCode::from(4));
        }
        tell!("dmaudit: mail delivered: {}", content.subject);
    }
    Ok(done)
}

fn all(texts: &[String]) -> Result<Vec<lettre::message::Mailbox>, String> {
    texts.iter().map(|text| message::address(text)).collect()
}

fn server(address: &str, args: &Mail) -> Result<Server, String> {
    let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let user = args.user.clone().or_else(|| set("DMAUDIT_SMTP_USER"));
    let password = match &args.password_file {
        Some(file) => Some(first_line(file)?),
        None => set("DMAUDIT_SMTP_PASSWORD"),
    };
    let login = match (user, password) {
        (Some(user), Some(password)) => Some((user, password)),
        (None, None) => None,
        (Some(_), None) => {
            return Err(
                "a user but no password: give --password-file, or set DMAUDIT_SMTP_PASSWORD"
                    .to_owned(),
            );
        }
        (None, Some(_)) => {
            return Err("a password but no user: give --user, or set DMAUDIT_SMTP_USER".to_owned());
        }
    };
    let ca = args.ca_file.as_deref().map(read).transpose()?;
    Server::new(
        address,
        Options {
            tls: args.tls,
            ca,
            login,
            timeout: Duration::from_secs(args.timeout),
        },
    )
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{} could not be read: {error}", file.display()))
}

fn first_line(file: &Path) -> Result<String, String> {
    let text =
        String::from_utf8(read(file)?).map_err(|_| format!("{} is not UTF-8", file.display()))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(format!(
            "{}: the first line holds no password",
            file.display()
        )),
    }
}

/// Whether there is something to write about. What is not known is.
fn is_due(digest: &Digest<'_>, least: FailOn) -> bool {
    let [critical, warnings, others] = digest.findings();
    let severe = match least {
        FailOn::Critical => critical,
        FailOn::Warning => critical + warnings,
        FailOn::Info => critical + warnings + others,
    };
    digest.has_unknown() || severe > 0
}

fn write(file: &Path, message: &[u8]) -> Result<(), String> {
    if file == Path::new("-") {
        return match io::stdout().write_all(message) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(format!("standard output could not be written: {error}"))
            }
            _ => Ok(()),
        };
    }
    output::write_to(file, |out| out.write_all(message))
}

/// Keeps a mail under a new name, readable by its owner only; where `folder`
/// can't be written, in the folder for temporary files.
fn keep(folder: &Path, now: DateTime<Utc>, message: &[u8]) -> Result<PathBuf, String> {
    let kept = keep_in(folder, now, message);
    kept.or_else(|first| {
        keep_in(&env::temp_dir(), now, message).map_err(|second| {
            format!(
                "the mail could not be kept in {}: {first}; nor among temporary files: {second}",
                folder.display()
            )
        })
    })
}

fn keep_in(folder: &Path, now: DateTime<Utc>, message: &[u8]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(&format!("dmaudit-mail-{}-", now.format("%Y%m%dT%H%M%SZ")))
        .suffix(".eml")
        .tempfile_in(folder)?;
    file.write_all(message)?;
    file.as_file().sync_all()?;
    // Whole before it stays.
    let (_, path) = file.keep().map_err(|error| error.error)?;
    Ok(path)
}
