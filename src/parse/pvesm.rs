//! Storages and their use: `pvesm status`.

use super::{Parsed, lines};

/// A storage as this node sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageStatus {
    /// The storage's id: `local-lvm`.
    pub name: String,
    /// `dir`, `lvm`, `lvmthin`, `nfs`, …
    pub kind: String,
    /// `active`, `inactive` or `disabled`.
    pub status: String,
    /// Size in KiB; 0 where the storage is not active, none where not printed.
    pub total_kib: Option<u64>,
    /// Used KiB; as for the size.
    pub used_kib: Option<u64>,
    /// Free KiB; as for the size.
    pub available_kib: Option<u64>,
}

/// Reads `pvesm status`: `Name Type Status Total Used Available %`, the sizes
/// in KiB whether the header says so or not. Releases up to 4.x print no
/// header and `1` or `0` for the status.
pub fn parse(text: &str) -> Parsed<Vec<StorageStatus>> {
    let mut parsed = Parsed::new(Vec::new());
    for (number, line) in lines(text) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [] | ["Name", "Type", "Status", ..] = words.as_slice() {
            continue;
        }
        match row(&words) {
            Some(storage) => parsed.value.push(storage),
            None => parsed.problem(
                number,
                "expected a storage: NAME TYPE STATUS TOTAL USED AVAILABLE %",
            ),
        }
    }
    parsed
}

fn row(words: &[&str]) -> Option<StorageStatus> {
    let [name, kind, status, total, used, available, ..] = words else {
        return None;
    };
    let status = match *status {
        "1" => "active",
        "0" => "inactive",
        word @ ("active" | "inactive" | "disabled") => word,
        _ => return None,
    };
    Some(StorageStatus {
        name: (*name).to_owned(),
        kind: (*kind).to_owned(),
        status: status.to_owned(),
        total_kib: total.parse().ok(),
        used_kib: used.parse().ok(),
        available_kib: available.parse().ok(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn header_with_units() {
        let parsed = parse(
            "Name                   Type     Status     Total (KiB)      Used (KiB) Available (KiB)        %\n\
             local                   dir     active        98497780        20101124        73347108   20.41%\n\
             local-lvm           lvmthin     active          409600           41943          367657   10.24%\n",
        );
        assert_eq!(parsed.problems, []);
        assert_eq!(parsed.value.len(), 2);
        assert_eq!(
            parsed.value[1],
            StorageStatus {
                name: "local-lvm".to_owned(),
                kind: "lvmthin".to_owned(),
                status: "active".to_owned(),
                total_kib: Some(409_600),
                used_kib: Some(41_943),
                available_kib: Some(367_657),
            }
        );
    }

    #[test]
    fn older_header_disabled_inactive_and_a_bad_line() {
        let parsed = parse(
            "Name             Type     Status           Total            Used       Available        %\r\n\
             backup            nfs   disabled               0               0               0      N/A\r\n\
             san               lvm   inactive               0               0               0    0.00%\r\n\
             storage 'x' is not online\r\n\
             zfs           zfspool     active             N/A             N/A             N/A    0.00%\r\n",
        );
        let found: Vec<_> = parsed
            .value
            .iter()
            .map(|s| (s.name.as_str(), s.status.as_str(), s.total_kib))
            .collect();
        assert_eq!(
            found,
            [
                ("backup", "disabled", Some(0)),
                ("san", "inactive", Some(0)),
                ("zfs", "active", None)
            ]
        );
        assert_eq!(parsed.problems.len(), 1);
        assert_eq!(parsed.problems[0].line, 4);
    }

    #[test]
    fn no_header_and_numbers_for_status() {
        let parsed = parse(
            "local            dir 1        10325780          586520         9214700 6.49%\n\
             san              lvm 0               0               0               0 100.00%\n",
        );
        let states: Vec<_> = parsed.value.iter().map(|s| s.status.as_str()).collect();
        assert_eq!(states, ["active", "inactive"]);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            parse(&text);
        }

        #[test]
        fn printed_storages_come_back(
            rows in prop::collection::vec(("[a-z][a-z0-9._-]{0,40}[a-z0-9]", "active|inactive|disabled", any::<(u64, u64, u64)>()), 0..10)
        ) {
            let text: String = rows
                .iter()
                .map(|(name, status, (t, u, a))| format!("{name:<16} {:>10} {status:>10} {t:>15} {u:>15} {a:>15} {:>8}\n", "lvm", "0.00%"))
                .collect();
            let parsed = parse(&text);
            prop_assert_eq!(&parsed.problems, &vec![]);
            let found: Vec<_> = parsed
                .value
                .into_iter()
                .map(|s| (s.name, s.status, (s.total_kib.unwrap(), s.used_kib.unwrap(), s.available_kib.unwrap())))
                .collect();
            prop_assert_eq!(found, rows);
        }
    }
}
