//! next-vmid-blocked.

use crate::recording::{Recording, volume};

const CHECK: &str = "next-vmid-blocked";
const UUID: &str = "AAAAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGGGG";

#[test]
fn a_fixed_name_blocks_and_the_finding_says_by_what() {
    let checked = Recording::of("pve1").checked();
    let finding = checked.only(CHECK);
    assert_eq!(finding.subject, "VMID 119");
    assert!(
        finding
            .message
            .contains("the volume pve/vm-119-cloudinit: 'already exists'"),
        "{}",
        finding.message
    );
    assert!(
        finding
            .remedy
            .contains("pvesm free local-lvm:vm-119-cloudinit")
    );
    // The numbered disk blocks nothing: it is not named for deletion.
    assert!(
        !finding.remedy.contains("vm-119-disk-0"),
        "{}",
        finding.remedy
    );
}

#[test]
fn a_stale_mapping_blocks() {
    let checked = Recording::of("pve2").checked();
    let finding = checked.only(CHECK);
    assert_eq!(finding.subject, "VMID 170");
    assert!(
        finding.message.contains("Device or resource busy"),
        "{}",
        finding.message
    );
    assert!(
        finding.remedy.contains("cleanup script"),
        "{}",
        finding.remedy
    );
}

#[test]
fn a_numbered_volume_matters_only_for_the_very_next() {
    let with = |name: &str| {
        Recording::of("pve2")
            .edit(
                "lvs-json",
                "\"lv_name\":\"vm-180-disk-0\"",
                &format!("\"lv_name\":\"{name}\""),
            )
            .found(CHECK)
    };
    assert_eq!(with("vm-102-disk-0"), ["warning VMID 170", "info VMID 102"]);
    assert_eq!(with("vm-990-disk-0"), ["warning VMID 170"]);
    // A guest of the cluster has it: not free.
    assert_eq!(with("vm-101-disk-7"), ["warning VMID 170"]);
}

#[test]
fn ids_outside_the_range_are_never_given_out() {
    let limited =
        Recording::of("pve1").write("/etc/pve/datacenter.cfg", "next-id: lower=500,upper=600\n");
    assert!(limited.found(CHECK).is_empty());
    let within = Recording::of("pve1")
        .write("/etc/pve/datacenter.cfg", "next-id: lower=500,upper=600\n")
        .row(
            "lvs-json",
            &volume("vm-500-cloudinit", UUID, "Vwi---tz--", "4194304"),
        );
    let checked = within.checked();
    assert!(checked.only(CHECK).impact.contains("one of the next"));
}

#[test]
fn without_the_other_nodes_nothing_is_known_to_be_free() {
    let checked = Recording::of("pve1")
        .remove("/etc/pve/nodes/pve2")
        .checked();
    assert!(checked.lines(CHECK).is_empty());
    assert!(checked.lacking.contains(&CHECK));
}
