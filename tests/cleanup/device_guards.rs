//! Each guard about the device, alone, makes the script skip.

use crate::world::{known_to_lvm, second_mapping, stale};
use crate::{goes, left_alone};

const STALE_ROW: &str = "|254|4|0|L--w\n";

#[test]
fn another_uuid_under_the_name() {
    left_alone(
        stale(),
        "another device has this name now (UUID 'LVM-new')",
        |node| {
            node.edit("world/dm", &stale().uuid.unwrap(), "LVM-new");
        },
    );
}

#[test]
fn the_uuid_under_another_name() {
    left_alone(
        stale(),
        "the device with its UUID has another name now: moved",
        |node| {
            node.edit("world/dm", &stale().name, "moved");
            node.write("world/table/moved", "0 65536 linear 253:32 67584\n");
        },
    );
}

#[test]
fn names_are_compared_as_text() {
    // As numbers, 1e2 and 100 are equal.
    let mut item = stale();
    item.name = "1e2".into();
    left_alone(
        item,
        "the device with its UUID has another name now: 100",
        |node| {
            node.edit("world/dm", &stale().name, "100");
            node.write("world/table/100", "0 65536 linear 253:32 67584\n");
        },
    );
}

#[test]
fn another_table_without_a_uuid() {
    left_alone(
        second_mapping(),
        "its table is not the one of the snapshot",
        |node| {
            node.write(
                "world/table/pve-vm--101--disk--0-old",
                "0 131072 thin 254:2 3\n",
            );
        },
    );
}

#[test]
fn another_table_under_the_same_uuid() {
    left_alone(
        stale(),
        "its table is not the one of the snapshot",
        |node| {
            node.write(
                &format!("world/table/{}", stale().name),
                "0 65536 linear 253:32 2048\n",
            );
        },
    );
}

#[test]
fn a_table_that_was_not_recorded_is_no_doubt_with_a_uuid() {
    let mut item = stale();
    item.table.clear();
    goes(item, "dmsetup remove ssd--ha01-vm--170--disk--0", |_| {});
}

#[test]
fn a_further_line_in_the_table_without_a_uuid() {
    left_alone(
        second_mapping(),
        "its table is not the one of the snapshot",
        |node| {
            node.write(
                "world/table/pve-vm--101--disk--0-old",
                "0 131072 thin 254:2 2\n131072 8 linear 8:0 0\n",
            );
        },
    );
}

#[test]
fn a_uuid_where_there_was_none() {
    left_alone(
        second_mapping(),
        "another device has this name now",
        |node| {
            node.edit(
                "world/dm",
                "pve-vm--101--disk--0-old||",
                "pve-vm--101--disk--0-old|LVM-new|",
            );
        },
    );
}

#[test]
fn a_blank_at_the_end_of_a_table_is_no_difference() {
    goes(
        second_mapping(),
        "dmsetup remove pve-vm--101--disk--0-old",
        |node| {
            node.write(
                "world/table/pve-vm--101--disk--0-old",
                "0 131072 thin 254:2 2 \n",
            );
        },
    );
}

#[test]
fn open() {
    left_alone(stale(), "open count is 1 (something uses it)", |node| {
        node.edit("world/dm", STALE_ROW, "|254|4|1|L--w\n");
    });
}

#[test]
fn an_open_count_that_is_no_number() {
    for count in ["", "-1", "0x0", "none"] {
        left_alone(stale(), "its open count is not known", |node| {
            node.edit("world/dm", STALE_ROW, &format!("|254|4|{count}|L--w\n"));
        });
    }
}

#[test]
fn a_device_number_that_is_no_number() {
    left_alone(stale(), "its device number is not known", |node| {
        node.edit("world/dm", STALE_ROW, "|254||0|L--w\n");
    });
}

#[test]
fn a_holder() {
    left_alone(stale(), "the device dm-30 is on top of it", |node| {
        node.write("root/sys/block/dm-4/holders/dm-30", "");
    });
}

#[test]
fn holders_that_cannot_be_read() {
    left_alone(stale(), "sys/block/dm-4/holders failed", |node| {
        node.remove("root/sys/block/dm-4/holders");
    });
}

#[test]
fn suspended() {
    left_alone(stale(), "it is suspended", |node| {
        node.edit("world/dm", STALE_ROW, "|254|4|0|L-sw\n");
    });
}

#[test]
fn no_live_table() {
    left_alone(stale(), "it has no live table", |node| {
        node.edit("world/dm", STALE_ROW, "|254|4|0|---w\n");
    });
}

#[test]
fn a_new_table_waiting() {
    left_alone(stale(), "a new table is loaded for it", |node| {
        node.edit("world/dm", STALE_ROW, "|254|4|0|LI-w\n");
    });
}

#[test]
fn dmsetup_that_fails() {
    for command in ["dmsetup-info", "dmsetup-table"] {
        left_alone(stale(), "failed (exit status 5): no such ioctl", |node| {
            node.behave(&format!("fail-{command}"), "no such ioctl\n");
        });
    }
}

#[test]
fn a_command_that_hangs() {
    for (command, said) in [
        ("dmsetup-info", "dmsetup info gave no answer in 1 seconds"),
        ("dmsetup-table", "dmsetup table gave no answer in 1 seconds"),
        (
            "fuser",
            "looking for processes that have it open gave no answer in 1 seconds",
        ),
    ] {
        left_alone(stale(), said, |node| {
            node.patience = 1;
            node.behave(&format!("hang-{command}"), "");
        });
    }
}

#[test]
fn a_command_that_cannot_even_be_killed() {
    // What `timeout` looks like when its child is in uninterruptible sleep.
    left_alone(
        stale(),
        "dmsetup info gave no answer in 1 seconds",
        |node| {
            node.patience = 1;
            node.remove("bin/timeout");
            node.play("timeout");
            node.behave("hang-timeout", "");
        },
    );
}

#[test]
fn opened_while_the_other_questions_were_asked() {
    left_alone(stale(), "open count is 1", |node| {
        node.behave("before-lvs", r#"sed 's/|254|4|0|/|254|4|1|/' "$world/dm" >"$world/dm.new"; mv "$world/dm.new" "$world/dm""#);
    });
}

#[test]
fn recreated_while_the_other_questions_were_asked() {
    left_alone(stale(), "another device has this name now", |node| {
        node.behave("before-lvs", r#"sed 's/^\(ssd--ha01-vm--170[^|]*\)|[^|]*/\1|LVM-new/' "$world/dm" >"$world/dm.new"; mv "$world/dm.new" "$world/dm""#);
    });
}

/// What an answer lacks is gone only if it is one.
#[test]
fn a_listing_that_is_none() {
    for listing in [
        "\n",
        "Name             Maj Min Stat Open\n",
        "ssd--ha01-vm--170--disk--0:LVM-x:254:4:0:L--w\n",
        "|LVM-x|254|4|0|L--w\n",
    ] {
        left_alone(
            stale(),
            "the answer of dmsetup info could not be understood",
            |node| {
                node.write("world/dm", listing);
            },
        );
    }
    left_alone(
        stale(),
        "the answer of dmsetup info could not be understood",
        |node| {
            node.behave("before-dmsetup-info", "exit 0");
        },
    );
}

#[test]
fn rebooted() {
    left_alone(
        stale(),
        "the node was rebooted since the snapshot",
        |node| {
            node.write(
                "root/proc/sys/kernel/random/boot_id",
                "99999999-2222-3333-4444-555555555555\n",
            );
        },
    );
}

#[test]
fn a_boot_id_that_cannot_be_read() {
    left_alone(
        stale(),
        "the node was rebooted since the snapshot",
        |node| {
            node.remove("root/proc/sys/kernel/random/boot_id");
        },
    );
}

#[test]
fn a_boot_id_that_was_not_recorded_is_no_doubt() {
    goes(
        stale(),
        "dmsetup remove ssd--ha01-vm--170--disk--0",
        |node| {
            node.about.boot_id = None;
            node.write(
                "root/proc/sys/kernel/random/boot_id",
                "99999999-2222-3333-4444-555555555555\n",
            );
        },
    );
}

#[test]
fn encrypted() {
    for target in [
        "crypt aes-xts-plain64 :64:logon:x 0 8:0 0",
        "integrity 8:0 0 32 J 0",
    ] {
        let mut item = stale();
        item.table = vec![format!("0 65536 {target}")];
        left_alone(item, "it is encrypted", |node| {
            node.write(
                &format!("world/table/{}", stale().name),
                &format!("0 65536 {target}\n"),
            );
        });
    }
}

#[test]
fn a_table_that_is_none() {
    let mut item = stale();
    item.table.clear();
    left_alone(item, "its table cannot be read", |node| {
        node.write(
            &format!("world/table/{}", stale().name),
            "0 65536 linear 253:32 0\nTABLE\n",
        );
    });
}

#[test]
fn what_is_gone_already_counts_as_done() {
    for shell in crate::shells() {
        let node = crate::Node::with(vec![known_to_lvm()]);
        let rows = node.read("world/dm");
        let others: String = rows
            .lines()
            .filter(|row| !row.contains("--119--"))
            .map(|row| format!("{row}\n"))
            .collect();
        node.write("world/dm", &others);
        let run = node.run(shell, &["--execute", "--yes"]);
        run.expect_nothing_done(0, "gone      pve-vm--119--disk--0: already gone");
        assert!(
            run.text.contains("already gone 1, skipped 0"),
            "{}",
            run.text
        );
    }
}

/// Looking for who uses a device takes a while: what is removed is what was
/// looked at.
#[test]
fn another_device_under_the_name_at_the_last_moment() {
    // The second look for processes is the last thing before the removal.
    let swap = |from: &str, to: &str| {
        format!(
            "cat >\"$here/behave/before-fuser\" <<'THEN'\nsed 's/{from}/{to}/' \"$world/dm\" >\"$world/dm.new\"; \
             mv \"$world/dm.new\" \"$world/dm\"\nTHEN\n"
        )
    };
    left_alone(stale(), "another device has this name now", |node| {
        let uuid = stale().uuid.unwrap();
        node.behave("before-fuser", &swap(&uuid, "LVM-new"));
    });
    left_alone(stale(), "open count is 1", |node| {
        node.behave("before-fuser", &swap("|254|4|0|", "|254|4|1|"));
    });
}
