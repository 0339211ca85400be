//! What the tests of `dmaudit mail` share.

use std::path::PathBuf;
use std::process::{Command, Output};

pub fn sample(node: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(format!("samples/dmaudit-{node}-20261123T183645Z.zip"))
}

/// Runs `dmaudit mail` on a sample, from A to B, without the caller's secrets.
pub fn mail(node: &str, args: &[&str], env: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .arg("mail")
        .arg(sample(node))
        .args(["--from", "Audit <audit@example.com>"])
        .args(["--to", "ops@example.com"])
        .args(["--now", "2026-11-23T19:00:00Z"])
        .args(args)
        .env_remove("DMAUDIT_SMTP_USER")
        .env_remove("DMAUDIT_SMTP_PASSWORD")
        .envs(env.iter().copied())
        .output()
        .expect("dmaudit runs")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The mails kept in a folder.
pub fn kept(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mails = paths.filter(|path| path.extension().is_some_and(|end| end == "eml"));
    mails
        .map(|path| std::fs::read(path).expect("a mail"))
        .collect()
}
