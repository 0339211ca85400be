//! What the engines of all templates have in common.

use std::error::Error;
use std::io;

/// The error of what was written to, where that is why a template failed.
pub(crate) fn not_written(error: &minijinja::Error) -> Option<io::Error> {
    let failed = error.source()?.downcast_ref::<io::Error>()?;
    Some(io::Error::new(failed.kind(), failed.to_string()))
}
