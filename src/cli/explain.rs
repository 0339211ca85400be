//! `dmaudit explain`.

use clap::Args;

/// Explain a check.
#[derive(Debug, Args)]
pub struct Explain {
    /// The check's name, as reports print it; without it, all checks are listed
    #[arg(value_name = "CHECK")]
    pub check: Option<String>,
}
