//! The reference page of all commands, made of what `--help` prints.

use clap::CommandFactory;

use super::Cli;

/// `docs/commands.md`: each command with its help, as `--help` prints it.
#[must_use]
pub fn commands() -> String {
    let mut page = String::from(
        "# Commands\n\nWhat `--help` prints, command by command. \
         `-h` is the short form.\n",
    );
    let mut program = Cli::command().term_width(100);
    program.build();
    for command in program.get_subcommands_mut() {
        if command.get_name() == "help" {
            continue;
        }
        let help = command.render_long_help().to_string();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        page.push_str(&format!(
            "\n## dmaudit {}\n\n```text\n{}\n```\n",
            command.get_name(),
            lines.join("\n").trim_end()
        ));
    }
    page
}
