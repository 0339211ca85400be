//! `dmaudit completions` and `dmaudit man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Print the completions of a shell.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dmaudit completions bash > /usr/share/bash-completion/completions/dmaudit
  dmaudit completions zsh > /usr/local/share/zsh/site-functions/_dmaudit

Exit status:
  0  the completions were printed
  2  the command line was wrong, or they could not be printed")]
pub struct Completions {
    /// The shell they are for
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Print the manual page, or write the pages of all commands.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dmaudit man | man -l -
  dmaudit man -o /usr/local/share/man/man1     dmaudit.1, dmaudit-analyze.1, ...

Exit status:
  0  the pages were written
  2  the command line was wrong, or a page could not be written")]
pub struct Man {
    /// Write a page for every command here (made if it is missing)
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}
