//! kernel-dm-errors.

use crate::recording::Recording;

const CHECK: &str = "kernel-dm-errors";

#[test]
fn failures_are_grouped_by_kind_and_entry() {
    let checked = Recording::of("pve2")
        .add(
            "kernel-dm",
            "[  100.000001] device-mapper: ioctl: unable to remove open device ssd--ha01-vm--169--disk--0\n\
             [  101.000001] device-mapper: ioctl: unable to remove open device ssd--ha01-vm--169--disk--0\n\
             [  102.000001] device-mapper: ioctl: unable to remove open device ssd--ha01-vm--172--disk--0\n\
             [  103.000001] device-mapper: thin: 254:2: reached low water mark for data device: sending event.\n\
             [  104.000001] device-mapper: thin: 254:2: switching pool to out-of-data-space (queue IO) mode\n\
             [  105.000001] device-mapper: table: 254:77: linear: Device lookup failed (-ENODEV)\n\
             [  106.000001] device-mapper: multipath: 254:78: Failing path 8:16.\n",
        )
        .checked();
    let mut lines = checked.lines(CHECK);
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "info pve-data-tpool",
            "warning 254:77",
            "warning 254:78",
            "warning pve-data-tpool",
            "warning ssd--ha01-vm--169--disk--0",
            "warning ssd--ha01-vm--172--disk--0",
        ]
    );
    let twice = checked
        .findings
        .iter()
        .find(|f| f.check == CHECK && f.vmid == Some(169))
        .unwrap();
    assert!(twice.message.contains("2 times"), "{}", twice.message);
    assert_eq!(
        twice.evidence[0],
        "kernel-dm line 4: [100.000] device-mapper: ioctl: unable to remove open device ssd--ha01-vm--169--disk--0"
    );
    let pool = checked
        .findings
        .iter()
        .find(|f| f.check == CHECK && f.message.contains("ran out of space"))
        .unwrap();
    // Numbers are given out anew.
    assert!(
        pool.message.contains("told by its number"),
        "{}",
        pool.message
    );
}

/// A log may name any number; the entries' own failures are told all the same.
#[test]
fn failures_of_many_devices_that_are_no_entries_are_counted() {
    let gone = |number: usize| {
        format!(
            "[1.5] device-mapper: table: 253:{number}: linear: Device lookup failed (-ENODEV)\n"
        )
    };
    let log = |count: usize| {
        let own =
            "[9.5] device-mapper: ioctl: unable to remove open device ssd--ha01-vm--169--disk--0\n";
        let log: String = (0..count).map(gone).chain([own.to_owned()]).collect();
        let checked = Recording::of("pve2").write("kernel-dm", &log).checked();
        let own = "warning ssd--ha01-vm--169--disk--0";
        assert!(checked.lines(CHECK).contains(&own.to_owned()));
        let further = checked
            .findings
            .iter()
            .find(|f| f.subject == "further devices");
        let further = further.map(|f| (f.message.clone(), f.evidence.len()));
        (checked.lines(CHECK).len(), further)
    };
    assert_eq!(log(200), (201, None));
    let (lines, further) = log(9_000);
    assert_eq!(lines, 202);
    let (message, evidence) = further.unwrap();
    assert!(message.contains("has 8800 more failures"), "{message}");
    assert_eq!(evidence, 4);
}

#[test]
fn what_is_counted_is_no_worse_than_what_it_counts() {
    let line = |number: usize| {
        format!(
            "[1.5] device-mapper: thin: 253:{number}: reached low water mark for data device: sending event.\n"
        )
    };
    let log: String = (0..201).map(line).collect();
    let lines = Recording::of("pve2").write("kernel-dm", &log).found(CHECK);
    assert_eq!(lines.len(), 201);
    assert!(
        lines.iter().all(|line| line.starts_with("info ")),
        "{lines:?}"
    );
}

#[test]
fn a_log_without_failures_says_nothing_and_a_missing_one_is_missed() {
    assert!(Recording::of("pve2").found(CHECK).is_empty());
    let missing = Recording::of("pve2").remove("kernel-dm").checked();
    assert!(missing.lacking.contains(&CHECK));
}
