//! `dmaudit completions` and `dmaudit man`: both follow from the command line.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_mangen::Man as Page;
use clap_mangen::roff::{Roff, roman};

use super::output;
use super::printed::Out;
use crate::cli::{Cli, Completions, Man};

/// Prints the completions of a shell.
///
/// # Errors
///
/// A line that says why they could not be printed.
pub fn completions(args: &Completions) -> Result<ExitCode, String> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "dmaudit", &mut text);
    print(&text)
}

/// Prints the main manual page, or writes the pages of all commands.
///
/// # Errors
///
/// A line that says which page could not be written, and why.
pub fn man(args: &Man) -> Result<ExitCode, String> {
    let mut command = Cli::command();
    // Gives each subcommand its full name, as its page has it.
    command.build();
    match &args.output {
        None => print(&page(command)?),
        Some(folder) => write_pages(folder, command).map(|()| ExitCode::SUCCESS),
    }
}

fn write_pages(folder: &Path, command: clap::Command) -> Result<(), String> {
    let subcommands: Vec<_> = command.get_subcommands().cloned().collect();
    output::write(folder, "dmaudit.1", &page(command)?)?;
    // `help` has nothing that `--help` doesn't say.
    for command in subcommands.into_iter().filter(|it| it.get_name() != "help") {
        let name = format!("dmaudit-{}", command.get_name());
        let text = page(command.display_name(name.clone()))?;
        output::write(folder, &format!("{name}.1"), &text)?;
    }
    Ok(())
}

/// A command's page. What `--help` says last (examples, exit status) is laid
/// out in lines and must not be filled.
fn page(command: clap::Command) -> Result<Vec<u8>, String> {
    let last = command
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned();
    let mut text = Vec::new();
    Page::new(command.after_help(None::<&str>))
        .title(name.to_uppercase())
        .source(concat!("dmaudit ", env!("CARGO_PKG_VERSION")))
        .manual("dmaudit")
        .render(&mut text)
        .and_then(|()| sections(&last).to_writer(&mut text))
        .map_err(|error| format!("a manual page could not be made: {error}"))?;
    Ok(text)
}

/// `Examples:` and the like, each a section, line by line as it stands.
fn sections(text: &str) -> Roff {
    let mut page = Roff::new();
    for part in text.split("\n\n").filter(|part| !part.trim().is_empty()) {
        let (title, lines) = part.split_once('\n').unwrap_or((part, ""));
        page.control("SH", [title.trim_end_matches(':').to_uppercase().as_str()]);
        page.control("nf", []);
        for line in lines.lines() {
            page.text([roman(line)]);
            page.control("br", []);
        }
        page.control("fi", []);
    }
    page
}

fn print(text: &[u8]) -> Result<ExitCode, String> {
    let mut out = Out::new();
    out.write_all(text)
        .and_then(|()| out.flush())
        .map_err(|error| format!("standard output could not be written: {error}"))?;
    Ok(ExitCode::SUCCESS)
}
