//! How much of a bundle is taken into memory as facts.
//!
//! A few bytes of a forged text can become many bytes of facts, so bytes
//! alone bound nothing. What is larger than any node's is not read at all, and
//! counts as evidence that failed: a part of a list would be mistaken for the
//! whole of it.

/// Device-mapper entries of a node. The largest nodes known have some 2,000.
pub(super) const ENTRIES: usize = 20_000;

/// Processes, mounts and the like that hold entries open, by all commands.
pub(super) const HOLDERS: usize = 20_000;

/// Dependencies of entries: most have one or two.
pub(super) const DEPENDENCIES: usize = 60_000;

/// Volume groups, and as many physical volumes.
pub(super) const GROUPS: usize = 5_000;

/// Multipath devices.
pub(super) const MULTIPATHS: usize = 4_000;

/// Paths of all multipath devices.
pub(super) const PATHS: usize = 20_000;

/// Guests of a cluster that are listed or configured.
pub(super) const GUESTS: usize = 20_000;

/// Volumes that all configurations together name, and snapshots in them.
pub(super) const REFERENCES: usize = 60_000;

/// Members of a cluster. Corosync itself carries far fewer.
pub(super) const MEMBERS: usize = 256;

/// Notes on what was not understood.
pub(super) const NOTES: usize = 200;

/// Notes on what could not be read.
pub(super) const UNREAD: usize = 50;

/// Bytes of a file of the cluster file system; pmxcfs itself refuses a larger
/// one (`CFS_MAX_FILESIZE`, 1 MiB).
const CLUSTER_FILE_BYTES: usize = 1 << 20;

/// Bytes of any other text.
const BYTES: usize = 16 << 20;

/// Lines of any other text.
const LINES: usize = 300_000;

/// Lines of a kernel log that are read: the last ones.
const LOG_LINES: usize = 10_000;

/// Characters of a name that is shown many times: a node's, a guest's, a
/// storage's. None of them may be longer where it is made.
pub(super) const NAME: usize = 128;

/// Characters of what holds an entry: a process's name, a mount's path. The
/// kernel's own names of processes have 15.
pub(super) const HOLDER: usize = 160;

/// Characters of a sentence or line that is shown.
pub(super) const SENTENCE: usize = 500;

/// Bytes of a device-mapper name or UUID (`DM_NAME_LEN`, `DM_UUID_LEN`, which
/// count a NUL).
const DM_TEXT: usize = 128;

/// Whether device-mapper allows a name or UUID as dmsetup prints it: each of
/// its bytes may be escaped as `\x20`.
pub(super) fn is_dm_text(text: &str) -> bool {
    let is_hex =
        |digits: Option<&[u8]>| digits.is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit));
    let bytes = text.as_bytes();
    let escapes = || {
        let marks = memchr::memmem::find_iter(bytes, b"\\x");
        marks.filter(|at| is_hex(bytes.get(at + 2..at + 4))).count()
    };
    text.len() <= DM_TEXT || text.len() - 3 * escapes() <= DM_TEXT
}

/// The beginning of a text; a mark shows that there is more.
pub(super) fn brief(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// Says that a list is longer than any node's.
pub(super) fn too_many(found: usize, what: &str, most: usize) -> String {
    format!("not read, since it lists {found} {what} and no node has more than {most}")
}

/// Why a text is not read, if it is not.
pub(super) fn refusal(input: &str, text: &str) -> Option<String> {
    let (bytes, lines) = match input {
        // Nine lines and an empty one for each entry.
        "dmsetup-info" => (BYTES, 12 * ENTRIES),
        "dmsetup-info-columns" | "dmsetup-info-c" | "dmsetup-ls" => (BYTES, ENTRIES + 1),
        "dmsetup-table" | "dmsetup-deps" | "dmsetup-status" => (BYTES / 2, LINES),
        "qm-list" | "pct-list" => (BYTES, GUESTS + 1),
        "pvesm-status" | "/etc/pve/storage.cfg" => (CLUSTER_FILE_BYTES, LINES / 5),
        path if path.starts_with("/etc/pve/") => (CLUSTER_FILE_BYTES, LINES),
        _ => (BYTES, LINES),
    };
    if text.len() > bytes {
        return Some(format!(
            "not read, since it has {} bytes and no node has more than {bytes} there",
            text.len()
        ));
    }
    // A text of fewer bytes has fewer lines.
    let more = text.len() > lines && memchr::memchr_iter(b'\n', text.as_bytes()).count() > lines;
    more.then(|| format!("not read, since it has more lines than any node's ({lines})"))
}

/// What is read of a text, or why it is not read.
pub(super) fn within<'a, T>(
    input: &str,
    text: &'a str,
    read: impl FnOnce(&'a str) -> T,
) -> Result<T, String> {
    match refusal(input, text) {
        Some(why) => Err(why),
        None => Ok(read(text)),
    }
}

/// The part of a log that is read, and how many lines before it are not.
/// Newer lines of a log do not depend on older ones.
pub(super) fn last_lines(text: &str) -> (&str, usize) {
    let end = text.strip_suffix('\n').unwrap_or(text);
    let cut = end.rmatch_indices('\n').nth(LOG_LINES - 1);
    let (older, newer) = text.split_at(cut.map_or(0, |(at, _)| at + 1));
    (newer, older.bytes().filter(|byte| *byte == b'\n').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_node_has_is_refused() {
        assert_eq!(refusal("dmsetup-info", &"\n".repeat(12 * ENTRIES)), None);
        assert!(refusal("dmsetup-info", &"\n".repeat(12 * ENTRIES + 1)).is_some());
        assert_eq!(refusal("lscpu", &"x".repeat(BYTES)), None);
        assert!(refusal("lscpu", &"x".repeat(BYTES + 1)).is_some());
        assert!(refusal("/etc/pve/storage.cfg", &"x".repeat((1 << 20) + 1)).is_some());
    }

    #[test]
    fn names_are_as_long_as_device_mapper_allows() {
        assert!(is_dm_text(&"x".repeat(128)));
        assert!(!is_dm_text(&"x".repeat(129)));
        assert!(is_dm_text(&"\\x20".repeat(128)));
        assert!(!is_dm_text(&"\\x20".repeat(129)));
        assert!(!is_dm_text(&"\\xzz".repeat(128)));
        assert!(!is_dm_text(&"\u{e0041}".repeat(33)));
    }

    #[test]
    fn a_log_keeps_its_end() {
        assert_eq!(last_lines("a\nb\n"), ("a\nb\n", 0));
        let long = format!("old\n{}", "x\n".repeat(LOG_LINES));
        assert_eq!(last_lines(&long), (&long[4..], 1));
        assert_eq!(last_lines(long.trim_end()), (long[4..].trim_end(), 1));
    }
}
