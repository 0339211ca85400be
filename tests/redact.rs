//! `dmaudit redact` and `restore-names` as their users meet them: no name
//! leaves, and the analysis stays the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn dmaudit(args: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let bytes = stdin.to_owned();
    let feeder = std::thread::spawn(move || input.write_all(&bytes).ok());
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

struct Run {
    folder: tempfile::TempDir,
}

impl Run {
    fn begin() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// With a key that is always the same: stand-ins and the checksums of
    /// what they are in are random letters, in which a short name may occur.
    fn of(inputs: &[&Path]) -> Self {
        let run = Self::begin();
        run.map("{}");
        run.again(inputs, "out");
        run
    }

    /// Writes the mapping: `names` is its object of stand-ins.
    fn map(&self, names: &str) {
        let key = "0123456789abcdef".repeat(4);
        let mapping = format!(r#"{{"format": 1, "key": "{key}", "names": {names}}}"#);
        fs::write(self.path("mapping.json"), mapping).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns what was said on standard output.
    fn again(&self, inputs: &[&Path], out: &str) -> String {
        let (out, mapping) = (self.path(out), self.path("mapping.json"));
        let mut args = vec!["redact", "-o", out.to_str().unwrap()];
        args.extend(["--mapping", mapping.to_str().unwrap()]);
        args.extend(inputs.iter().map(|path| path.to_str().unwrap()));
        let output = dmaudit(&args, b"");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// All bytes that a customer would send: the archives as they are, and
    /// their members' names and contents.
    fn sent(&self) -> Vec<(String, Vec<u8>)> {
        let mut all = Vec::new();
        for entry in fs::read_dir(self.path("out")).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap();
            for index in 0..archive.len() {
                let mut member = archive.by_index(index).unwrap();
                let mut content = Vec::new();
                member.read_to_end(&mut content).unwrap();
                all.push((member.name().unwrap().to_string(), content));
            }
            all.push((name, bytes));
        }
        assert!(!all.is_empty());
        all
    }

    /// Restores a folder of the run into another one.
    fn restore(&self, reply: &str, out: &str) -> Output {
        let [mapping, out, reply] = ["mapping.json", out, reply].map(|name| self.path(name));
        let [mapping, out, reply] = [&mapping, &out, &reply].map(|path| path.to_str().unwrap());
        dmaudit(
            &["restore-names", "--mapping", mapping, "-o", out, reply],
            b"",
        )
    }

    fn restored(&self, bytes: &[u8]) -> Vec<u8> {
        let mapping = self.path("mapping.json");
        let output = dmaudit(
            &["restore-names", "--mapping", mapping.to_str().unwrap()],
            bytes,
        );
        assert!(output.status.success());
        output.stdout
    }

    /// Checks that none of the names is in what is sent, whatever its case, nor
    /// as device-mapper writes it, nor without dashes.
    fn assert_sent_without(&self, names: &BTreeSet<String>) {
        let sent: Vec<(String, String)> = self
            .sent()
            .into_iter()
            .map(|(member, bytes)| {
                let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
                (member.to_lowercase(), text.to_ascii_lowercase())
            })
            .collect();
        let mut left = Vec::new();
        for name in names {
            for form in [name.clone(), name.replace('-', "--"), name.replace('-', "")] {
                let form = form.to_lowercase();
                for (member, text) in &sent {
                    if member.contains(&form) || text.contains(&form) {
                        left.push(format!("{form} in {member}"));
                    }
                }
            }
        }
        assert!(left.is_empty(), "{left:#?}");
    }

    fn originals(&self) -> BTreeSet<String> {
        let text = fs::read_to_string(self.path("mapping.json")).unwrap();
        let mapping: Value = serde_json::from_str(&text).unwrap();
        mapping["names"]
            .as_object()
            .unwrap()
            .values()
            .map(|name| name.as_str().unwrap().to_owned())
            // `log` and `IMA` of a kernel message are parts of other words.
            .filter(|name| name.len() > 3)
            .collect()
    }
}

fn analysis(path: &Path) -> Vec<u8> {
    dmaudit(
        &["analyze", path.to_str().unwrap(), "--format", "json"],
        b"",
    )
    .stdout
}

/// Without what differs by nature: where the bundle lies, that it is redacted,
/// and in which order a message names nodes, which is that of their names.
fn comparable(json: &[u8]) -> Value {
    fn ordered(message: &str) -> String {
        let mut words: Vec<&str> = message
            .split_whitespace()
            .map(|word| word.trim_end_matches([';', '.', ',']))
            .collect();
        words.sort_unstable();
        words.join(" ")
    }
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|key, _| key != "bundle" && key != "analyzed_at");
                fields.values_mut().for_each(strip);
                if let Some(Value::String(message)) = fields.get_mut("message") {
                    *message = ordered(message);
                }
            }
            Value::Array(items) => {
                items.retain(|item| {
                    !item
                        .as_str()
                        .is_some_and(|text| text.starts_with("redacted bundle"))
                });
                items.iter_mut().for_each(strip);
                items.sort_by_key(Value::to_string);
            }
            _ => {}
        }
    }
    let mut value = serde_json::from_slice(json).unwrap();
    strip(&mut value);
    value
}

/// Names in the recordings that the samples are made of, found without the
/// redactor: by the keys and columns they stand under.
fn names_of_the_recordings() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = [
        "pve1",
        "pve2",
        "pve7",
        "ssd-ha01",
        "ubuntu-vg",
        "ubuntu-lv",
        "192.0.2.1",
        "bc:24:11",
        "web front end",
        "before",
        "6f3c2f0a",
        "ct200",
    ]
    .map(str::to_owned)
    .into();
    for entry in walkdir::WalkDir::new(project("tests/fake-node")) {
        let entry = entry.unwrap();
        let Ok(text) = fs::read_to_string(entry.path()) else {
            continue;
        };
        let file = entry.file_name().to_str().unwrap();
        for line in text.lines() {
            for key in ["name: ", "hostname: ", "cluster_name: "] {
                names.extend(line.trim().strip_prefix(key).map(str::to_owned));
            }
            for column in ["vg_uuid\":\"", "lv_uuid\":\"", "pv_uuid\":\""] {
                for after in line.split(column).skip(1) {
                    names.insert(after.split('"').next().unwrap().to_owned());
                }
            }
            if matches!(file, "machine-id.out" | "boot-id.out") {
                names.insert(line.trim().to_owned());
            }
        }
    }
    names.retain(|name| name.len() > 3 && name != "data");
    assert!(names.len() > 60, "{names:?}");
    names
}

#[test]
fn no_name_of_the_samples_is_left() {
    let run = Run::of(&[&project("samples")]);
    run.assert_sent_without(&names_of_the_recordings());
    run.assert_sent_without(&run.originals());
    let mode = fs::metadata(run.path("mapping.json"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}

#[test]
fn the_samples_give_the_same_analysis() {
    let run = Run::of(&[&project("samples")]);
    let redacted = analysis(&run.path("out"));
    assert!(String::from_utf8_lossy(&redacted).contains("redacted bundle"));
    let restored = run.restored(&redacted);
    assert_ne!(comparable(&redacted), comparable(&restored));
    assert_eq!(
        comparable(&restored),
        comparable(&analysis(&project("samples")))
    );
}

#[test]
fn redacted_bundles_are_sound() {
    let run = Run::of(&[&project("samples")]);
    let out = run.path("out");
    let output = dmaudit(&["verify", out.to_str().unwrap()], b"");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains("DAMAGED"), "{text}");
}

#[test]
fn stand_ins_are_the_same_in_a_later_run() {
    let run = Run::begin();
    run.again(
        &[&project("samples/dmaudit-pve2-20261123T183645Z.zip")],
        "out",
    );
    run.again(&[&project("samples")], "later");
    for entry in fs::read_dir(run.path("out")).unwrap() {
        let path = entry.unwrap().path();
        let later = run.path("later").join(path.file_name().unwrap());
        assert_eq!(fs::read(&path).unwrap(), fs::read(later).unwrap());
    }
}

/// A recording without manifest, with names in every place that people put
/// them.
fn hand_made(folder: &Path) -> PathBuf {
    let bundle = folder.join("dmaudit-kundenserver-20261123T183645Z");
    let write = |path: &str, text: &str| {
        let path = bundle.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "commands/uname.out",
        "Linux kundenserver.firma.example 6.8.12-4-pve #1 SMP x86_64 GNU/Linux\n",
    );
    write("commands/date.out", "2026-11-23T18:36:45Z\n");
    write(
        "commands/dmsetup-info.out",
        "Name: vg--geheim-vm--100--disk--0\nState: ACTIVE\nTables present: LIVE\nOpen count: 0\n\
         Major, minor: 252, 3\nUUID: LVM-aaaabbbbccccddddeeeeffffgggghhhhAAAABBBBCCCCDDDDEEEEFFFFGGGGHHHH\n\n\
         Name: sanplatte\nState: ACTIVE\nTables present: LIVE\nOpen count: 1\nMajor, minor: 252, 4\n\
         UUID: mpath-360a98000486e542d4f5a2f47694d684b\n\n\
         Name: luks-tresor\nState: ACTIVE\nTables present: LIVE\nOpen count: 0\nMajor, minor: 252, 5\n\
         UUID: CRYPT-LUKS2-0123456789abcdef0123456789abcdef-luks-tresor\n\n",
    );
    write(
        "commands/dmsetup-table.out",
        "vg--geheim-vm--100--disk--0: 0 131072 linear 252:4 2048\n\
         luks-tresor: 0 2048 crypt aes-xts-plain64 :64:logon:cryptsetup:schluessel 0 252:4 4096\n",
    );
    write(
        "commands/multipath.out",
        "sanplatte (360a98000486e542d4f5a2f47694d684b) dm-4 HERSTELLER,Modellname\n\
         size=10G features='0' hwhandler='1 alua' wp=rw\n\
         `-+- policy='service-time 0' prio=50 status=active\n  `- 2:0:0:1 sdb 8:16 failed faulty running\n",
    );
    write(
        "commands/kernel-dm.out",
        "Nov 23 19:15:01 kundenserver kernel: device-mapper: ioctl: unable to remove open device vg--geheim-vm--100--disk--0\n\
         Nov 23 19:15:02 kundenserver kernel: Buffer I/O error on dev dm-3, mail an chef@firma.example\n",
    );
    write(
        "commands/lvs-json.out",
        r#"{"report":[{"lv":[{"vg_name":"vg-geheim","vg_uuid":"aaaabb-bbcc-ccdd-ddee-eeff-ffgg-gghhhh","lv_name":"vm-100-disk-0","lv_uuid":"AAAABB-BBCC-CCDD-DDEE-EEFF-FFGG-GGHHHH","lv_attr":"-wi-a-----","lv_size":"67108864","lv_tags":"kundentag","lv_host":"kundenserver","lv_descendants":"abkoemmling"}]}]}"#,
    );
    write(
        "commands/qm-list.err",
        "Passwort falsch fuer chef@firma.example\n",
    );
    write("commands/qm-list.rc", "2\n");
    write("commands/eigenes.out", "geheimnisliste\n");
    write("files/etc/eigene-firma.conf", "geheimnisliste\n");
    write(
        "files/etc/pve/user.cfg",
        "user:chef@pam:1:0:Max:Mustermann:chef@firma.example\n",
    );
    write(
        "files/etc/pve/storage.cfg",
        "lvm: VG-Geheim\n\tvgname vg-geheim\n\tnodes kundenserver\n\tcontent images\n\n\
         nfs: ablage\n\tserver nas.firma.example\n\texport /export/kunde\n\tpath /mnt/pve/ablage\n\
         \tusername chefkonto\n\n# notiz des chefs\n",
    );
    write(
        "files/etc/pve/corosync.conf",
        "totem {\n  cluster_name: firmencluster\n  interface {\n    bindnetaddr: 10.11.12.0\n  }\n}\n\
         nodelist {\n  node {\n    name: kundenserver\n    ring0_addr: kundenserver\n    ring1_addr: 10.11.12.13\n  }\n}\n",
    );
    write(
        "files/etc/pve/nodes/kundenserver/qemu-server/100.conf",
        "#Server der Buchhaltung%0APasswort geheimwort\nname: buchhaltung.firma.example\n\
         net0: virtio=AA:BB:CC:DD:EE:0F,bridge=vmbr0\nipconfig0: ip=10.11.12.99/24,gw=fe80::1234:5678\n\
         nameserver: 10.11.12.53\nsearchdomain: firma.example\nciuser: chefkonto\nsshkeys: ssh-rsa%20AAAAB3Nza\n\
         tags: buchhaltung;kundentag\nscsi0: vg-geheim:vm-100-disk-0,serial=SERNUM0815,size=64M\n\
         scsi1: /dev/disk/by-id/wwn-0x5000c500a1b2c3d4\nscsi2: /dev/VG-geheim/vm-100-disk-7\n\
         args: -device foo,drive=/dev/mapper/luks-tresor -name chefkonto\n\
         smbios1: uuid=11111111-2222-3333-4444-555555555555,serial=U0VSTlVN\n\
         eigenerkey: eigenerwert\nparent: vorupdate\n\n[vorupdate]\n#Notiz\nscsi0: vg-geheim:vm-100-disk-0\n",
    );
    bundle
}

/// What people write on command lines and in settings that PVE does not know.
#[test]
fn secrets_are_not_in_the_mapping_either() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = hand_made(folder.path());
    let config = bundle.join("files/etc/pve/nodes/kundenserver/qemu-server/100.conf");
    let text = fs::read_to_string(&config).unwrap().replacen(
        "args: ",
        "entrypoint: /start --token=Zauber01\nenv: TOKEN=Zauber02\nfremd: user:Zauber03\n\
         args: -vnc 0:1,password=Zauber04 -spice Zauber05@10.0.0.1/ -drive file=/dev/mapper/vg--geheim-vm--100--disk--0,key=lvm:Zauber06 ",
        1,
    );
    fs::write(&config, text).unwrap();
    let table = bundle.join("commands/dmsetup-table.out");
    let keys = "luks-a: 0 2048 crypt aes-xts-plain64 zauber07 0 252:4 4096\n\
         luks-b: 0 2048 default-key aes-xts-plain64  zauber08 0 252:4 4096\n\
         luks-c: 0 2048 integrity 252:4 0 32 J 1 internal_hash:hmac(sha256):zauber09\n";
    let text = fs::read_to_string(&table).unwrap() + keys;
    fs::write(&table, text).unwrap();
    let run = Run::of(&[&bundle]);
    run.assert_sent_without(&["zauber".to_owned()].into());
    let mapping = fs::read_to_string(run.path("mapping.json")).unwrap();
    let mapping = mapping.to_lowercase();
    let found = mapping.find("zauber").map(|at| &mapping[at - 60..at + 8]);
    assert_eq!(found, None);
    // What the analysis needs is there.
    let entries = |json: &[u8]| comparable(json)["nodes"][0]["entries"].clone();
    let restored = run.restored(&analysis(&run.path("out")));
    assert_eq!(entries(&restored), entries(&analysis(&bundle)));
}

/// A configuration or output that is larger than any node's is not analyzed:
/// the copy that is sent does not say that it was absent.
#[test]
fn what_is_too_large_is_left_out_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = hand_made(folder.path());
    let configs = bundle.join("files/etc/pve/nodes/kundenserver/qemu-server");
    let comment = format!("{}\n", "#".repeat(100));
    fs::write(configs.join("100.conf"), comment.repeat(11_000)).unwrap();
    fs::write(bundle.join("commands/swaps.out"), "x\n".repeat(300_001)).unwrap();
    let run = Run::begin();
    let said = run.again(&[&bundle], "out");
    for what in ["qemu-server/100.conf", "commands/swaps.out"] {
        assert!(said.contains(what), "{said}");
    }
    let concluded = |json: &[u8]| {
        let value = comparable(json);
        let node = &value["nodes"][0];
        assert_eq!(node["entries"][0]["verdict"], "unknown", "{node:#}");
        (node["entries"].clone(), node["grade"].clone())
    };
    let restored = run.restored(&analysis(&run.path("out")));
    assert_eq!(concluded(&restored), concluded(&analysis(&bundle)));
}

/// Whatever names a volume names it when redacted, or nothing is concluded of
/// the guest: no entry becomes an orphan by it.
#[test]
fn no_form_of_a_reference_is_lost() {
    let forms = [
        "lxc.mount.entry = /dev/vg-geheim/vm-100-disk-0 data none bind",
        "lxc.mount.entry: /dev/vg-geheim/vm-100-disk-0 data none bind",
        "lxc.eigen = vg-geheim:vm-100-disk-0",
        "scsi7= vg-geheim:vm-100-disk-0",
        "was /dev/mapper/vg--geheim-vm--100--disk--0",
        "eigen: vg-geheim:x/vm-100-disk-0",
        "eigen: {\"file\":\"vg-geheim:vm-100-disk-0\"}",
        "args: -drive file=/dev/vg-geheim/vm-100-disk-0:x",
        "args: a=/dev/x:/dev/vg-geheim/vm-100-disk-0",
        "args: fort:(/vm-100-disk-0",
        "scsi7: /dev/block/252:3",
        "scsi7: fort:x=y/vm-100-disk-0",
        "scsi7: nix:x,serial=/dev/vg-geheim/vm-100-disk-0",
        "SSHKEYS3: vg-geheim:vm-100-disk-0",
    ];
    for form in forms {
        let folder = tempfile::tempdir().unwrap();
        let bundle = hand_made(folder.path());
        let config = bundle.join("files/etc/pve/nodes/kundenserver/qemu-server/100.conf");
        fs::write(&config, format!("memory: 1\n{form}\n")).unwrap();
        let verdict = |json: &[u8]| {
            let value: Value = serde_json::from_slice(json).unwrap();
            let entries = value["nodes"][0]["entries"].as_array().unwrap();
            let entry = entries.iter().find(|entry| entry["devno"] == "252:3");
            entry.unwrap()["verdict"].clone()
        };
        assert_eq!(verdict(&analysis(&bundle)), "valid", "{form}");
        let run = Run::of(&[&bundle]);
        let redacted = verdict(&analysis(&run.path("out")));
        assert!(
            redacted == "valid" || redacted == "unknown",
            "{form}: {redacted}"
        );
    }
}

/// What no bundle has is refused, and the others are redacted.
#[test]
fn names_without_end_cost_neither_the_stack_nor_the_time() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = hand_made(&folder.path().join("a"));
    let config = bundle.join("files/etc/pve/nodes/kundenserver/qemu-server/100.conf");
    let text = format!(
        "boot: {}\nargs: {}\n",
        "_tdata".repeat(50_000),
        "part1-".repeat(50_000)
    );
    fs::write(&config, text).unwrap();
    let run = Run::begin();
    run.again(&[&bundle], "out");
    let line = |i: usize| (0..60).map(|k| format!("w{i}v{k} ")).collect::<String>() + "\n";
    let log: String = (0..10_000).map(line).collect();
    fs::write(bundle.join("commands/kernel-dm.out"), log).unwrap();
    let good = hand_made(&folder.path().join("b"));
    let args = [
        "redact",
        "-o",
        run.path("both").to_str().unwrap(),
        "--mapping",
        run.path("other.json").to_str().unwrap(),
        bundle.to_str().unwrap(),
        good.to_str().unwrap(),
    ]
    .map(str::to_owned);
    let output = dmaudit(&args.each_ref().map(String::as_str), b"");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("more names than any cluster"), "{said}");
    assert_eq!(fs::read_dir(run.path("both")).unwrap().count(), 1, "{said}");
}

#[test]
fn no_name_is_left_wherever_people_put_it() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = hand_made(folder.path());
    let run = Run::of(&[&bundle]);
    let names = [
        "kundenserver",
        "firma",
        "geheim",
        "sanplatte",
        "360a98000486e542d4f5a2f47694d684b",
        "luks-tresor",
        "tresor",
        "0123456789abcdef",
        "schluessel",
        "hersteller",
        "modellname",
        "chef",
        "kundentag",
        "abkoemmling",
        "passwort",
        "geheimnisliste",
        "mustermann",
        "ablage",
        "/export/kunde",
        "10.11.12",
        "aa:bb:cc:dd:ee",
        "fe80",
        "buchhaltung",
        "sernum0815",
        "U0VSTlVN",
        "wwn-0x5000c500a1b2c3d4",
        "11111111-2222",
        "eigene",
        "vorupdate",
        "notiz",
        "aaaab3nza",
        "aaaabb-bbcc",
        "aaaabbbbcccc",
        "lv_host",
    ];
    run.assert_sent_without(&names.map(str::to_owned).into());
    run.assert_sent_without(&run.originals());

    // Without a manifest the notes differ; what is concluded does not.
    let concluded = |json: &[u8]| {
        let value = comparable(json);
        let node = &value["nodes"][0];
        for part in ["entries", "findings"] {
            assert!(!node[part].as_array().unwrap().is_empty(), "{node:#}");
        }
        (node["entries"].clone(), node["findings"].clone())
    };
    let restored = run.restored(&analysis(&run.path("out")));
    assert_eq!(concluded(&restored), concluded(&analysis(&bundle)));
}

#[test]
fn a_report_gets_its_names_back_with_its_links() {
    let run = Run::of(&[&project("samples")]);
    let (out, mapping) = (run.path("out"), run.path("mapping.json"));
    let (report, back) = (run.path("report"), run.path("back"));
    dmaudit(
        &[
            "analyze",
            out.to_str().unwrap(),
            "-o",
            report.to_str().unwrap(),
        ],
        b"",
    );
    let output = dmaudit(
        &[
            "restore-names",
            "--mapping",
            mapping.to_str().unwrap(),
            "-o",
            back.to_str().unwrap(),
            report.to_str().unwrap(),
        ],
        b"",
    );
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(&back) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            files.push(
                entry
                    .path()
                    .strip_prefix(&back)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
            );
        }
    }
    assert!(
        files
            .iter()
            .any(|file| file.contains("pve1") && file.ends_with(".html")),
        "{files:?}"
    );
    assert!(
        files
            .iter()
            .any(|file| file.contains("pve1") && file.ends_with(".sh")),
        "{files:?}"
    );
    let index = fs::read_to_string(back.join("index.html")).unwrap();
    for file in files
        .iter()
        .filter(|file| file.contains("pve1") && file.ends_with(".html"))
    {
        assert!(index.contains(file.as_str()), "{file}");
    }
}

#[test]
fn a_mapping_among_the_bundles_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let mapping = folder.path().join("mapping.json");
    let sample = project("samples");
    let output = dmaudit(
        &[
            "redact",
            "-o",
            out,
            "--mapping",
            mapping.to_str().unwrap(),
            sample.to_str().unwrap(),
        ],
        b"",
    );
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_reply_of_absurd_size_is_refused_before_anything_is_written() {
    let run = Run::begin();
    run.map("{}");
    fs::create_dir(run.path("reply")).unwrap();
    fs::write(run.path("reply/a.html"), "fine").unwrap();
    let large = fs::File::create(run.path("reply/b.html")).unwrap();
    large.set_len((96 << 20) + 1).unwrap();
    let mapping = run.path("mapping.json");
    let (mapping, out, reply) = (mapping, run.path("out"), run.path("reply"));
    let args = [
        "restore-names",
        "--mapping",
        mapping.to_str().unwrap(),
        "-o",
        out.to_str().unwrap(),
        reply.to_str().unwrap(),
    ];
    let output = dmaudit(&args, b"");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("b.html has more than 100663296 bytes"),
        "{said}"
    );
    assert!(!out.exists());
    fs::remove_file(run.path("reply/b.html")).unwrap();
    assert!(dmaudit(&args, b"").status.success());
    assert_eq!(fs::read(out.join("a.html")).unwrap(), b"fine");
    // What is there stays, and nothing is written beside it.
    fs::write(run.path("reply/0.html"), "new").unwrap();
    let output = dmaudit(&args, b"");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("is there already"), "{said}");
    assert!(!out.join("0.html").exists());
}

/// The mapping came of a stranger's bundle, and so may the reply.
#[test]
fn a_restored_name_leads_nowhere_else() {
    let run = Run::begin();
    run.map(r#"{"qqqq": "..", "wwww": "web01"}"#);
    let write = |path: &str| {
        let path = run.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o4755)).unwrap();
    };
    write("reply/qqqq/qqqq/pwned/file");
    let output = run.restore("reply", "a/b/out");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("it would get the name"), "{said}");
    assert!(!run.path("a/pwned").exists() && !run.path("a/b/pwned").exists());

    write("fine/wwww/file");
    let output = run.restore("fine", "c");
    assert!(output.status.success(), "{output:?}");
    let mode = fs::metadata(run.path("c/web01/file"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o755);
    // What is there stays.
    let output = run.restore("fine", "c");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn a_restored_table_keeps_its_columns_and_has_no_formula() {
    let run = Run::begin();
    run.map(
        r#"{"xqqq-a": "=HYPERLINK(\"http://x\";\"y\"),z\nnew", "xwww-a": "web,01", "xvvv-a": "-b"}"#,
    );
    fs::create_dir(run.path("reply")).unwrap();
    let table =
        "id,name,disks\r\n1,xqqq-a,xwww-a:9 | xvvv-a:8\r\n-2,'=own,\"a, 'xvvv-a\"\r\n3,=sent,\r\n";
    fs::write(run.path("reply/guests.csv"), table).unwrap();
    let output = run.restore("reply", "back");
    assert!(output.status.success(), "{output:?}");
    let back = fs::read_to_string(run.path("back/guests.csv")).unwrap();
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.has_headers(false).from_reader(back.as_bytes());
    let rows: Vec<Vec<String>> = reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(
        rows,
        [
            ["id", "name", "disks"],
            [
                "1",
                "'=HYPERLINK(\"http://x\";\"y\"),z<U+000A>new",
                "web,01:9 | '-b:8"
            ],
            ["-2", "'=own", "a, ''-b"],
            ["3", "'=sent", ""],
        ]
    );
    assert!(back.starts_with("id,name,disks\r\n1,"));

    let long = format!("id\r\n{}\r\n", "x,".repeat(2 << 20));
    fs::write(run.path("reply/long.csv"), long).unwrap();
    let output = run.restore("reply", "none");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("a line has more than 2097152 bytes"),
        "{said}"
    );
    assert!(!run.path("none").exists());
}

#[test]
fn restored_tables_are_those_of_the_originals() {
    let bundle = project("samples/dmaudit-pve1-20261123T183645Z.zip");
    let run = Run::of(&[&bundle]);
    let tables = |input: &Path, out: &str| {
        let args = ["analyze", "--now", "2026-11-29T00:00:00Z", "--csv"];
        let [out, report] = [run.path(out), run.path(&format!("{out}-report"))];
        let paths = [&out, &report].map(|path| path.to_str().unwrap());
        let rest = [paths[0], "-o", paths[1], input.to_str().unwrap()];
        let output = dmaudit(&[&args[..], &rest].concat(), b"");
        assert!(output.status.success(), "{output:?}");
    };
    tables(&bundle, "originals");
    tables(&run.path("out"), "reply");
    let output = run.restore("reply", "back");
    assert!(output.status.success(), "{output:?}");
    for table in ["entries.csv", "guests.csv"] {
        let [restored, original] = ["back", "originals"].map(|folder| {
            let text = fs::read_to_string(run.path(folder).join(table)).unwrap();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        });
        assert_eq!(restored, original, "{table}");
    }
}
