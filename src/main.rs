//! The `dmaudit` command.

use std::process::ExitCode;

use clap::Parser;
use dmaudit::cli::{Cli, Command};
use dmaudit::commands;

/// An analysis makes and drops tens of thousands of small texts a bundle, on
/// all threads: the C library's allocator takes a fifth more time, musl's
/// several times as much.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // A file's name that begins with a dash is part of the message.
        Err(error) if error.use_stderr() => {
            commands::tell(error.render().to_string().trim_end());
            return ExitCode::from(2);
        }
        // Help, or the version.
        Err(shown) => shown.exit(),
    };
    let result = match cli.command {
        Command::Analyze(args) => commands::analyze::run(&args),
        Command::Collect(args) => commands::collect::run(&args),
        Command::Diff(args) => commands::diff::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Facts(args) => commands::facts::run(&args),
        Command::Verify(args) => commands::verify::run(&args),
        Command::Redact(args) => commands::redact::run(&args),
        Command::RestoreNames(args) => commands::restore_names::run(&args),
        Command::Mail(args) => commands::mail::run(&args),
        Command::Completions(args) => commands::shell::completions(&args),
        Command::Man(args) => commands::shell::man(&args),
    };
    result.unwrap_or_else(|message| {
        commands::tell(&format!("dmaudit: {message}"));
        ExitCode::from(2)
    })
}
