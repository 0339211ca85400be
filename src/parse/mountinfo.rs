//! Mounted file systems: `/proc/self/mountinfo`, described in proc(5).

use super::{DevNo, Parsed, lines};

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The device's number. File systems without a device of their own, and
    /// btrfs, have major 0: then `source` tells the device.
    pub devno: DevNo,
    /// Where it is mounted.
    pub mount_point: String,
    /// `ext4`, `xfs`, …
    pub fs_type: String,
    /// The device's path, or a word of the file system's own.
    pub source: String,
}

/// Reads `/proc/self/mountinfo`:
/// `28 1 254:18 / /mnt/ct200 rw,relatime - ext4 /dev/mapper/x rw` with any
/// number of optional fields before the lone dash.
pub fn parse(text: &str) -> Parsed<Vec<Mount>> {
    let mut parsed = Parsed::new(Vec::new());
    for (number, line) in lines(text) {
        if line.trim().is_empty() {
            continue;
        }
        match mount(line) {
            Some(mount) => parsed.value.push(mount),
            None => parsed.problem(
                number,
                "expected a mountinfo line: ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS - TYPE SOURCE OPTIONS",
            ),
        }
    }
    parsed
}

fn mount(line: &str) -> Option<Mount> {
    // One space exactly: the source of a mount without one is empty.
    let mut fields = line.trim_start().split(' ');
    let devno = fields.nth(2)?.parse().ok()?;
    let mount_point = unescape_octal(fields.nth(1)?);
    let _options = fields.next()?;
    fields.find(|field| *field == "-")?;
    Some(Mount {
        devno,
        mount_point,
        fs_type: unescape_octal(fields.next()?),
        source: unescape_octal(fields.next()?),
    })
}

/// Undoes the kernel's escapes in paths: a blank is printed as `\040`.
/// Bytes that are no UTF-8 become `U+FFFD`.
pub fn unescape_octal(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        match (first, tail) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "\
1 1 0:2 / / rw - rootfs rootfs rw,size=1194752k,nr_inodes=298688,inode64
25 24 0:22 / /dev/pts rw,relatime - devpts pts rw,mode=600,ptmxmode=000
28 1 254:18 / /mnt/ct200 rw,relatime - ext4 /dev/mapper/pve-vm--200--disk--0 rw,stripe=64
";

    #[test]
    fn a_container_volume_is_mounted() {
        let parsed = parse(TEXT);
        assert_eq!(parsed.problems, []);
        assert_eq!(parsed.value.len(), 3);
        assert_eq!(
            parsed.value[2],
            Mount {
                devno: "254:18".parse().unwrap(),
                mount_point: "/mnt/ct200".to_owned(),
                fs_type: "ext4".to_owned(),
                source: "/dev/mapper/pve-vm--200--disk--0".to_owned(),
            }
        );
    }

    #[test]
    fn optional_fields_escapes_and_an_empty_source() {
        let parsed = parse(
            "31 1 253:1 /a\\040b /mnt/my\\040disk\\134x rw shared:1 master:2 unbindable - ext4 /dev/dm-1 rw\r\n\
             \n\
             40 1 0:50 / /x rw -  tmp\n\
             41 1 0:51 / /- rw - tmpfs  rw\n",
        );
        assert_eq!(parsed.value[0].mount_point, "/mnt/my disk\\x");
        assert_eq!(parsed.value[0].source, "/dev/dm-1");
        assert_eq!(parsed.value[2].mount_point, "/-");
        assert_eq!(
            (
                parsed.value[2].fs_type.as_str(),
                parsed.value[2].source.as_str()
            ),
            ("tmpfs", "")
        );
        assert_eq!(parsed.problems, []);
    }

    #[test]
    fn other_lines_are_problems() {
        let parsed = parse("/dev/sda1 / ext4 rw 0 0\n28 1 254:18 / /mnt rw ext4 /dev/dm-1 rw\n");
        assert_eq!(parsed.value, []);
        assert_eq!(parsed.problems.len(), 2);
    }

    #[test]
    fn only_the_kernels_escapes_are_undone() {
        assert_eq!(unescape_octal("a\\011b\\303\\244"), "a\tb\u{e4}");
        assert_eq!(unescape_octal("\\04 \\400 \\9 \\"), "\\04 \\400 \\9 \\");
    }

    fn escape(text: &str) -> String {
        text.chars()
            .map(|c| match c {
                ' ' | '\t' | '\n' | '\\' => format!("\\{:03o}", c as u32),
                c => c.to_string(),
            })
            .collect()
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            parse(&text);
        }

        #[test]
        fn printed_mounts_come_back(point in "/[ -~é\\\\]{0,30}", major in 0u32..512, minor in 0u32..99, optional in "( [a-z]{1,6}:[0-9]){0,3}") {
            let text = format!("9 1 {major}:{minor} / {} rw{optional} - ext4 /dev/dm-{minor} rw", escape(&point));
            let parsed = parse(&text);
            prop_assert_eq!(parsed.problems, vec![]);
            prop_assert_eq!(&parsed.value[0].mount_point, &point);
            prop_assert_eq!(parsed.value[0].devno, DevNo { major, minor });
        }
    }
}
