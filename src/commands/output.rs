//! Files appear whole or not at all.

use std::fs;
use std::io::Write;
use std::path::Path;

/// Writes a file below `folder`: into a temporary one beside it, which then
/// takes its name.
///
/// # Errors
///
/// A line that names the file and says what went wrong.
pub(super) fn write(folder: &Path, name: &str, content: &[u8]) -> Result<(), String> {
    let path = folder.join(name);
    let parent = path.parent().unwrap_or(folder);
    let failed = |error: std::io::Error| {
        format!(
            "{} could not be written: {error}; nothing was left half done there, but the report in {} is not complete",
            path.display(),
            folder.display()
        )
    };
    fs::create_dir_all(parent).map_err(failed)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As an ordinary new file: the user's umask decides.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder
        .prefix(".dmaudit-")
        .tempfile_in(parent)
        .map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}
