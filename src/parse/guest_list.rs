//! `qm list` and `pct list`: the guests of a node and their state.
//!
//! Columns are found by the header, since their order varies: `qm list`
//! prints `VMID NAME STATUS MEM(MB) BOOTDISK(GB) PID`, `pct list`
//! `VMID Status Lock Name`, hand-made listings put STATUS before NAME. A VM
//! without a name is listed as `VM 100`, so a name may hold a blank.

use super::{Parsed, lines};

/// One guest, as listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListedGuest {
    /// The guest's VMID.
    pub vmid: u64,
    /// Its name; empty when none is listed.
    pub name: String,
    /// `running`, `stopped`, `paused`, …: QEMU's own word for a VM.
    pub status: String,
    /// Its lock, where the listing has that column.
    pub lock: Option<String>,
    /// Its process, where the listing has that column and it runs.
    pub pid: Option<u64>,
}

/// Reads a listing. One without guests prints no line at all (`qm`) or the
/// header alone (`pct`); both give an empty list.
pub fn parse(text: &str) -> Parsed<Vec<ListedGuest>> {
    let mut parsed = Parsed::new(Vec::new());
    let mut header: Option<Vec<String>> = None;
    for (number, line) in lines(text) {
        let cells: Vec<&str> = line.split_whitespace().collect();
        if cells.is_empty() {
            continue;
        }
        if cells.iter().any(|cell| cell.eq_ignore_ascii_case("VMID")) {
            header = Some(cells.iter().map(|cell| cell.to_ascii_uppercase()).collect());
            continue;
        }
        let Some(columns) = &header else {
            parsed.problem(number, "expected a header with VMID, NAME and STATUS");
            continue;
        };
        match guest(columns, &cells) {
            Some(guest) => parsed.value.push(guest),
            None => parsed.problem(
                number,
                format!("expected a guest's line with {}", columns.join(" ")),
            ),
        }
    }
    parsed
}

/// Gives each cell its column: surplus cells belong to the name; missing
/// ones are the optional columns, left blank.
fn guest(columns: &[String], cells: &[&str]) -> Option<ListedGuest> {
    let mut columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    for optional in ["LOCK", "PID", "NAME"] {
        if columns.len() > cells.len() {
            columns.retain(|column| *column != optional);
        }
    }
    let surplus = cells.len().checked_sub(columns.len())?;
    let name_at = columns.iter().position(|column| *column == "NAME");
    let cell = |wanted: &str| -> Option<String> {
        let at = columns.iter().position(|column| *column == wanted)?;
        let (from, to) = match name_at {
            Some(name) if at == name => (at, at + surplus),
            Some(name) if at > name => (at + surplus, at + surplus),
            _ => (at, at),
        };
        Some(cells.get(from..=to)?.join(" "))
    };
    Some(ListedGuest {
        vmid: cell("VMID")?.parse().ok()?,
        status: cell("STATUS")?.to_ascii_lowercase(),
        name: cell("NAME").unwrap_or_default(),
        lock: cell("LOCK").filter(|lock| lock != "-"),
        pid: cell("PID")
            .and_then(|pid| pid.parse().ok())
            .filter(|pid| *pid > 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<(u64, String, String)> {
        let parsed = parse(text);
        assert!(parsed.problems.is_empty(), "{parsed:?}");
        parsed
            .value
            .into_iter()
            .map(|guest| (guest.vmid, guest.name, guest.status))
            .collect()
    }

    fn row(vmid: u64, name: &str, status: &str) -> (u64, String, String) {
        (vmid, name.to_owned(), status.to_owned())
    }

    #[test]
    fn a_long_name_pushes_the_rest_to_the_right() {
        let text = "      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID       \n       103 ubuntu-guest-with-lvm-inside stopped    512                0.06 0         \n       100 VM 100               running    2048               0.06 394       \n";
        assert_eq!(
            read(text),
            [
                row(103, "ubuntu-guest-with-lvm-inside", "stopped"),
                row(100, "VM 100", "running"),
            ]
        );
        assert_eq!(parse(text).value[1].pid, Some(394));
        assert_eq!(parse(text).value[0].pid, None);
    }

    #[test]
    fn the_header_decides_the_order() {
        let text = "VMID STATUS NAME MEM(MB) BOOTDISK(GB) PID\n119 running web 2048 32.00 99\n120 stopped db 2048 32.00\n";
        assert_eq!(
            read(text),
            [row(119, "web", "running"), row(120, "db", "stopped")]
        );
    }

    #[test]
    fn a_containers_lock_may_be_blank() {
        let text = "VMID       Status     Lock         Name                \n200        running                 ct-dns              \n201        stopped    backup       ct-web              \n";
        assert_eq!(
            read(text),
            [row(200, "ct-dns", "running"), row(201, "ct-web", "stopped")]
        );
        assert_eq!(parse(text).value[1].lock.as_deref(), Some("backup"));
        assert_eq!(parse(text).value[0].lock, None);
    }

    #[test]
    fn a_node_without_guests_is_no_problem() {
        assert!(read("").is_empty());
        assert!(read("VMID       Status     Lock         Name\n").is_empty());
    }

    #[test]
    fn other_text_is_a_problem() {
        let parsed = parse("ipcc_send_rec[1] failed: Connection refused\n");
        assert_eq!((parsed.value.len(), parsed.problems.len()), (0, 1));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(VMID|NAME|STATUS|LOCK|PID|\\PC| |\\n|[0-9]){0,60}") {
            parse(&text);
        }

        #[test]
        fn every_listed_guest_is_read_back(
            guests in prop::collection::vec((1u64..1_000_000_000, "[a-zA-Z0-9.-]{1,40}", "running|stopped|paused", 0u64..99999), 0..20)
        ) {
            let mut text = format!("{:>10} {:<20} {:<10} {:<10} {:>12} {:<10}\n", "VMID", "NAME", "STATUS", "MEM(MB)", "BOOTDISK(GB)", "PID");
            for (vmid, name, status, pid) in &guests {
                text += &format!("{vmid:>10} {name:<20} {status:<10} {:<10} {:>12.2} {pid:<10}\n", 512, 32.0);
            }
            let expected: Vec<_> = guests.iter().map(|(vmid, name, status, _)| row(*vmid, name, status)).collect();
            prop_assert_eq!(read(&text), expected);
        }
    }
}
