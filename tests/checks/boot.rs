//! activated-at-boot and autoactivation-enabled.

use dmaudit::model::finding::Severity;

use crate::recording::Recording;

const BOOT: &str = "activated-at-boot";
const ENABLED: &str = "autoactivation-enabled";

/// pve2 with all guests of the shared VG at home on pve1.
fn idle_pve2() -> Recording {
    let mut recording = Recording::of("pve2");
    for vmid in ["171", "172"] {
        recording = recording
            .remove(&format!("/etc/pve/nodes/pve2/qemu-server/{vmid}.conf"))
            .write(
                &format!("/etc/pve/nodes/pve1/qemu-server/{vmid}.conf"),
                &format!("scsi0: SSD-HA01:vm-{vmid}-disk-0\n"),
            )
            .drop_lines("qm-list", vmid);
    }
    recording
        .write("/etc/pve/nodes/pve2/qemu-server/500.conf", "memory: 512\n")
        .add(
            "qm-list",
            "       500 empty                stopped    512                0.00 0         \n",
        )
}

#[test]
fn a_shared_vg_with_everything_active_for_nobody_is_a_boots_doing() {
    let checked = idle_pve2().checked();
    let finding = checked.only(BOOT);
    assert_eq!(
        (finding.severity, finding.subject.as_str()),
        (Severity::Warning, "ssd-ha01")
    );
    assert!(
        finding
            .remedy
            .contains("vgchange --setautoactivation n ssd-ha01"),
        "{}",
        finding.remedy
    );
    // One fault, one finding.
    assert!(checked.lines(ENABLED).is_empty());
}

#[test]
fn one_volume_that_is_not_active_or_guests_that_run_say_otherwise() {
    let one_down = idle_pve2().edit(
        "lvs-json",
        "\"lv_uuid\":\"K7lKRy-BK3V-XomB-FoSf-9GQj-970j-U9zIAY\", \"lv_attr\":\"-wi-ao----\"",
        "\"lv_uuid\":\"K7lKRy-BK3V-XomB-FoSf-9GQj-970j-U9zIAY\", \"lv_attr\":\"-wi-------\", \"x\":\"\"",
    );
    let one_down = one_down.edit(
        "lvs-json",
        "\"lv_tags\":\"\", \"lv_active\":\"active\", \"lv_device_open\":\"open\", \"lv_kernel_major\":\"254\", \"lv_kernel_minor\":\"5\"",
        "\"lv_tags\":\"\", \"lv_active\":\"\", \"lv_device_open\":\"\", \"lv_kernel_major\":\"-1\", \"lv_kernel_minor\":\"-1\"",
    );
    assert!(one_down.found(BOOT).is_empty());
    assert!(Recording::of("pve2").found(BOOT).is_empty());
}

#[test]
fn it_is_looked_for_on_pve_8_2_2_and_later_8_only() {
    for (version, fires) in [
        ("8.2.1", false),
        ("8.2.2", true),
        ("8.4.14", true),
        ("9.0.3", false),
        ("7.4-17", false),
    ] {
        let recording = idle_pve2().edit(
            "pveversion",
            "pve-manager: 8.2.4",
            &format!("pve-manager: {version}"),
        );
        assert_eq!(!recording.found(BOOT).is_empty(), fires, "{version}");
    }
    let unknown = idle_pve2().remove("pveversion").checked();
    assert!(unknown.lines(BOOT).is_empty() && unknown.lacking.contains(&BOOT));
}

#[test]
fn a_vg_with_the_nodes_own_volumes_is_never_switched_off_as_a_whole() {
    let checked = Recording::of("pve1").checked();
    let finding = checked.only(BOOT);
    assert_eq!(
        (finding.severity, finding.subject.as_str()),
        (Severity::Info, "pve")
    );
    assert!(!finding.remedy.contains("vgchange"), "{}", finding.remedy);
    assert!(
        finding
            .remedy
            .contains("lvchange --setautoactivation n pve/vm-101-disk-0")
    );
}

#[test]
fn the_command_fits_the_versions() {
    let remedy = |recording: Recording| recording.checked().only(ENABLED).remedy.clone();
    let pve9 = Recording::of("pve2").edit("pveversion", "pve-manager: 8.2.4", "pve-manager: 9.0.3");
    assert!(
        remedy(pve9).contains("/usr/share/pve-manager/migrations/pve-lvm-disable-autoactivation")
    );
    assert!(remedy(Recording::of("pve2")).contains("vgchange --setautoactivation n ssd-ha01"));
    let old = old_lvm().edit("pveversion", "lvm2: 2.03.16-2", "lvm2: 2.03.11-2.1");
    let text = remedy(old);
    assert!(
        text.contains("auto_activation_volume_list") && !text.contains("vgchange"),
        "{text}"
    );
}

/// LVM before 2.03.12 has no such columns.
fn old_lvm() -> Recording {
    Recording::of("pve2")
        .edit("lvs-json", ", \"lv_autoactivation\":\"enabled\"", "")
        .edit("vgs-json", ", \"vg_autoactivation\":\"enabled\"", "")
}

#[test]
fn switched_off_for_the_volumes_or_the_vg_is_fine() {
    let volumes = Recording::of("pve2").edit(
        "lvs-json",
        "\"lv_autoactivation\":\"enabled\"",
        "\"lv_autoactivation\":\"\"",
    );
    assert!(volumes.found(ENABLED).is_empty());
    let vg = Recording::of("pve2").edit(
        "vgs-json",
        "\"vg_autoactivation\":\"enabled\"",
        "\"vg_autoactivation\":\"\"",
    );
    assert!(vg.found(ENABLED).is_empty());
    let local = Recording::of("pve2").edit("/etc/pve/storage.cfg", "shared 1", "shared 0");
    assert!(local.found(ENABLED).is_empty());
}

#[test]
fn a_newer_lvm_that_was_not_asked_leaves_it_open() {
    let checked = old_lvm().checked();
    assert!(checked.lines(ENABLED).is_empty());
    assert!(checked.lacking.contains(&ENABLED));
}
