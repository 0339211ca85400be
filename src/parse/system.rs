//! The machine itself: `uname -a`, `/proc/meminfo`, `/proc/loadavg`,
//! `/proc/uptime`, `lscpu` and `df -PT`.

use super::{Parsed, lines};

/// What `uname -a` prints.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uname {
    /// The host name, without a domain unless the node was named with one.
    pub host: Option<String>,
    /// The running kernel's release: `6.8.12-1-pve`.
    pub kernel: Option<String>,
}

/// Reads `uname -a`: `Linux HOST RELEASE …`.
pub fn parse_uname(text: &str) -> Parsed<Uname> {
    let mut parsed = Parsed::new(Uname::default());
    if let Some((number, line)) = first_line(text) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["Linux", host, kernel, ..] => {
                parsed.value.host = Some((*host).to_owned());
                parsed.value.kernel = Some((*kernel).to_owned());
            }
            _ => parsed.problem(number, "expected uname -a: Linux HOST RELEASE …"),
        }
    }
    parsed
}

/// Sizes of the memory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemInfo {
    /// All memory, in KiB.
    pub total_kib: Option<u64>,
    /// What programs could still get without swapping, in KiB; kernels before
    /// 3.14 don't say.
    pub available_kib: Option<u64>,
}

/// Reads `/proc/meminfo`.
pub fn parse_meminfo(text: &str) -> Parsed<MemInfo> {
    let mut parsed = Parsed::new(MemInfo::default());
    for (number, line) in lines(text) {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let slot = match key.trim() {
            "MemTotal" => &mut parsed.value.total_kib,
            "MemAvailable" => &mut parsed.value.available_kib,
            _ => continue,
        };
        *slot = value.split_whitespace().next().and_then(|n| n.parse().ok());
        if slot.is_none() {
            parsed.problem(number, "expected a size in kB");
        }
    }
    parsed
}

/// Load averages: tasks that run or wait for the disk, on average.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadAverage {
    /// Over the last minute.
    pub one: f64,
    /// Over the last five minutes.
    pub five: f64,
    /// Over the last fifteen minutes.
    pub fifteen: f64,
}

/// Reads `/proc/loadavg`: `0.80 0.24 0.08 1/85 571`.
pub fn parse_loadavg(text: &str) -> Parsed<Option<LoadAverage>> {
    let mut parsed = Parsed::new(None);
    if let Some((number, line)) = first_line(text) {
        let mut numbers = line.split_whitespace().map_while(decimal);
        if let (Some(one), Some(five), Some(fifteen)) =
            (numbers.next(), numbers.next(), numbers.next())
        {
            parsed.value = Some(LoadAverage { one, five, fifteen });
        } else {
            parsed.problem(number, "expected three load averages");
        }
    }
    parsed
}

/// Reads `/proc/uptime`: seconds since boot (and idle ones, left out).
pub fn parse_uptime(text: &str) -> Parsed<Option<f64>> {
    let mut parsed = Parsed::new(None);
    if let Some((number, line)) = first_line(text) {
        parsed.value = line.split_whitespace().next().and_then(decimal);
        if parsed.value.is_none() {
            parsed.problem(number, "expected the seconds since boot");
        }
    }
    parsed
}

/// The processors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cpu {
    /// Logical CPUs: threads, not cores.
    pub count: Option<u32>,
    /// The model's name.
    pub model: Option<String>,
}

/// Reads `lscpu`: `key: value` lines, indented in newer releases.
pub fn parse_lscpu(text: &str) -> Parsed<Cpu> {
    let mut parsed = Parsed::new(Cpu::default());
    for (number, line) in lines(text) {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        match key.trim() {
            "CPU(s)" => {
                parsed.value.count = value.trim().parse().ok();
                if parsed.value.count.is_none() {
                    parsed.problem(number, "expected the number of CPUs");
                }
            }
            // Machines with two kinds of cores print a name for each.
            "Model name" if parsed.value.model.is_none() => {
                parsed.value.model = Some(value.trim().to_owned());
            }
            _ => {}
        }
    }
    parsed
}

/// A mounted file system's use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSystemUse {
    /// The device's path or the file system's own word for it.
    pub source: String,
    /// `ext4`, `zfs`, …
    pub fs_type: String,
    /// Size in KiB; none where `df` prints `-`.
    pub total_kib: Option<u64>,
    /// Used KiB.
    pub used_kib: Option<u64>,
    /// Free KiB for ordinary users, so less than the rest of the size.
    pub available_kib: Option<u64>,
    /// Where it is mounted.
    pub mount_point: String,
}

/// Reads `df -PT`: `SOURCE TYPE 1024-BLOCKS USED AVAILABLE CAPACITY MOUNTED`.
/// Source and mount point may hold blanks; the percentage between them can't
/// be mistaken.
pub fn parse_df(text: &str) -> Parsed<Vec<FileSystemUse>> {
    let mut parsed = Parsed::new(Vec::new());
    for (number, line) in lines(text) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.is_empty() || (words.first() == Some(&"Filesystem") && words.contains(&"Mounted"))
        {
            continue;
        }
        match df_row(&words) {
            Some(row) => parsed.value.push(row),
            None => parsed.problem(
                number,
                "expected a df -PT row: FILESYSTEM TYPE 1024-BLOCKS USED AVAILABLE CAPACITY MOUNTPOINT",
            ),
        }
    }
    parsed
}

fn df_row(words: &[&str]) -> Option<FileSystemUse> {
    let is_size = |word: &str| word == "-" || word.parse::<u64>().is_ok();
    let is_share = |word: &str| word == "-" || word.strip_suffix('%').is_some_and(is_size);
    let at = words.windows(5).position(|row| {
        matches!(row, [total, used, free, share, mount]
            if is_size(total) && is_size(used) && is_size(free) && is_share(share) && mount.starts_with('/'))
    })?;
    let (before, after) = words.split_at_checked(at)?;
    let (fs_type, source) = before.split_last()?;
    let [total, used, available, _share, mount @ ..] = after else {
        return None;
    };
    (!source.is_empty()).then(|| FileSystemUse {
        source: source.join(" "),
        fs_type: (*fs_type).to_owned(),
        total_kib: total.parse().ok(),
        used_kib: used.parse().ok(),
        available_kib: available.parse().ok(),
        mount_point: mount.join(" "),
    })
}

fn first_line(text: &str) -> Option<(usize, &str)> {
    lines(text).find(|(_, line)| !line.trim().is_empty())
}

/// A plain decimal number; not `inf`, `nan` or `1e9`.
fn decimal(word: &str) -> Option<f64> {
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    word.bytes().all(plain).then(|| word.parse().ok())?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn uname() {
        let parsed = parse_uname(
            "Linux pve1 6.1.0-56-cloud-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16) x86_64 GNU/Linux\n",
        );
        assert_eq!(parsed.value.host.as_deref(), Some("pve1"));
        assert_eq!(parsed.value.kernel.as_deref(), Some("6.1.0-56-cloud-amd64"));
        assert_eq!(parse_uname("sh: uname: not found").problems.len(), 1);
        assert_eq!(parse_uname(""), Parsed::default());
    }

    #[test]
    fn meminfo() {
        let parsed = parse_meminfo(
            "MemTotal:        2477800 kB\r\nMemFree:         2050788 kB\r\nMemAvailable:    1983244 kB\r\nHugePages_Total:       0\r\n",
        );
        assert_eq!(parsed.problems, []);
        assert_eq!(parsed.value.total_kib, Some(2_477_800));
        assert_eq!(parsed.value.available_kib, Some(1_983_244));
        let bad = parse_meminfo("MemTotal: much\n");
        assert_eq!((bad.value.total_kib, bad.problems.len()), (None, 1));
    }

    #[test]
    fn load_and_uptime() {
        let load = parse_loadavg("0.80 0.24 0.08 1/85 571\n").value.unwrap();
        assert_eq!((load.one, load.five, load.fifteen), (0.80, 0.24, 0.08));
        assert_eq!(parse_uptime("50.22 5.16\n").value, Some(50.22));
        assert_eq!(parse_uptime("inf nan\n").value, None);
        assert_eq!(parse_loadavg("0.80 0.24\n").problems.len(), 1);
        assert_eq!(parse_uptime("\n"), Parsed::default());
    }

    #[test]
    fn lscpu_flat_and_indented() {
        let flat = parse_lscpu(
            "Architecture:                            x86_64\nCPU(s):                                  1\n\
             On-line CPU(s) list:                     0\nModel name:                              QEMU TCG CPU version 2.5+\n\
             BIOS Model name:                         pc-q35-7.2  CPU @ 2.0GHz\nNUMA node0 CPU(s):                       0\n",
        );
        assert_eq!(flat.value.count, Some(1));
        assert_eq!(
            flat.value.model.as_deref(),
            Some("QEMU TCG CPU version 2.5+")
        );
        let indented =
            parse_lscpu("CPU(s):  64\nVendor ID:  GenuineIntel\n  Model name:  Intel(R) Xeon(R)\n");
        assert_eq!(indented.value.count, Some(64));
        assert_eq!(indented.value.model.as_deref(), Some("Intel(R) Xeon(R)"));
    }

    #[test]
    fn df() {
        let parsed = parse_df(
            "Filesystem                       Type     1024-blocks   Used Available Capacity Mounted on\n\
             /dev/mapper/pve-vm--200--disk--0 ext4           25844     14     23537       1% /mnt/ct200\n\
             //nas/my share                   cifs       100 50 50 50% /mnt/my share\n\
             proc proc - - - - /proc\n\
             df: /x: Transport endpoint is not connected\n",
        );
        assert_eq!(
            parsed.value[0],
            FileSystemUse {
                source: "/dev/mapper/pve-vm--200--disk--0".to_owned(),
                fs_type: "ext4".to_owned(),
                total_kib: Some(25844),
                used_kib: Some(14),
                available_kib: Some(23537),
                mount_point: "/mnt/ct200".to_owned(),
            }
        );
        assert_eq!(parsed.value[1].source, "//nas/my share");
        assert_eq!(parsed.value[1].fs_type, "cifs");
        assert_eq!(parsed.value[1].mount_point, "/mnt/my share");
        assert_eq!(parsed.value[2].total_kib, None);
        assert_eq!(parsed.problems.len(), 1);
        assert_eq!(parsed.problems[0].line, 5);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            parse_uname(&text);
            parse_meminfo(&text);
            parse_loadavg(&text);
            parse_uptime(&text);
            parse_lscpu(&text);
            parse_df(&text);
        }

        #[test]
        fn printed_rows_come_back(source in "[a-z/:]{1,20}", mount in "/[a-z0-9]{0,9}( [a-z%]{1,5})?", n in any::<[u64; 3]>()) {
            let [total, used, free] = n;
            let parsed = parse_df(&format!("{source} ext4 {total} {used} {free} 7% {mount}"));
            prop_assert_eq!(&parsed.value[0].source, &source);
            prop_assert_eq!(&parsed.value[0].mount_point, &mount);
            prop_assert_eq!(parsed.value[0].available_kib, Some(free));
        }
    }
}
