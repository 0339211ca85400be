//! What a stranger's bundle can't do: hurt the terminal, the browser's page,
//! the script's shell, the machine's memory, or carry a secret on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const CONFIG: &str = "files/etc/pve/nodes/n/qemu-server/100.conf";

/// A bundle's folder with these files and a few that every one needs.
fn bundle(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let base = [
        (
            "commands/uname.out",
            "Linux n 6.8.12-1-pve #1 SMP x86_64 GNU/Linux\n",
        ),
        (
            "commands/qm-list.out",
            "      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID\n       100 web                  stopped    2048              0.00 0\n",
        ),
        (CONFIG, "name: web\nscsi0: local-lvm:vm-100-disk-0\n"),
        (
            "files/etc/pve/storage.cfg",
            "lvmthin: local-lvm\n\tthinpool data\n\tvgname pve\n",
        ),
    ];
    for (name, text) in base.iter().chain(files) {
        let path = folder.path().join("dmaudit-n-20261123T183645Z").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn info(name: &str, uuid: &str, minor: usize, open: usize) -> String {
    format!(
        "Name:              {name}\nState:             ACTIVE\nTables present:    LIVE\nOpen count:        {open}\nMajor, minor:      254, {minor}\nNumber of targets: 1\n{}\n",
        match uuid {
            "" => String::new(),
            uuid => format!("UUID: {uuid}\n"),
        }
    )
}

fn uuid(number: usize) -> String {
    format!("LVM-{}{number:032}", "V".repeat(32))
}

/// Runs the analyzer with 512 MiB of address space: reserved, not used, for
/// the most part.
fn analyze(folder: &Path, out: &Path, format: &str) -> Output {
    Command::new("sh")
        .args(["-c", "ulimit -v 524288; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["analyze", "--threads", "1", "--format", format, "-o"])
        .arg(out)
        .arg(folder)
        .output()
        .unwrap()
}

/// The parts of the mail with the whole report in its JSON, decoded.
fn mail(folder: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["mail", "--from", "a@example.com", "--to", "b@example.com"])
        .args(["--eml", "-", "--attach", "json"])
        .arg(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let mail = mail_parser::MessageParser::default()
        .parse(&output.stdout)
        .unwrap();
    let mut all = String::from_utf8_lossy(&output.stderr).into_owned();
    all += &format!("{:?}\n", mail.headers());
    for part in &mail.parts {
        all += &String::from_utf8_lossy(part.contents());
        all.push('\n');
    }
    all
}

/// All that the program says of a bundle in any form, a mail with its parts
/// decoded, and every file written, one after the other.
fn everything(folder: &Path) -> String {
    let out = tempfile::tempdir().unwrap();
    let mut all = String::new();
    for format in ["text", "json", "ndjson", "prometheus", "nagios"] {
        let output = analyze(folder, out.path(), format);
        assert!(format == "nagios" || output.status.success(), "{output:?}");
        all += std::str::from_utf8(&output.stdout).unwrap();
        all += std::str::from_utf8(&output.stderr).unwrap();
    }
    for entry in walkdir::WalkDir::new(out.path()) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            all += &fs::read_to_string(entry.path()).unwrap();
        }
    }
    all + &mail(folder)
}

#[test]
fn secrets_that_slipped_into_a_bundle_are_in_no_output() {
    let folder = bundle(&[
        (
            CONFIG,
            "#note SECRET-note\nname: web\ncipassword: SECRET-ci\nsshkeys: ssh-rsa%20SECRET-ssh\nargs: -object secret,id=s,data=SECRET-args -drive file=/dev/pve/vm-100-disk-1\ndescription: SECRET-description\nscsi0: local-lvm:vm-100-disk-0\nnonsense SECRET-line\n[snap]\n#SECRET-snapshot\ncipassword: SECRET-old\nscsi0: local-lvm:vm-100-disk-0\n",
        ),
        (
            "files/etc/pve/storage.cfg",
            "lvmthin: local-lvm\n\tthinpool data\n\tvgname pve\n\ncifs: share\n\tserver s\n\tshare x\n\tusername u\n\tpassword SECRET-cifs\n\tkeyring SECRET-keyring\nSECRET-stray\n",
        ),
        (
            "files/etc/pve/user.cfg",
            "token:root@pam!x:0:1:SECRET-token:\n",
        ),
        ("files/etc/pve/priv/shadow.cfg", "root:SECRET-shadow\n"),
        (
            "files/etc/pve/priv/storage/share.pw",
            "password=SECRET-pw\n",
        ),
        ("files/etc/corosync/authkey", "SECRET-authkey"),
        (
            "commands/dmsetup-info.out",
            &(info("pve-vm--100--disk--0", &uuid(1), 0, 1)
                + &info("pve-vm--100--disk--1", &uuid(2), 1, 0)
                + &info("pve-vm--200--disk--0", &uuid(3), 2, 0)),
        ),
        ("commands/qm-cloudinit.out", "password: SECRET-cloudinit\n"),
        ("files/etc/pve/priv/token.cfg", "root@pam!x SECRET-token\n"),
        ("files/etc/pve/priv/tfa.cfg", "{\"users\":\"SECRET-tfa\"}"),
        (
            "files/etc/pve/domains.cfg",
            "ldap: corp\n\tpassword SECRET-bind\n",
        ),
        (
            "files/etc/pve/priv/ceph/r.keyring",
            "[client.admin]\n\tkey = SECRET-ceph\n",
        ),
        (
            "files/etc/ceph/ceph.client.admin.keyring",
            "key = SECRET-ceph\n",
        ),
        (
            "files/etc/pve/priv/storage/pbs.enc",
            "{\"data\":\"SECRET-pbs\"}",
        ),
        (
            "files/etc/pve/datacenter.cfg",
            "http_proxy: http://me:SECRET-proxy@192.0.2.9:8080/\nSECRET-odd\n",
        ),
        (
            "files/etc/iscsi/iscsid.conf",
            "node.session.auth.password = SECRET-chap\n",
        ),
        ("files/etc/pve/nodes/n/pve-ssl.key", "SECRET-key\n"),
        ("files/proc/cmdline", "root=x rd.luks.key=SECRET-cmdline\n"),
        (
            "commands/kernel-dm.out",
            "[    0.000000] Kernel command line: BOOT_IMAGE=x rd.luks.key=SECRET-cmdline\n[    1.0] device-mapper: ioctl: 4.48.0-ioctl\n",
        ),
        (
            "commands/dmsetup-table.out",
            "pve-vm--100--disk--0: 0 8388608 linear 8:3 2048\npve-vm--100--disk--1: 0 8388608 linear 8:3 8390656\npve-vm--200--disk--0: 0 8388608 crypt aes-xts-plain64 SECRET-dmkey 0 8:3 4096\n",
        ),
    ]);
    let all = everything(folder.path());
    assert!(all.contains("pve-vm--200--disk--0"), "nothing was analyzed");
    let found: Vec<&str> = all.lines().filter(|line| line.contains("SECRET")).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_terminal_gets_no_command_from_a_bundle() {
    let bad = "\u{1b}[2J\u{7}\u{202e}\u{9b}31m";
    let folder = bundle(&[
        (
            CONFIG,
            &format!(
                "name: web{bad}\nlock: {bad}\nscsi0: local-lvm:vm-100-disk-0{bad}\nodd{bad}\n[s{bad}]\nscsi0: x{bad}:y\n"
            ),
        ),
        (
            "commands/dmsetup-info.out",
            &(info(&format!("pve-vm--100--disk--0-{bad}"), "", 0, 0)
                + &info(&format!("pve-vm--300--disk--0{bad}"), &uuid(3), 1, 1)
                + &info("pve-vm--100--disk--0", &uuid(1), 2, 0)),
        ),
        (
            "commands/dmsetup-table.out",
            &format!("pve-vm--100--disk--0-{bad}: 0 8 linear 8:0 {bad}\n{bad}\n"),
        ),
        ("commands/lsof.err", bad),
        ("commands/lsof.rc", "7"),
        ("commands/pveversion.out", &format!("pve-manager/{bad}/x\n")),
        (
            "files/etc/pve/corosync.conf",
            &format!(
                "totem {{\n cluster_name: c{bad}\n}}\nnodelist {{\n node {{\n  name: n{bad}\n }}\n}}\n"
            ),
        ),
    ]);
    let out = tempfile::tempdir().unwrap();
    for format in ["text", "json"] {
        let output = analyze(folder.path(), out.path(), format);
        for bytes in [&output.stdout, &output.stderr] {
            let shown = std::str::from_utf8(bytes).unwrap();
            if format == "json" && !shown.starts_with("dmaudit") {
                serde_json::from_str::<serde_json::Value>(shown).unwrap();
            }
            let control = shown
                .chars()
                .find(|c| (c.is_control() && *c != '\n') || (format == "text" && *c == '\u{202e}'));
            assert_eq!(control, None, "{format}: {shown}");
        }
    }
}

/// Bundles that describe no node there is. What is larger than any node's is
/// left out with a note, and nothing of it is guarded against by luck: the
/// address space of the analyzer is limited.
/// Values that are longer than any of their kind leave room for the verdict.
#[test]
fn no_value_pushes_the_verdict_off_the_page() {
    let long = "q".repeat(100_000);
    let name = "pve-vm--100--disk--0";
    let folder = bundle(&[
        ("commands/dmsetup-info.out", &info(name, &uuid(1), 1, 1)),
        (
            "commands/pveversion.out",
            &format!("pve-manager: 8.{long} (running kernel: 6.{long})\nlvm2: 2.03.16-{long}\n"),
        ),
        (
            "commands/multipath.out",
            &format!(
                "{long} (36) dm-3 V,P\nsize=1 features=0 hwhandler=0 wp=rw\n`-+- policy=x prio=0 status=enabled\n  `- 0:0:0:0 sdb{long} 8:16 failed {long} running\n"
            ),
        ),
        (
            "commands/lvmconfig.out",
            &format!("global_filter=[\"r|{long}|\"]\n"),
        ),
        (
            "files/etc/pve/storage.cfg",
            &format!(
                "lvmthin: local-lvm\n\tthinpool data\n\tvgname pve\n\nlvm: {long}\n\tvgname a\n\nlvm: b\n\tvgname {long}\n\tnodes {long}\n\n{long}: c\n\nlvmthin: d\n\tvgname pve\n\tthinpool {long}\n\tnodes {}\n",
                (0..1000)
                    .map(|node| format!("n{node}"))
                    .collect::<Vec<_>>()
                    .join(",")
            ),
        ),
        (
            "commands/lsof.out",
            &format!(
                "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\n{long} 394 root 3r BLK 254,1 0t0 1 /dev/dm-1\n"
            ),
        ),
    ]);
    let all = everything(folder.path());
    assert!(all.contains("8.qqqq") && all.contains("2.03.16-qqqq"));
    assert!(all.contains("global_filter is not read"));
    let longest = all.split(|c| c != 'q').map(str::len).max().unwrap();
    assert!(longest <= 500, "{longest}");
}

#[test]
fn forged_sizes_cost_neither_memory_nor_silence() {
    let tower = |count: usize| {
        let name = |i: usize| match i {
            0 => "pve-vm--999--disk--0".to_owned(),
            i => format!("x{i}"),
        };
        let infos: String = (0..count).map(|i| info(&name(i), "", i, 1)).collect();
        let tables: String = (0..count)
            .map(|i| match i {
                0 => format!("{}: 0 8 linear 8:0 0\n", name(0)),
                i => format!("{}: 0 8 linear 254:{} 0\n", name(i), i - 1),
            })
            .collect();
        (infos, tables)
    };
    let (infos, tables) = tower(5_000);
    let folder = bundle(&[
        ("commands/dmsetup-info.out", &infos),
        ("commands/dmsetup-table.out", &tables),
    ]);
    let out = tempfile::tempdir().unwrap();
    let output = analyze(folder.path(), out.path(), "text");
    assert_eq!(output.status.code(), Some(0), "{output:?}");

    let many = tower(30_000).0;
    let snapshots = "[s]\nscsi0: local-lvm:vm-100-disk-0\n".repeat(40_000);
    let cells = format!(
        "{{\"report\":[{{\"lv\":[{}{{}}]}}]}}",
        "{},".repeat(1_000_000)
    );
    let deep = format!("{{\"report\":[{{\"vg\":{}", "[".repeat(1_000_000));
    let line = format!("Name: {}\n", "a".repeat(20 << 20));
    let paths = format!("args: {}\nscsi0: local-lvm:x\n", "/dev/".repeat(100_000));
    for (name, text, said) in [
        ("commands/dmsetup-info.out", many.as_str(), "dmsetup-info"),
        ("commands/dmsetup-info.out", line.as_str(), "dmsetup-info"),
        (CONFIG, snapshots.as_str(), "100.conf"),
        (CONFIG, paths.as_str(), ""),
        ("commands/lvs-json.out", cells.as_str(), "lvs-json"),
        ("commands/vgs-json.out", deep.as_str(), "vgs-json"),
    ] {
        let folder = bundle(&[(name, text)]);
        let output = analyze(folder.path(), out.path(), "text");
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(shown.contains(said), "{name}: {shown}");
    }
}

#[test]
fn outputs_that_cant_be_written_are_named() {
    let folder = bundle(&[]);
    let run = |out: Option<&str>, stdout: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dmaudit"));
        command.arg("analyze").arg(folder.path()).stdout(stdout);
        if let Some(out) = out {
            command.args(["-o", out]);
        }
        command.stderr(Stdio::piped()).output().unwrap()
    };
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = run(None, full.into());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("standard output could not be written"),
        "{said}"
    );

    let output = run(Some("/proc/no"), Stdio::null());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("/proc/no"), "{said}");

    // A reader that has gone is no failure.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = run(None, writer.into());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn limits_are_options_and_a_refusal_names_its_own() {
    let folder = bundle(&[]);
    let run = |option: &str, value: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
            .args(["analyze", option, value])
            .arg(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said)
    };
    for (option, low, high) in [("--max-total", "100", "1M"), ("--max-entries", "2", "100")] {
        let (code, said) = run(option, low);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains(option), "{said}");
        assert_eq!(run(option, high).0, Some(0), "{option}");
    }
    let (code, said) = run("--max-file", "1T");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("64M"), "{said}");
}

#[test]
fn very_many_findings_are_counted_in_the_text_and_whole_in_the_json() {
    let infos: String = (0..300)
        .map(|i| info(&format!("pve-vm--{}--disk--0", 1000 + i), &uuid(i), i, 0))
        .collect();
    let folder = bundle(&[("commands/dmsetup-info.out", &infos)]);
    let out = tempfile::tempdir().unwrap();
    let output = analyze(folder.path(), out.path(), "json");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let all = report["nodes"][0]["findings"].as_array().unwrap().len();
    assert!(all >= 300, "{all}");
    let output = analyze(folder.path(), out.path(), "text");
    let shown = String::from_utf8(output.stdout).unwrap();
    let more = format!("{} further issues are not shown here", all - 100);
    assert!(shown.contains(&more), "{shown}");
    assert_eq!(shown.matches("            do      ").count(), 100);
}

#[test]
fn a_signal_ends_it_with_a_line_and_no_files() {
    for (signal, status, line) in [
        ("-INT", 130, "analyze - -o OUT"),
        ("-TERM", 143, "analyze - -o OUT"),
        ("-TERM", 143, "facts - -o OUT/a.dmfacts"),
        ("-HUP", 129, "facts - -o OUT/a.dmfacts"),
        ("-TERM", 143, "redact - -o OUT --mapping OUT-mapping"),
        ("-TERM", 143, "diff - samples --html OUT/diff.html"),
        (
            "-TERM",
            143,
            "mail - --from a@b.example --to a@b.example --eml OUT/a.eml",
        ),
        ("-TERM", 143, "restore-names --mapping OUT-mapping"),
    ] {
        let out = tempfile::tempdir().unwrap();
        let folder = out.path().to_str().unwrap();
        let mapping = format!("{folder}-mapping");
        let key = "0".repeat(64);
        let names = format!(r#"{{"format": 1, "key": "{key}", "names": {{}}}}"#);
        fs::write(&mapping, names).unwrap();
        let line = line.replace("OUT", folder);
        // Under nohup the tests' programs would ignore SIGHUP as well.
        let mut child = Command::new("env")
            .args(["--default-signal", env!("CARGO_BIN_EXE_dmaudit")])
            .args(line.split(' '))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let pid = child.id().to_string();
        // It waits for its input once the handler's thread is there.
        let tasks = format!("/proc/{pid}/task");
        let named = || {
            let names = fs::read_dir(&tasks).unwrap();
            let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm"));
            names
                .flatten()
                .filter_map(|task| name(task).ok())
                .any(|name| name == "signals\n")
        };
        while !named() {
            std::thread::yield_now();
        }
        assert!(
            Command::new("sh")
                .args(["-c", "kill \"$@\"", "sh"])
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        let stdin = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(stdin);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{line}: {said}");
        assert!(said.contains("interrupted"), "{line}: {said}");
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0, "{line}");
        fs::remove_file(mapping).unwrap();
    }
}

/// What a file passed through, or the language its command spoke.
#[test]
fn marks_of_other_systems_change_no_verdict_and_other_languages_give_none() {
    let infos: String = [
        info("pve-vm--100--disk--0", &uuid(1), 0, 1),
        info("pve-vm--100--disk--1", &uuid(2), 1, 0),
        info("pve-vm--200--disk--0", &uuid(3), 2, 0),
    ]
    .concat();
    let entries = |infos: &str, config: &str| {
        let folder = bundle(&[("commands/dmsetup-info.out", infos), (CONFIG, config)]);
        let out = tempfile::tempdir().unwrap();
        let output = analyze(folder.path(), out.path(), "json");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let entries = report["nodes"][0]["entries"].as_array().unwrap().clone();
        let verdicts: Vec<String> = entries
            .iter()
            .map(|entry| format!("{} {}", entry["name"], entry["verdict"]))
            .collect();
        (verdicts, out.path().join("cleanup").exists())
    };
    let config = "name: web\nscsi0: local-lvm:vm-100-disk-0\n";
    let (expected, planned) = entries(&infos, config);
    assert_eq!(expected.len(), 3);
    assert!(planned);
    let changed = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(entries(&changed(&infos), &changed(config)).0, expected);

    let german = infos
        .replace("Name:", "Name :")
        .replace("State:", "Status:")
        .replace("Open count:", "Öffnungszähler:")
        .replace("Major, minor:", "Haupt-, Nebennummer:");
    let torn = infos.replace("Open count:", "Open\0count:");
    for odd in [&german, &torn] {
        let (verdicts, planned) = entries(odd, config);
        assert!(!planned, "{verdicts:?}");
    }
}

/// What is rejected has a name, too.
#[test]
fn a_files_name_gives_the_terminal_no_command() {
    let folder = tempfile::tempdir().unwrap();
    let name = "a\u{1b}]0;x\u{7}\u{1b}[31m\r\u{202e}b.zip";
    fs::write(folder.path().join(name), "no zip").unwrap();
    let out = folder.path().join("out");
    let path = folder.path().to_str().unwrap();
    let out = out.to_str().unwrap();
    let like_an_option = &name.replacen('a', "--a", 1);
    for arguments in [
        &["analyze", path][..],
        // As `dmaudit analyze *` gives it.
        &["analyze", like_an_option],
        &["verify", like_an_option],
        &["verify", path],
        &["facts", path],
        &["diff", path, path],
        &[
            "mail", path, "--from", "a@b.c", "--to", "a@b.c", "--eml", out,
        ],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(said.contains("<U+202E>"), "{arguments:?}: {said}");
        let odd = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!said.contains(odd), "{arguments:?}: {said:?}");
    }
}

#[test]
fn facts_on_a_terminal_give_it_no_command() {
    let folder = bundle(&[(CONFIG, "name: w\u{202e}\u{9b}31m\nscsi0: a:vm-100-disk-0\n")]);
    let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .arg("facts")
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("w\\u202e\\u009b31m"), "{said}");
    assert!(!said.contains(['\u{202e}', '\u{9b}']), "{said}");
}

#[test]
fn an_error_that_can_not_be_told_loses_no_report() {
    let folder = bundle(&[(
        "commands/dmsetup-info.out",
        &info("pve-vm--100--disk--0", &uuid(1), 0, 0),
    )]);
    fs::write(folder.path().join("broken.zip"), "no zip").unwrap();
    let out = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["analyze", folder.path().to_str().unwrap(), "-o"])
        .arg(out.path())
        .stdout(std::process::Stdio::null())
        .stderr(
            fs::OpenOptions::new()
                .write(true)
                .open("/dev/full")
                .unwrap(),
        )
        .status()
        .unwrap();
    assert_eq!(output.code(), Some(3));
    assert!(out.path().join("index.html").exists());
}

/// Keys of other kernels' targets and of odd spellings.
#[test]
fn no_key_of_a_table_is_told_however_it_is_written() {
    let names = [
        "crypt",
        "Crypt",
        " crypt",
        "inlinecrypt",
        "default-key",
        "integrity",
    ];
    let infos: String = (0..names.len())
        .map(|i| info(&format!("pve-vm--{}--disk--0", 200 + i), "", i, 0))
        .collect();
    let tables: String = names
        .iter()
        .enumerate()
        .map(|(i, kind)| {
            let key = match *kind {
                "integrity" => "8:0 0 32 J 1 internal_hash:hmac(sha256):SEKRET".to_owned(),
                _ => "aes-xts-plain64 SEKRET 0 8:0 0".to_owned(),
            };
            format!("pve-vm--{}--disk--0: 0 8 {kind} {key}\n", 200 + i)
        })
        .collect();
    let folder = bundle(&[
        ("commands/dmsetup-info.out", &infos),
        ("commands/dmsetup-table.out", &tables),
        (CONFIG, "name: web\n"),
    ]);
    assert!(!everything(folder.path()).contains("SEKRET"));
    let out = tempfile::tempdir().unwrap();
    let output = analyze(folder.path(), out.path(), "json");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for entry in report["nodes"][0]["entries"].as_array().unwrap() {
        assert_eq!(entry["action_reason"], "key-in-table", "{entry}");
    }
}
