//! What the kernel's log says about device-mapper: `dmesg` or
//! `journalctl -k`, whole or already searched.

use super::{DevNo, Parsed, holders::dm_minor, lines};

/// A line of the kernel's log about device-mapper or one of its devices.
#[derive(Debug, Clone, PartialEq)]
pub struct KernelLine {
    /// Its line in the text, from 1.
    pub line: usize,
    /// Seconds since boot, where the line has them.
    pub seconds: Option<f64>,
    /// The message, without time, host and facility.
    pub text: String,
    /// The device that the message is about.
    pub subject: Subject,
}

/// What a message of the kernel names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A device-mapper name: `pve-vm--1--disk--0`.
    Name(String),
    /// A device number: `253:4`.
    DevNo(DevNo),
    /// The `N` of `dm-N`; the major number isn't printed.
    Minor(u32),
    /// None.
    None,
}

/// Reads the lines that mention `device-mapper` or a `dm-N`. All others are
/// passed over: they are about something else.
pub fn parse(text: &str) -> Parsed<Vec<KernelLine>> {
    let mut parsed = Parsed::new(Vec::new());
    for (number, line) in lines(text) {
        let (seconds, message) = split_time(line);
        let minor = named_minor(message);
        if minor.is_none() && !message.contains("device-mapper") {
            continue;
        }
        parsed.value.push(KernelLine {
            line: number,
            seconds,
            text: message.to_owned(),
            subject: subject(message, minor),
        });
    }
    parsed
}

impl KernelLine {
    /// Whether the message tells of something that did not work, or is about
    /// to (a thin pool at its low water mark).
    pub fn is_failure(&self) -> bool {
        // A mount option, printed with every healthy mount.
        let text = self.text.to_lowercase().replace("errors=", "");
        let of_any_device = [
            "error",
            "corrupt",
            "remounting filesystem read-only",
            "shutting down",
        ];
        let of_device_mapper = [
            "fail",
            "unable",
            "busy",
            "cannot",
            "couldn't",
            "can't",
            "invalid",
            "too small",
            "not found",
            "doesn't appear",
            "reached low water mark",
            "out of data space",
            "out-of-data-space",
            "no free",
            "read-only mode",
            "needs_check",
            "needs to be checked",
            "aborting",
        ];
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        has(&of_any_device) || (text.contains("device-mapper") && has(&of_device_mapper))
    }
}

/// Takes time, host and facility off a line: `[    8.5] text`,
/// `<4>[    8.5] text`, `Nov 23 19:15:01 pve1 kernel: text`.
fn split_time(line: &str) -> (Option<f64>, &str) {
    let mut rest = line.trim();
    if let Some((_, message)) = rest.split_once(" kernel: ") {
        rest = message;
    }
    if let Some((level, message)) = rest.split_once('>')
        && level.starts_with('<')
    {
        rest = message;
    }
    match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((time, message)) => {
            let seconds = time.trim().parse().ok();
            (
                seconds.filter(|s: &f64| s.is_finite()),
                message.trim_start(),
            )
        }
        None => (None, rest),
    }
}

/// The `N` of the first `dm-N`: `dev dm-5,`, `EXT4-fs (dm-1):`.
fn named_minor(message: &str) -> Option<u32> {
    message
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
        .find_map(dm_minor)
}

fn subject(message: &str, minor: Option<u32>) -> Subject {
    // `device-mapper: table: 253:7: linear: …`: the number is a part by itself.
    if let Some((_, message)) = message.split_once("device-mapper: ") {
        if let Some(devno) = message.split(": ").find_map(|part| part.parse().ok()) {
            return Subject::DevNo(devno);
        }
        if let Some(name) = named_device(message) {
            return Subject::Name(name.to_owned());
        }
    }
    minor.map_or(Subject::None, Subject::Minor)
}

/// The name behind one of the phrases that the ioctl interface (and
/// libdevmapper, whose messages look alike) puts before a name.
fn named_device(message: &str) -> Option<&str> {
    const BEFORE_NAME: [&str; 5] = [
        "ioctl on ",
        "open device ",
        "mapped device ",
        "non-existent device, ",
        "ioctl: device ",
    ];
    let name = BEFORE_NAME
        .iter()
        .find_map(|phrase| message.split_once(phrase))
        .and_then(|(_, rest)| rest.split_whitespace().next())?
        .trim_end_matches([',', ':', ';', '.']);
    // Words of a sentence have no dash; a guest's volume always has.
    (name.contains('-') && dm_minor(name).is_none()).then_some(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn one(text: &str) -> KernelLine {
        let mut parsed = parse(text);
        assert_eq!(parsed.value.len(), 1, "{text}");
        parsed.value.remove(0)
    }

    #[test]
    fn loading_the_module_is_no_failure() {
        let parsed = parse(
            "[    8.524957] device-mapper: core: CONFIG_IMA_DISABLE_HTABLE is disabled. Duplicate IMA measurements will not be recorded in the IMA log.\n\
             [    8.525201] device-mapper: uevent: version 1.0.3\n\
             [    8.526170] device-mapper: ioctl: 4.47.0-ioctl (2022-07-28) initialised: dm-devel@redhat.com\n",
        );
        assert_eq!(parsed.value.len(), 3);
        assert_eq!(parsed.value[1].seconds, Some(8.525201));
        assert_eq!(parsed.value[1].text, "device-mapper: uevent: version 1.0.3");
        for line in &parsed.value {
            assert!(!line.is_failure(), "{}", line.text);
            assert_eq!(line.subject, Subject::None);
        }
    }

    #[test]
    fn failures_and_what_they_are_about() {
        let name = |name: &str| Subject::Name(name.to_owned());
        let devno = |text: &str| Subject::DevNo(text.parse().unwrap());
        for (text, subject) in [
            (
                "device-mapper: ioctl: unable to remove open device pve-vm--1--disk--0",
                name("pve-vm--1--disk--0"),
            ),
            (
                "device-mapper: ioctl: device pve-vm--9--disk--0 busy",
                name("pve-vm--9--disk--0"),
            ),
            (
                "device-mapper: create ioctl on san-vm--170--disk--0 LVM-abc failed: Device or resource busy",
                name("san-vm--170--disk--0"),
            ),
            (
                "device-mapper: thin: 253:4: reached low water mark for data device: sending event.",
                devno("253:4"),
            ),
            (
                "device-mapper: thin: 253:4: switching pool to out-of-data-space (queue IO) mode",
                devno("253:4"),
            ),
            (
                "device-mapper: thin: 253:4: switching pool to read-only mode",
                devno("253:4"),
            ),
            (
                "device-mapper: table: 253:7: linear: Device lookup failed (-ENODEV)",
                devno("253:7"),
            ),
            (
                "device-mapper: table: 253:7: dm-4 too small for target: start=2048, len=65536, dev_size=32768",
                devno("253:7"),
            ),
            (
                "device-mapper: multipath: 253:3: Failing path 8:16.",
                devno("253:3"),
            ),
            (
                "device-mapper: space map common: unable to decrement block",
                Subject::None,
            ),
            (
                "Buffer I/O error on dev dm-5, logical block 0, async page read",
                Subject::Minor(5),
            ),
            (
                "EXT4-fs error (device dm-12): ext4_find_entry:1463: inode #2",
                Subject::Minor(12),
            ),
            (
                "blk_update_request: I/O error, dev dm-3, sector 0 op 0x0:(READ)",
                Subject::Minor(3),
            ),
        ] {
            let line = one(&format!("[  100.5] {text}\r\n"));
            assert_eq!(line.subject, subject, "{text}");
            assert!(line.is_failure(), "{text}");
            assert_eq!(line.text, text);
        }
    }

    #[test]
    fn healthy_lines_are_no_failures() {
        for text in [
            "EXT4-fs (dm-5): mounted filesystem with ordered data mode. Opts: errors=remount-ro. Quota mode: none.",
            "XFS (dm-3): Ending clean mount",
            "device-mapper: thin: 253:4: switching pool to write mode",
            "device-mapper: thin: 253:4: growing the data device from 6400 to 8000 blocks",
            "device-mapper: multipath: 253:3: Reinstating path 8:16.",
            "device-mapper: multipath service-time: version 0.3.0 loaded",
            "Adding 8388604k swap on /dev/mapper/pve-swap (dm-0).",
        ] {
            assert!(!one(text).is_failure(), "{text}");
        }
    }

    #[test]
    fn every_way_to_print_the_time() {
        for (prefix, seconds) in [
            ("[12345.678901] ", Some(12345.678901)),
            ("<3>[    1.5] ", Some(1.5)),
            ("[Mon Nov 23 19:15:01 2026] ", None),
            ("Nov 23 19:15:01 pve1 kernel: ", None),
            (
                "2026-11-23T19:15:01+0100 pve1 kernel: [    7.25] ",
                Some(7.25),
            ),
            ("", None),
        ] {
            let line = one(&format!(
                "{prefix}Buffer I/O error on dev dm-5, logical block 0"
            ));
            assert_eq!(line.seconds, seconds, "{prefix}");
            assert_eq!(line.text, "Buffer I/O error on dev dm-5, logical block 0");
        }
    }

    #[test]
    fn other_lines_are_passed_over_and_numbers_kept() {
        let parsed = parse(
            "[1.0] usb 1-1: new device\n\n[2.0] sd 0:0:0:0: [sda] Attached\n[3.0] XFS (dm-3): log I/O error -5\nadm-1\n",
        );
        assert_eq!(parsed.value.len(), 1);
        assert_eq!(parsed.value[0].line, 4);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>(), rest in "(device-mapper: |[\\[\\]<>:.,]|dm-[0-9]{0,12}|253:4| |device|ioctl on ){0,20}") {
            for line in parse(&text).value.iter().chain(&parse(&rest).value) {
                line.is_failure();
            }
        }

        #[test]
        fn printed_lines_come_back(seconds in 0u32..9_999_999, minor in 0u32..4096) {
            let line = one(&format!("[{seconds:>5}.250000] XFS (dm-{minor}): log I/O error -5"));
            prop_assert_eq!(line.seconds, Some(f64::from(seconds) + 0.25));
            prop_assert_eq!(line.subject, Subject::Minor(minor));
        }
    }
}
