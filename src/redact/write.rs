//! The zip archive of a redacted bundle.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;

/// The members under a top folder, with a fixed time: that of the collection
/// is in the manifest.
pub(super) fn zip(top: &str, members: &[(String, Vec<u8>)]) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    for (path, bytes) in members {
        zip.start_file(format!("{top}/{path}"), options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}
