//! Each guard about who uses the device, alone, makes the script skip.

use crate::node::Node;
use crate::world::stale;
use crate::{goes, left_alone};

#[test]
fn mounted() {
    left_alone(stale(), "it is mounted on /mnt/x", |node| {
        node.write(
            "root/proc/1/mountinfo",
            "28 1 254:4 / /mnt/x rw - ext4 /dev/anything rw\n",
        );
    });
}

#[test]
fn mounted_in_a_container_only() {
    left_alone(stale(), "it is mounted on /data", |node| {
        node.write(
            "root/proc/4711/mountinfo",
            "28 1 254:4 / /data rw shared:1 - ext4 /dev/anything rw\n",
        );
    });
}

#[test]
fn mounted_under_a_number_of_the_file_systems_own() {
    // btrfs gives its mounts a number that is not the device's.
    for name in ["mapper/ssd--ha01-vm--170--disk--0", "dm-4"] {
        left_alone(stale(), "it is mounted on /mnt/b", |node| {
            let source = node.path("root/dev").join(name);
            node.write(
                "root/proc/1/mountinfo",
                &format!(
                    "28 1 0:55 / /mnt/b rw shared:1 master:2 - btrfs {} rw\n",
                    source.display()
                ),
            );
        });
    }
}

#[test]
fn another_devices_mount_is_no_doubt() {
    goes(
        stale(),
        "dmsetup remove ssd--ha01-vm--170--disk--0",
        |node| {
            node.write(
                "root/proc/1/mountinfo",
                "28 1 254:41 / /mnt/x rw - ext4 /dev/dm-41 rw\n",
            );
        },
    );
}

#[test]
fn mounts_that_cannot_be_read() {
    left_alone(stale(), "proc/1/mountinfo failed", |node| {
        node.remove("root/proc/1/mountinfo")
    });
}

#[test]
fn mounts_of_one_process_that_cannot_be_read() {
    // A folder is one of the things that can't be read even by root.
    left_alone(
        stale(),
        "the mounts of all processes could not be read",
        |node| {
            std::fs::create_dir_all(node.path("root/proc/4711/mountinfo")).unwrap();
        },
    );
}

#[test]
fn answers_are_not_kept() {
    let node = Node::with(vec![stale()]);
    let mounts = "28 1 0:5 / /mnt rw - tmpfs none rw\n".repeat(1000);
    for process in 1000..1100 {
        node.write(&format!("root/proc/{process}/mountinfo"), &mounts);
    }
    node.behave(
        "before-dmsetup-remove",
        r#"find "$here/root/run" -type f -size +31 >"$world/large"; find "$here/root/run" -type f >"$world/files""#,
    );
    let run = node.run("dash", &["--execute", "--yes"]);
    assert_eq!(run.code, Some(0), "{}", run.text);
    assert_eq!(node.read("world/large"), "");
    let files = node.read("world/files");
    assert!(files.lines().count() < 15, "{files}");
}

#[test]
fn swapped_on() {
    left_alone(stale(), "the node swaps on it", |node| {
        node.write(
            "root/proc/swaps",
            "Filename Type Size Used Priority\n/dev/dm-4 partition 1 0 -2\n",
        );
        node.write("world/stat", "fe:4\n");
    });
}

#[test]
fn a_swap_area_elsewhere_is_no_doubt() {
    goes(
        stale(),
        "dmsetup remove ssd--ha01-vm--170--disk--0",
        |node| {
            node.write(
                "root/proc/swaps",
                "Filename Type Size Used Priority\n/dev/dm-9 partition 1 0 -2\n/swap file 1 0 -3\n",
            );
            node.write("world/stat", "fe:9\n");
        },
    );
}

#[test]
fn a_swap_area_whose_device_is_not_known() {
    left_alone(
        stale(),
        "finding the device of a swap area failed",
        |node| {
            node.write(
                "root/proc/swaps",
                "Filename Type Size Used Priority\n/dev/gone partition 1 0 -2\n",
            );
            node.behave("fail-stat", "stat: cannot stat '/dev/gone'\n");
        },
    );
}

#[test]
fn swap_that_cannot_be_read() {
    left_alone(stale(), "proc/swaps failed", |node| {
        node.remove("root/proc/swaps")
    });
}

#[test]
fn a_process_by_fuser() {
    left_alone(stale(), "a process has it open: 4711", |node| {
        node.write(
            "world/users",
            &format!("{} 4711\n", node.path("root/dev/dm-4").display()),
        );
    });
}

#[test]
fn a_process_by_lsof_where_there_is_no_fuser() {
    left_alone(stale(), "a process has it open: 4711", |node| {
        node.remove("bin/fuser");
        node.play("lsof");
        node.write(
            "world/users",
            &format!("{} 4711\n", node.path("root/dev/dm-4").display()),
        );
    });
}

#[test]
fn fuser_that_fails() {
    left_alone(
        stale(),
        "looking for processes that have it open failed",
        |node| {
            node.behave(
                "fail-fuser",
                "Specified filename /dev/dm-4 does not exist.\n",
            );
        },
    );
}

#[test]
fn fuser_that_could_not_look() {
    left_alone(
        stale(),
        "looking for processes that have it open failed",
        |node| {
            node.behave("before-fuser", "echo 'Cannot open /proc' >&2; exit 1\n");
        },
    );
}

#[test]
fn a_file_of_another_kind_that_fuser_may_not_look_at_is_no_doubt() {
    goes(
        stale(),
        "dmsetup remove ssd--ha01-vm--170--disk--0",
        |node| {
            node.behave(
                "before-fuser",
                "echo 'Cannot stat file /proc/9/fd/3: Permission denied' >&2\n",
            );
        },
    );
}

#[test]
fn neither_fuser_nor_lsof_is_no_doubt() {
    goes(
        stale(),
        "dmsetup remove ssd--ha01-vm--170--disk--0",
        |node| node.remove("bin/fuser"),
    );
}
