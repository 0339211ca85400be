//! The option that names a configuration, for every subcommand that judges.

use std::path::PathBuf;

use clap::Args;

use crate::checks;
use crate::config::Config;

/// Which configuration is applied.
#[derive(Debug, Clone, Args)]
pub struct ConfigArgs {
    /// Apply this dmaudit.toml: thresholds, ignored findings, labels
    ///
    /// It is never looked for: what stands in a folder of bundles may be a stranger's.
    #[arg(
        long,
        value_name = "FILE",
        env = "DMAUDIT_CONFIG",
        hide_env_values = true
    )]
    pub config: Option<PathBuf>,
}

impl ConfigArgs {
    /// Reads the configuration; the default one if none is named.
    ///
    /// # Errors
    ///
    /// A line for the user: the file, the line in it, what was expected.
    pub fn read(&self) -> Result<Config, String> {
        match &self.config {
            Some(path) => Config::read(path, |name| checks::by_name(name).is_some()),
            None => Ok(Config::default()),
        }
    }
}
