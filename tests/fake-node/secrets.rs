//! What must never enter a bundle.

use crate::node::{Node, find_tool};
use crate::recorded;

/// A configuration with a secret, each holding `hunter2`, wherever one can stand.
pub const SECRETIVE: &str = r##"#**Root password%3A** hunter2-description
#and hunter2-below
agent: 1
args: -object secret,id=s0,data=hunter2-data -vnc :7,password=hunter2-vnc -fw_cfg 'name=x,string=hunter2 hunter2-cfg' -drive file=/dev/kept/one,password-secret=s0 -iscsi password="hunter2-a b",,hunter2-c,user=u -blockdev '{"password":"hunter2-json","file":"/dev/kept/two"}' --token hunter2-word -smbios value=io.systemd.credential:x=hunter2-smbios -drive file=iscsi://u%hunter2-url@192.0.2.1/i/1,key=/dev/kept/three
cipassword: $5$hunter2-ci
env: DB=hunter2-env
name: keystone
scsi0: keystore:vm-999-disk-0,size=4G
scsi1: key=kept,file=local-lvm:vm-999-disk-1
sshkeys: ssh-ed25519%20hunter2-ssh
lxc.environment: TOKEN=hunter2-lxc
lxc.mount.entry: //nas/x mnt cifs user=a,password=hunter2-cifs 0 0
entrypoint: /usr/bin/app --token hunter2-entry -p hunter2-entry /dev/kept/four hunter2-last
lxc.init.cmd: /sbin/app hunter2-init
lxc.hook.start-host = /root/hook hunter2-hook
lxc.execute.cmd: curl -u admin:hunter2-execute http://x/
lxc.apparmor.profile: generated --pw hunter2-option
lxc.mount.entry: //nas/y mnt cifs username=a%hunter2-cifs,uid=0 0 0
lxc.net.0.script.up: /root/up hunter2-up

[before]
#web before
#see http%3A//root%3Ahunter2-link@wiki/
cipassword: hunter2-snapshot
sshkeys: hunter2-snapshot-key

[PENDING]
args: -spice port=1,password=hunter2-pending -object '{"qom-type":"secret","id":"s0","data":"hunter2-object"}' -append 'quiet pw=hunter2-append'
cipassword: hunter2-pending-ci
"##;

/// Where PVE, Ceph, open-iscsi, corosync and the kernel keep theirs.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "etc/pve/user.cfg",
        "user:a@pve:1:0:::hunter2-user::\ntoken:a@pve!t:0:1:hunter2-token:\n",
    ),
    (
        "etc/pve/domains.cfg",
        "ldap: corp\n\tbind_dn cn=x\n\tbind_pw hunter2-bind\n\tpassword hunter2-bind\n",
    ),
    (
        "etc/pve/notifications.cfg",
        "smtp: m\n\tpassword hunter2-smtp\n",
    ),
    (
        "etc/pve/status.cfg",
        "influxdb: i\n\ttoken hunter2-influx\n",
    ),
    ("etc/pve/ceph.conf", "[global]\n\tkey = hunter2-ceph\n"),
    ("etc/pve/authkey.pub", "hunter2-authkey"),
    ("etc/pve/pve-www.key", "hunter2-key"),
    ("etc/pve/priv/shadow.cfg", "a@pve:hunter2-shadow\n"),
    ("etc/pve/priv/token.cfg", "a@pve!t hunter2-token\n"),
    (
        "etc/pve/priv/tfa.cfg",
        "{\"users\":{\"a@pve\":\"hunter2-tfa\"}}",
    ),
    ("etc/pve/priv/notifications.cfg", "hunter2-smtp"),
    ("etc/pve/priv/authkey.key", "hunter2-authkey"),
    ("etc/pve/priv/ldap/corp.pw", "hunter2-bind"),
    ("etc/pve/priv/realm/corp.pw", "hunter2-bind"),
    (
        "etc/pve/priv/ceph/r.keyring",
        "[client.admin]\n\tkey = hunter2-ceph\n",
    ),
    (
        "etc/pve/priv/ceph.client.admin.keyring",
        "key = hunter2-ceph\n",
    ),
    ("etc/pve/priv/storage/store.pw", "hunter2-pbs"),
    (
        "etc/pve/priv/storage/store.enc",
        "{\"data\":\"hunter2-pbs\"}",
    ),
    ("etc/pve/priv/storage/store.master.pem", "hunter2-pbs"),
    ("etc/pve/priv/metricserver/i.pw", "hunter2-influx"),
    ("etc/pve/priv/acme/default", "hunter2-acme"),
    ("etc/pve/qemu-server.pw", "hunter2-pw"),
    ("etc/pve/nodes/pve1/pve-ssl.pem", "hunter2-pem"),
    ("etc/pve/nodes/pve1/config", "acme: hunter2-acme\n"),
    ("etc/pve/nodes/pve1/qemu-server/100.conf.key", "hunter2-key"),
    ("etc/ceph/ceph.client.admin.keyring", "key = hunter2-ceph\n"),
    (
        "etc/iscsi/iscsid.conf",
        "node.session.auth.password = hunter2-chap\n",
    ),
    (
        "etc/iscsi/nodes/iqn/192.0.2.1,3260,1/default",
        "node.session.auth.password = hunter2-chap\n",
    ),
    ("etc/corosync/authkey", "hunter2-corosync"),
    ("etc/shadow", "root:hunter2-shadow\n"),
    ("etc/kernel/cmdline", "root=x ip=hunter2-cmdline\n"),
    (
        "etc/default/grub",
        "GRUB_CMDLINE_LINUX=\"x=hunter2-cmdline\"\n",
    ),
    ("proc/cmdline", "BOOT_IMAGE=x rd.luks.key=hunter2-cmdline\n"),
    ("root/.ssh/id_ed25519", "hunter2-ssh"),
];

/// What commands may print that holds one, and what of it a bundle has.
const PRINTED: &[(&str, &str, &str)] = &[
    (
        "dmsetup-table.out",
        "a: 0 8 inlinecrypt aes-xts-plain64 hunter2a 0 8:1 0",
        "a: 0 8 inlinecrypt aes-xts-plain64 00000000 0 8:1 0",
    ),
    (
        "dmsetup-table.out",
        "b: 0 8 crypt aes-xts-plain64 :32:logon:kept 0 8:1 0",
        "b: 0 8 crypt aes-xts-plain64 :32:logon:kept 0 8:1 0",
    ),
    (
        "dmsetup-table.out",
        "c: 0 8 integrity 8:1 0 32 J 2 internal_hash:hmac(sha256):hunter2 journal_mac:crc32c",
        "c: 0 8 integrity 8:1 0 32 J 2 internal_hash:hmac(sha256):0000000 journal_mac:crc32c",
    ),
    (
        "mountinfo.out",
        "99 1 0:77 / /mnt/f rw - fuse curlftpfs#ftp://me:hunter2@host/ rw,password=hunter2,uid=0",
        "99 1 0:77 / /mnt/f rw - fuse curlftpfs#ftp://***@host/ rw,password=***,uid=0",
    ),
    (
        "kernel-dm.out",
        "[    0.000000] Kernel command line: rd.luks.key=hunter2 x=device-mapper",
        "[    0.000000] Kernel command line: ***",
    ),
    (
        "kernel-dm.out",
        "[    0.000000] Command line: BOOT_IMAGE=x luks=hunter2 x=device-mapper",
        "[    0.000000] Command line: ***",
    ),
    (
        "mountinfo.out",
        "98 1 0:78 / /mnt/g rw - cifs //n/g rw,accesskey=hunter2,user=a%hunter2,uid=0",
        "98 1 0:78 / /mnt/g rw - cifs //n/g rw,accesskey=***,user=***,uid=0",
    ),
    (
        "pvesm-status.err",
        "{\"password\":\"hunter2\",\"api_key\": \"hunter2 b\",\"kept\":1}",
        "{\"password\":***,\"api_key\": ***,\"kept\":1}",
    ),
    // Evidence that looks like a secret.
    (
        "mountinfo.out",
        "97 1 254:6 /srv/a--secrets /mnt/vm--token rw - ext4 /dev/mapper/pve-ssh--keys rw",
        "97 1 254:6 /srv/a--secrets /mnt/vm--token rw - ext4 /dev/mapper/pve-ssh--keys rw",
    ),
    (
        "pvesm-status.err",
        "got Authorization: Bearer hunter2",
        "got Authorization: ***",
    ),
    (
        "pvesm-status.err",
        "x --password hunter2 --api-token hunter2 key=hunter2 token: hunter2 kept",
        "x --password *** --api-token *** key=*** token: *** kept",
    ),
    (
        "pvesm-status.err",
        "command 'mount -o username=u,password=hunter2,pass=\"hunter2 b\"' failed",
        "command 'mount -o username=u,password=***,pass=***' failed",
    ),
];

/// Has a node's commands print what is [`PRINTED`].
pub fn print(node: &Node) {
    for (file, line, _) in PRINTED {
        match *file {
            "mountinfo.out" => append(node, "root/proc/1/mountinfo", line),
            _ => append(node, &format!("recorded/{file}"), line),
        }
    }
}

fn append(node: &Node, path: &str, line: &str) {
    let text = std::fs::read_to_string(node.path(path)).unwrap();
    node.write(path, &format!("{text}{line}\n"));
}

#[test]
fn no_secret_enters_a_bundle() {
    let node = Node::from("alpha/pve1");
    print(&node);
    let pve = |path: &str, text: &str| node.write(&format!("root/etc/pve/{path}"), text);
    pve("nodes/pve1/qemu-server/999.conf", SECRETIVE);
    pve("nodes/pve2/lxc/998.conf", SECRETIVE);
    pve(
        "storage.cfg",
        "dir: local\n\tpath /var\n\tapi_token hunter2-storage\n\tusername me\n\ncifs: nas\n\tpassword hunter2-cifs\n\npbs: store\n\tencryption-key hunter2-pbs\n\tmaster-pubkey hunter2-pbs\n\npbs: other\n\tpassword\thunter2 with a blank\n\nrbd: r\n\tkeyring hunter2-ceph\n\nnfs: n\n\toptions vers=4.2,password=hunter2-options,soft\n\ncustom: c\n\tpw hunter2-pw\n\tsan_pw hunter2-pw\n\tauth hunter2-auth\n\tcontroller https://u:hunter2,x@c/\n",
    );
    pve(
        "datacenter.cfg",
        "keyboard: de\nhttp_proxy: http://me:hunter2,'a@hunter2@192.0.2.9:8080/\n",
    );
    let mut corosync = String::from_utf8(recorded("files/etc/pve/corosync.conf")).unwrap();
    corosync.push_str("totem {\n  key: hunter2-totem\n  keyfile: /etc/x\n}\n");
    pve("corosync.conf", &corosync);
    pve("priv/storage/nas.pw", "hunter2-priv");
    pve("priv/100.conf", "hunter2-priv");
    pve("nodes/pve1/priv/100.conf", "hunter2-priv");
    pve("nodes/pve1/pve-ssl.key", "hunter2-key");
    pve("nodes/pve1/qemu-server/100.pw", "hunter2-pw");
    for (path, text) in ELSEWHERE {
        node.write(&format!("root/{path}"), text);
    }
    let machine = String::from_utf8(recorded("commands/machine-id.out")).unwrap();
    let journal = format!(
        "30 1 0:9 / /var/log/journal/{} rw - tmpfs x rw",
        machine.trim()
    );
    append(&node, "root/proc/1/mountinfo", &journal);

    let find = find_tool("find").unwrap();
    let listed = node.path("listed");
    node.script(
        "tools/find",
        &format!(
            "{0} \"$@\" >>{1}; exec {0} \"$@\"",
            find.display(),
            listed.display()
        ),
    );

    let bundle = node.bundle(&[]);
    let listed = std::fs::read_to_string(listed).unwrap();
    assert!(
        listed.contains("etc/pve/nodes/pve1/qemu-server/999.conf") && !listed.contains("priv"),
        "{listed}"
    );
    for (path, content) in &bundle.files {
        let text = String::from_utf8_lossy(content);
        assert!(!text.contains("hunter2"), "{path}:\n{text}");
        assert!(!text.contains(machine.trim()), "{path}:\n{text}");
        assert!(
            !path.contains("priv") && !path.ends_with(".key") && !path.ends_with(".pw"),
            "{path}"
        );
    }

    // What tells disks from orphans stays.
    let masked = bundle.text("files/etc/pve/nodes/pve1/qemu-server/999.conf");
    for kept in [
        "agent: 1\n",
        "cipassword: ***\n",
        "sshkeys: ***\n",
        "name: keystone\n",
        "scsi0: keystore:vm-999-disk-0,size=4G\n",
        "scsi1: key=kept,file=local-lvm:vm-999-disk-1\n",
        "\n[before]\n#web before\n",
        "\n[PENDING]\n",
        "-vnc :7,password=*** ",
        "file=/dev/kept/one,",
        "\"file\":\"/dev/kept/two\"",
        "key=/dev/kept/three\n",
        "-object secret,id=s0,data=*** ",
        ",user=u ",
        "file=iscsi://***@192.0.2.1/i/1",
        "\nentrypoint: /usr/bin/app *** /dev/kept/four ***\n",
        "\nlxc.hook.start-host = /root/hook ***\n",
    ] {
        assert!(masked.contains(kept), "{kept:?} is not in:\n{masked}");
    }
    assert_eq!(masked.lines().count(), SECRETIVE.lines().count());
    assert_eq!(
        bundle.text("files/etc/pve/storage.cfg"),
        "dir: local\n\tpath /var\n\tapi_token ***\n\tusername me\n\ncifs: nas\n\tpassword ***\n\npbs: store\n\tencryption-key ***\n\tmaster-pubkey ***\n\npbs: other\n\tpassword\t***\n\nrbd: r\n\tkeyring ***\n\nnfs: n\n\toptions vers=4.2,password=***,soft\n\ncustom: c\n\tpw ***\n\tsan_pw ***\n\tauth ***\n\tcontroller https://***@c/\n"
    );
    assert_eq!(
        bundle.text("files/etc/pve/datacenter.cfg"),
        "keyboard: de\nhttp_proxy: http://***@192.0.2.9:8080/\n"
    );
    for (file, _, expected) in PRINTED {
        let text = bundle.text(&format!("commands/{file}"));
        assert!(
            text.lines().any(|line| line == *expected),
            "{file}:\n{text}"
        );
    }
    for (path, expected) in [
        ("/etc/pve/nodes/pve1/qemu-server/999.conf", true),
        ("/etc/pve/nodes/pve1/qemu-server/100.conf", false),
    ] {
        assert_eq!(
            bundle.noted("files", "path", path)["masked"],
            expected,
            "{path}"
        );
    }
}
