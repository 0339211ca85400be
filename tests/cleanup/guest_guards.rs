//! Each guard about the guest and the cluster, alone, makes the script skip.

use dmaudit::cleanup::plan::Item;

use crate::node::Node;
use crate::world::{known_to_lvm, second_mapping, stale};
use crate::{goes, left_alone};

/// An orphan of a guest that lives on: its volume left the configuration.
fn unreferenced() -> Item {
    Item {
        guest_gone: false,
        ..known_to_lvm()
    }
}

const GOES: &str = "lvchange -an pve/vm-119-disk-0";
const CONFIG: &str = "root/etc/pve/nodes/pve2/qemu-server/119.conf";

#[test]
fn the_cluster_file_system_is_down() {
    left_alone(stale(), "etc/pve/nodes/pve1 failed", |node| {
        node.remove("root/etc/pve");
        node.write("root/etc/pve/.keep", "");
    });
}

#[test]
fn no_quorum() {
    left_alone(stale(), "the cluster has no quorum", |node| {
        node.write(
            "root/etc/pve/.members",
            "{\n\"nodename\": \"pve1\",\n\"cluster\": { \"quorate\": 0 }\n}\n",
        );
    });
}

#[test]
fn no_member_list_is_no_doubt() {
    goes(
        stale(),
        "dmsetup remove ssd--ha01-vm--170--disk--0",
        |node| node.remove("root/etc/pve/.members"),
    );
}

#[test]
fn a_guest_that_runs() {
    for status in ["running", "paused", "prelaunch", "suspended", "io-error"] {
        left_alone(
            second_mapping(),
            &format!("its status is '{status}'"),
            |node| {
                node.edit("world/qm", "stopped   ", &format!("{status}   "));
            },
        );
    }
}

#[test]
fn a_name_does_not_pass_for_a_status() {
    // PVE lists a virtual machine without a name as 'VM 101'.
    for name in ["stopped", "VM 101", "stopped stopped"] {
        left_alone(second_mapping(), "its status is 'running'", |node| {
            node.edit(
                "world/qm",
                "mail01               stopped",
                &format!("{name} running"),
            );
        });
    }
}

#[test]
fn a_row_with_a_column_missing() {
    left_alone(second_mapping(), "its status is 'unreadable'", |node| {
        node.edit("world/qm", "mail01               stopped", "stopped");
    });
}

#[test]
fn columns_in_another_order() {
    let header = "VMID STATUS NAME MEM(MB)\n";
    left_alone(second_mapping(), "its status is 'running'", |node| {
        node.write("world/qm", &format!("{header}101 running stopped 512\n"));
    });
    goes(
        second_mapping(),
        "dmsetup remove pve-vm--101--disk--0-old",
        |node| {
            node.write("world/qm", &format!("{header}101 stopped running 512\n"));
        },
    );
}

#[test]
fn a_listing_that_is_none() {
    for text in ["guests: many\n", "VMID STATUS\nError: timeout\n"] {
        left_alone(
            second_mapping(),
            "the answer of qm list could not be understood",
            |node| {
                node.write("world/qm", text);
            },
        );
    }
}

#[test]
fn a_container_that_runs() {
    left_alone(second_mapping(), "its status is 'running'", |node| {
        node.write(
            "world/pct",
            "VMID       Status     Lock         Name\n101        running                 ct\n",
        );
    });
}

#[test]
fn a_container_that_the_listing_shows_locked() {
    left_alone(second_mapping(), "guest 101 is locked (backup)", |node| {
        node.write(
            "world/pct",
            "VMID       Status     Lock         Name\n101        stopped    backup       ct\n",
        );
    });
}

#[test]
fn no_guests_at_all_is_no_doubt() {
    goes(
        stale(),
        "dmsetup remove ssd--ha01-vm--170--disk--0",
        |node| {
            node.write("world/qm", "");
            node.write("world/pct", "");
        },
    );
}

#[test]
fn a_listing_that_fails_or_hangs() {
    for command in ["qm", "pct"] {
        left_alone(
            stale(),
            &format!("{command} list failed (exit status 5)"),
            |node| {
                node.behave(
                    &format!("fail-{command}"),
                    "ipcc_send_rec failed: Connection refused\n",
                );
            },
        );
        left_alone(stale(), &format!("{command} list gave no answer"), |node| {
            node.patience = 1;
            node.behave(&format!("hang-{command}"), "");
        });
    }
}

#[test]
fn a_process_of_the_guest() {
    left_alone(
        unreferenced(),
        "guest 119 is running (process 4711)",
        |node| {
            node.write("root/run/qemu-server/119.pid", "4711\n");
            node.write("root/proc/4711/mountinfo", "");
        },
    );
}

#[test]
fn a_pid_file_without_its_process_is_no_doubt() {
    goes(unreferenced(), GOES, |node| {
        node.write("root/run/qemu-server/119.pid", "4711\n")
    });
}

#[test]
fn a_pid_file_that_is_none() {
    left_alone(unreferenced(), "so guest 119 may be running", |node| {
        node.write("root/run/qemu-server/119.pid", "");
    });
}

#[test]
fn a_lock_on_any_node_of_the_cluster() {
    for (folder, lock) in [
        ("pve1/qemu-server", "migrate"),
        ("pve2/qemu-server", "backup"),
        ("pve2/lxc", "mounted"),
    ] {
        left_alone(
            unreferenced(),
            &format!("guest 119 is locked ({lock})"),
            |node| {
                node.write(
                    &format!("root/etc/pve/nodes/{folder}/119.conf"),
                    &format!("memory: 512\nlock: {lock}\n\n[before]\nmemory: 256\n"),
                );
            },
        );
    }
}

#[test]
fn a_lock_of_another_guest_or_in_a_snapshot_is_no_doubt() {
    goes(unreferenced(), GOES, |node| {
        node.write(
            "root/etc/pve/nodes/pve2/qemu-server/1119.conf",
            "lock: migrate\n",
        );
        node.write(
            CONFIG,
            "#lock: backup\nmemory: 512\n\n[before]\nlock: snapshot\n",
        );
    });
}

#[test]
fn any_mention_in_any_section_of_any_configuration() {
    let volume = "local-lvm:vm-119-disk-0";
    let texts = [
        format!("scsi0: {volume},size=64M\n"),
        format!("unused0: {volume}\n"),
        format!("virtio0: cache=none,file={volume}\n"),
        format!("memory: 1\n\n[PENDING]\nscsi1: {volume}\n"),
        format!("memory: 1\n\n[before]\nvmstate: {volume}\n"),
        format!("memory: 1\n\n[special:fleecing]\nfleecing-images: x,{volume}\n"),
        "scsi0: base:base-9-disk-0/vm-119-disk-0\n".to_owned(),
        "scsi0: /dev/pve/vm-119-disk-0\r\n".to_owned(),
        "args: -drive file=/dev/mapper/pve-vm--119--disk--0,if=virtio\n".to_owned(),
        "scsi0: /dev/disk/by-id/dm-name-pve-vm--119--disk--0\n".to_owned(),
        format!(
            "scsi0: /dev/disk/by-id/dm-uuid-{}\n",
            known_to_lvm().uuid.unwrap()
        ),
        "scsi0: /dev/dm-12\n".to_owned(),
        format!("scsi0: {volume}"), // no line end
    ];
    let configs = ["pve2/qemu-server/300.conf", "pve1/lxc/301.conf"];
    for (text, config) in texts.iter().zip(configs.iter().cycle()) {
        left_alone(unreferenced(), &format!("{config} references it"), |node| {
            node.write(&format!("root/etc/pve/nodes/{config}"), text);
        });
    }
}

#[test]
fn a_path_that_leads_to_the_device() {
    let conf = "root/etc/pve/nodes/pve2/qemu-server/300.conf";
    for (line, path) in [
        (
            "scsi0: /dev/disk/by-id/wwn-0x5000,size=1G",
            "disk/by-id/wwn-0x5000",
        ),
        ("args: -drive file=/dev/mapper/alias:x", "mapper/alias"),
        ("args: -d 'file=/dev/my/name=x'", "my/name=x"),
        ("scsi1: /dev/my/carriage\r", "my/carriage"),
        (
            r#"args: -drive "file=json:{\"filename\":\"/dev/my/json\"}""#,
            "my/json",
        ),
    ] {
        left_alone(stale(), "a configuration references it as", |node| {
            node.write(conf, &format!("memory: 1\n{line}\n"));
            let path = node.path("root/dev").join(path);
            node.write("world/paths", &format!("fe:4 {}\n", path.display()));
        });
    }
    // Another device's, and one that leads nowhere.
    goes(
        stale(),
        "dmsetup remove ssd--ha01-vm--170--disk--0",
        |node| {
            node.write(
                conf,
                "scsi0: /dev/disk/by-id/other\nscsi1: /dev/disk/by-id/none\n#/dev/comment\n",
            );
            let path = node.path("root/dev/disk/by-id/other");
            node.write("world/paths", &format!("fe:40 {}\n", path.display()));
        },
    );
}

#[test]
fn words_that_only_contain_the_name_and_comments_are_no_mention() {
    goes(unreferenced(), GOES, |node: &mut Node| {
        node.write(
            CONFIG,
            "# was on local-lvm:vm-119-disk-0\n#vm-119-disk-0\nscsi0: local-lvm:vm-119-disk-01\nscsi1: local-lvm:xvm-119-disk-0\n",
        );
    });
}

#[test]
fn the_kept_volume_of_a_duplicate_may_stay_configured() {
    // Guest 101's configuration names vm-101-disk-0, and that is right.
    goes(
        second_mapping(),
        "dmsetup remove pve-vm--101--disk--0-old",
        |_| {},
    );
}

#[test]
fn a_volume_that_lvm_knows_is_looked_for_by_lvms_name_whatever_the_plan_says() {
    // A forged bundle can make a healthy volume the double of another one.
    let item = Item {
        words: vec!["pve-vm--119--disk--0".into()],
        ..unreferenced()
    };
    left_alone(item, "references it (vm-119-disk-0)", |node| {
        node.write(CONFIG, "scsi0: local-lvm:vm-119-disk-0\n");
    });
}

#[test]
fn a_snapshot_needs_the_lvm_snapshot_of_its_name() {
    let snapshot = |suffix: &str| {
        let mut item = stale();
        let lv = format!("snap_vm-170-disk-0_be_fore{suffix}");
        item.vg_lv = Some(("ssd-ha01".into(), lv.clone()));
        item.words = vec![lv];
        item.guest_gone = false;
        item
    };
    for suffix in ["", ".qcow2"] {
        // Of whichever guest has the disk in it.
        left_alone(
            snapshot(suffix),
            "the snapshot be_fore of vm-170-disk-0",
            |node| {
                node.write(
                    "root/etc/pve/nodes/pve2/qemu-server/171.conf",
                    &format!("memory: 1\n\n[be_fore]\nscsi1: a:vm-170-disk-0{suffix}\n"),
                );
            },
        );
        left_alone(snapshot(suffix), "the snapshot be_fore in", |node| {
            node.write(
                "root/etc/pve/nodes/pve2/qemu-server/170.conf",
                "memory: 1\n\n[be_fore]\nmemory: 1\n",
            );
        });
        goes(
            snapshot(suffix),
            "dmsetup remove ssd--ha01-vm--170--disk--0",
            |node| {
                node.write(
                    "root/etc/pve/nodes/pve2/qemu-server/170.conf",
                    "memory: 1\n\n[before]\nmemory: 1\n",
                );
                node.write(
                    "root/etc/pve/nodes/pve2/qemu-server/171.conf",
                    "memory: 1\n\n[be_fore]\nmemory: 1\n",
                );
            },
        );
    }
}

#[test]
fn a_vmid_that_was_given_out_again() {
    for folder in ["pve1/qemu-server", "pve2/qemu-server", "pve2/lxc"] {
        left_alone(
            known_to_lvm(),
            "guest 119 has a configuration now",
            |node| {
                node.write(&format!("root/etc/pve/nodes/{folder}/119.conf"), "");
            },
        );
    }
}

#[test]
fn a_configuration_that_cannot_be_read() {
    left_alone(
        stale(),
        "reading the configurations of the guests failed",
        |node| {
            std::os::unix::fs::symlink(
                "nowhere",
                node.path("root/etc/pve/nodes/pve2/qemu-server/105.conf"),
            )
            .unwrap();
        },
    );
}

#[test]
fn a_configuration_that_hangs() {
    left_alone(
        stale(),
        "reading the configurations of the guests gave no answer",
        |node| {
            node.patience = 1;
            let path = node.path("root/etc/pve/nodes/pve2/qemu-server/105.conf");
            assert!(
                std::process::Command::new("mkfifo")
                    .arg(path)
                    .status()
                    .unwrap()
                    .success()
            );
        },
    );
}

#[test]
fn no_configuration_though_guests_are_listed() {
    left_alone(stale(), "holds no configuration of any", |node| {
        node.remove("root/etc/pve/nodes");
        node.write("root/etc/pve/nodes/pve1/lxc/.keep", "");
    });
}

/// The volume was given to another guest, on another node, while the entry kept
/// the name of the one that is gone.
fn renamed() -> Item {
    Item {
        vg_lv: Some(("pve".into(), "vm-101-disk-3".into())),
        ..unreferenced()
    }
}

fn rename(node: &mut Node) {
    node.edit("world/lvs", "|pve|vm-119-disk-0", "|pve|vm-101-disk-3");
}

#[test]
fn the_guest_that_the_volume_belongs_to_by_now() {
    goes(renamed(), "lvchange -an pve/vm-101-disk-3", rename);
    left_alone(renamed(), "guest 101 is not stopped on this node", |node| {
        rename(node);
        node.edit("world/qm", "stopped   ", "running   ");
    });
    left_alone(renamed(), "guest 101 is running (process 4712)", |node| {
        rename(node);
        node.write("root/run/qemu-server/101.pid", "4712\n");
        node.write("root/proc/4712/comm", "kvm\n");
    });
    // Whether that guest was gone is what counts.
    let gone = Item {
        vg_lv: Some(("pve".into(), "vm-998-disk-3".into())),
        ..known_to_lvm()
    };
    let rename_to = |node: &mut Node| {
        node.edit("world/lvs", "|pve|vm-119-disk-0", "|pve|vm-998-disk-3");
    };
    goes(gone.clone(), "lvchange -an pve/vm-998-disk-3", |node| {
        rename_to(node);
        node.write(CONFIG, "memory: 1\n");
    });
    left_alone(gone, "guest 998 has a configuration now", |node| {
        rename_to(node);
        node.write("root/etc/pve/nodes/pve2/lxc/998.conf", "memory: 1\n");
    });
    left_alone(renamed(), "guest 101 is locked (create)", |node| {
        rename(node);
        node.edit(
            "root/etc/pve/nodes/pve1/qemu-server/101.conf",
            "scsi0:",
            "lock: create\nscsi0:",
        );
    });
}

#[test]
fn a_path_outside_of_dev_that_leads_to_it() {
    for value in [
        "scsi1: /srv/disks/data,size=4M",
        "virtio3: file=/srv/disks/data",
        "args: -drive id=x,file=/srv/disks/data",
        "scsi1: /srv/disks/data\r",
        "scsi1: /srv/disks/data \t",
        "args: -drive file=/srv/disks/data -drive file=/x.iso,media=cdrom",
        "args: -blockdev driver=host_device,filename=/srv/disks/data\r",
        r#"args: -drive "file=json:{\"filename\":\"/srv/disks/data\"}""#,
    ] {
        left_alone(
            unreferenced(),
            "a configuration references it as /srv/disks/data",
            |node| {
                node.write(
                    "root/etc/pve/nodes/pve1/qemu-server/119.conf",
                    &format!("{value}\n"),
                );
                node.write("world/paths", "fe:c /srv/disks/data\n");
            },
        );
    }
    left_alone(
        unreferenced(),
        "a configuration references it as /srv/my disk",
        |node| {
            node.write(
                "root/etc/pve/nodes/pve1/qemu-server/119.conf",
                "scsi1: /srv/my disk,size=4M\n",
            );
            node.write("world/paths", "fe:c /srv/my disk\n");
        },
    );
    // Folders of containers, and images of discs, may lie on a server that is
    // gone: none of them is a drive.
    goes(unreferenced(), GOES, |node| {
        node.behave("hang-stat", "");
        node.write(
            "root/etc/pve/nodes/pve1/qemu-server/119.conf",
            "ide2: /mnt/nfs/x.iso,media=cdrom\n",
        );
        node.write(
            "root/etc/pve/nodes/pve1/lxc/200.conf",
            "rootfs: local-lvm:vm-200-disk-0,size=1G\nmp0: /mnt/nfs/share,mp=/data\n",
        );
    });
    // It leads to another device.
    goes(unreferenced(), GOES, |node| {
        node.write(
            "root/etc/pve/nodes/pve1/qemu-server/119.conf",
            "scsi1: /srv/disks/data,size=4M\n",
        );
        node.write("world/paths", "fe:d /srv/disks/data\n");
    });
}

#[test]
fn a_volume_of_linstors_is_named_without_its_number() {
    let item = || Item {
        vg_lv: Some(("drbdpool".into(), "vm-119-disk-0_00000".into())),
        ..unreferenced()
    };
    let rename = |node: &mut Node| {
        node.edit(
            "world/lvs",
            "|pve|vm-119-disk-0",
            "|drbdpool|vm-119-disk-0_00000",
        );
    };
    goes(item(), "lvchange -an drbdpool/vm-119-disk-0_00000", rename);
    left_alone(item(), "references it (vm-119-disk-0)", |node| {
        rename(node);
        node.write(CONFIG, "scsi1: linstor:vm-119-disk-0\n");
    });
}

/// What a search did not find is not there only if the search worked.
#[test]
fn a_search_that_fails() {
    use std::os::unix::fs::PermissionsExt;
    let fails_on = |node: &Node, pattern: &str| {
        let path = node.path("bin/grep");
        let grep = std::fs::read_link(&path).unwrap();
        node.remove("bin/grep");
        let grep = grep.display();
        let text = format!(
            "#!/bin/sh\ncase \"$*\" in\n*'{pattern}'*) exit 2 ;;\nesac\nexec {grep} \"$@\"\n"
        );
        node.write("bin/grep", &text);
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    };
    goes(known_to_lvm(), GOES, |node| {
        fails_on(node, "no such pattern")
    });
    for pattern in ["quorate", "119", "No such process"] {
        left_alone(known_to_lvm(), "grep failed", |node| {
            fails_on(node, pattern)
        });
    }
    left_alone(stale(), "grep failed", |node| fails_on(node, "integrity"));
}
