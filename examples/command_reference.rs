//! Prints the reference page of all commands:
//! `cargo run --example command_reference > docs/commands.md`

fn main() {
    print!("{}", dmaudit::cli::reference::commands());
}
