//! What LVM says when the script runs decides between removing, deactivating
//! and leaving alone.

use dmaudit::cleanup::plan::Item;

use crate::node::Node;
use crate::world::{
    PVE, SHARED, ask_lvm, dm_uuid, known_to_lvm, lv_uuid, partition, second_mapping, stale,
};
use crate::{goes, left_alone};

const REMOVED: &str = "dmsetup remove ssd--ha01-vm--170--disk--0";

#[test]
fn each_kind_goes_when_nothing_stands_in_the_way() {
    goes(stale(), REMOVED, |_| {});
    goes(known_to_lvm(), "lvchange -an pve/vm-119-disk-0", |_| {});
    goes(
        second_mapping(),
        "dmsetup remove pve-vm--101--disk--0-old",
        |_| {},
    );
    goes(partition(), "dmsetup remove pve-vm--150--disk--0p1", |_| {});
}

#[test]
fn without_a_report_in_the_bundle_lvm_decides() {
    goes(
        ask_lvm(known_to_lvm()),
        "lvchange -an pve/vm-119-disk-0",
        |_| {},
    );
    goes(ask_lvm(stale()), REMOVED, |_| {});
}

#[test]
fn the_volume_came_back() {
    left_alone(
        stale(),
        "LVM has a volume with this UUID now: ssd-ha01/vm-170-disk-0",
        |node| {
            let row = format!("{SHARED}|{}|ssd-ha01|vm-170-disk-0\n", lv_uuid(170));
            node.write("world/lvs", &(node.read("world/lvs") + &row));
        },
    );
}

#[test]
fn the_volume_went() {
    left_alone(
        known_to_lvm(),
        "LVM has no volume with this UUID any more",
        |node| {
            node.edit("world/lvs", "|pve|vm-119-disk-0\n", "x|pve|vm-119-disk-0\n");
        },
    );
}

#[test]
fn the_volume_was_renamed() {
    // Another node renamed it: the entry here still has the old name.
    for item in [known_to_lvm(), ask_lvm(known_to_lvm())] {
        left_alone(
            item,
            "LVM names this volume pve/vm-500-disk-0 now",
            |node| {
                node.edit("world/lvs", "vm-119-disk-0", "vm-500-disk-0");
            },
        );
    }
}

#[test]
fn a_hidden_volume() {
    left_alone(
        ask_lvm(known_to_lvm()),
        "LVM names this volume pve/[vm-119-disk-0] now",
        |node| {
            node.edit("world/lvs", "vm-119-disk-0", "[vm-119-disk-0]");
        },
    );
}

#[test]
fn two_volumes_of_the_name() {
    left_alone(
        known_to_lvm(),
        "more than one volume is named pve/vm-119-disk-0",
        |node| {
            node.write(
                "world/lvs-more",
                "  o-t-h-e-r-v-g|o-t-h-e-r-l-v|pve|vm-119-disk-0|-1|-1|-wi-------\n",
            );
        },
    );
}

#[test]
fn the_volume_is_active_as_another_device() {
    left_alone(
        known_to_lvm(),
        "LVM has pve/vm-119-disk-0 active as 253:77, not as this device",
        |node| {
            node.write("world/lvs", "");
            node.write(
                "world/lvs-more",
                &format!(
                    "  {PVE}|{}|pve|vm-119-disk-0|253|77|-wi-a-----\n",
                    lv_uuid(119)
                ),
            );
        },
    );
}

#[test]
fn lvm_uses_the_device_under_another_uuid() {
    left_alone(second_mapping(), "LVM uses this device as vg/lv", |node| {
        node.write(
            "world/lvs-more",
            "  o-t-h-e-r-v-g|o-t-h-e-r-l-v|vg|lv|254|23|-wi-a-----\n",
        );
    });
}

#[test]
fn a_layer_of_a_volume_that_lvm_knows() {
    let uuid = format!("{}-real", dm_uuid(PVE, 119));
    let item = Item {
        uuid: Some(uuid.clone()),
        ..ask_lvm(known_to_lvm())
    };
    left_alone(item, "it is a layer (-real) of pve/vm-119-disk-0", |node| {
        node.edit("world/dm", &dm_uuid(PVE, 119), &uuid);
    });
}

#[test]
fn a_layer_of_a_volume_that_lvm_does_not_know_goes() {
    let uuid = format!("{}-cow", dm_uuid(SHARED, 170));
    let item = Item {
        uuid: Some(uuid.clone()),
        ..stale()
    };
    goes(item, REMOVED, |node| {
        node.edit("world/dm", &dm_uuid(SHARED, 170), &uuid)
    });
}

#[test]
fn a_uuid_that_only_starts_as_those_of_lvm_do() {
    for uuid in ["LVM-short", &format!("{}x", dm_uuid(SHARED, 170)), "LVM-"] {
        let item = Item {
            uuid: Some(uuid.to_owned()),
            ..stale()
        };
        left_alone(
            item,
            "its UUID starts as those of LVM do, but is not one",
            |node| {
                node.edit("world/dm", &dm_uuid(SHARED, 170), uuid);
            },
        );
    }
}

#[test]
fn lvm_that_gives_no_answer() {
    for (command, item) in [
        ("lvs", known_to_lvm()),
        ("lvs", ask_lvm(stale())),
        ("lvs", second_mapping()),
    ] {
        left_alone(
            item.clone(),
            &format!("{command} failed (exit status 5): Volume group \"x\" not found"),
            |node| {
                node.behave(&format!("fail-{command}"), "Volume group \"x\" not found\n");
            },
        );
    }
    left_alone(stale(), "lvs gave no answer in 1 seconds", |node| {
        node.patience = 1;
        node.behave("hang-lvs", "");
    });
}

#[test]
fn an_answer_of_another_shape() {
    for more in [
        // As lvm.conf may have it printed.
        "  LVM2_VG_UUID='x'|LVM2_LV_UUID='y'\n",
        "  {\"report\": []}\n",
        "  a|b|c|d|e|f|g\n",
        "  qI2XpX-d8NI-WOZX-TC89-2vFj-hskE-9CCRM7|Vol119-aaaa-bbbb-cccc-dddd-eeee-ffffff|pve|x||-1|-wi-------\n",
        "  qI2XpX-d8NI-WOZX-TC89-2vFj-hskE-9CCRM7|Vol119-aaaa-bbbb-cccc-dddd-eeee-ffffff|pve|x|-1|-1\n",
    ] {
        left_alone(
            stale(),
            "the answer of lvs could not be understood",
            |node| {
                node.write("world/lvs-more", more);
            },
        );
    }
}

#[test]
fn lvm_that_lists_nothing_though_the_device_is_its() {
    left_alone(ask_lvm(stale()), "lvs lists no volume at all", |node| {
        node.write("world/lvs", "");
    });
    // What somebody made by hand is no volume of LVM's.
    goes(
        second_mapping(),
        "dmsetup remove pve-vm--101--disk--0-old",
        |node| {
            node.write("world/lvs", "");
        },
    );
}

/// A group that LVM does not see may have the volume all the same.
#[test]
fn lvm_that_does_not_see_the_group() {
    let hidden = |node: &mut Node| {
        let seen = node.read("world/lvs");
        let rest: Vec<&str> = seen.lines().filter(|row| !row.contains(SHARED)).collect();
        assert!(!rest.is_empty() && rest.len() < seen.lines().count());
        node.write("world/lvs", &(rest.join("\n") + "\n"));
    };
    for item in [stale(), ask_lvm(stale())] {
        left_alone(item.clone(), "LVM does not see its volume group", hidden);
        left_alone(item.clone(), "LVM does not see its volume group", |node| {
            hidden(node);
            node.write("world/vgs", &format!("  {PVE}\n"));
        });
        left_alone(item.clone(), "vgs failed (exit status 5): no", |node| {
            hidden(node);
            node.behave("fail-vgs", "no\n");
        });
        // The last of its volumes is gone.
        goes(item, REMOVED, |node| {
            hidden(node);
            node.write("world/vgs", &format!("  {PVE}\n  {SHARED}\n"));
        });
    }
}

#[test]
fn a_thick_snapshot_or_its_origin() {
    for attr in ["swi-a-s---", "Swi-a-s---", "owi-a-s---", "Owi-a-s---"] {
        left_alone(known_to_lvm(), "a snapshot or the origin of one", |node| {
            node.write("world/attr", &format!("pve/vm-119-disk-0 {attr}\n"));
        });
    }
}
