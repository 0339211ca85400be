//! The zip archive of a redacted bundle.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;

/// An archive that takes its members one by one, so that none waits in memory
/// as it is.
pub(super) struct Archive {
    top: String,
    zip: ZipWriter<Cursor<Vec<u8>>>,
    /// What became of the members so far.
    taken: ZipResult<()>,
}

impl Archive {
    /// An empty one, of which all members lie in this folder.
    pub(super) fn new(top: String) -> Self {
        Self {
            top,
            zip: ZipWriter::new(Cursor::new(Vec::new())),
            taken: Ok(()),
        }
    }

    /// Adds a member, with a fixed time: that of the collection is in the
    /// manifest.
    pub(super) fn add(&mut self, path: &str, bytes: &[u8]) {
        if self.taken.is_ok() {
            self.taken = self.try_add(path, bytes);
        }
    }

    fn try_add(&mut self, path: &str, bytes: &[u8]) -> ZipResult<()> {
        let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
        self.zip
            .start_file(format!("{}/{path}", self.top), options)?;
        Ok(self.zip.write_all(bytes)?)
    }

    /// The folder's name and the archive.
    ///
    /// # Errors
    /// Of the first member that could not be added.
    pub(super) fn finish(self) -> ZipResult<(String, Vec<u8>)> {
        self.taken?;
        Ok((self.top, self.zip.finish()?.into_inner()))
    }
}
