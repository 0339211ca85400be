//! A bundle that somebody forged: nothing in it becomes a command.

use std::process::Command;

use dmaudit::cleanup::plan::{Item, Plan, Skipped};
use dmaudit::cleanup::script::{About, render};
use proptest::prelude::*;

use crate::node::{Node, shells};
use crate::running::PLANNED;
use crate::world::{KEPT, about, known_to_lvm, plan, stale};

/// Pieces that end quotes, comments, here-documents and lines, and then call
/// `touch canary`.
const PIECES: &[&str] = &[
    "'",
    "\"",
    "`touch canary`",
    "$(touch canary)",
    ";touch canary;",
    "\n",
    "\ntouch canary\n",
    "\r",
    "\r\n",
    "\\",
    "#",
    "--",
    "../",
    " ",
    "\t",
    "-rf",
    "${IFS}",
    "&&",
    "|",
    "\nEOF\n",
    "\nTABLE\n",
    "\n'\n",
    "{{ node }}",
    "{% raw %}",
    "{#",
    "\u{202e}",
    "\u{2028}",
    "\u{200b}",
    "\u{85}",
    "\0",
    "\x1b[2J",
    "\u{e9}",
    "*",
    "~",
    "\n}\n",
    "\nfinish\n",
    "name=x",
    "why",
    "pve-vm--1",
    "'\\''",
    "%s%n",
    "shellcheck disable=all",
    "LVM-",
    "0 1 linear 8:0 0",
];

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::collection::vec(prop::sample::select(PIECES), 0..6).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
        1 => "[A-Za-z0-9+_.-]{1,130}",
    ]
}

prop_compose! {
    /// An item of which everything is forged.
    fn forged_item()(
        name in hostile(), uuid in prop::option::of(hostile()), table in prop::collection::vec(hostile(), 0..3),
        volume in prop::option::of((hostile(), hostile())), vmid in prop::option::of(any::<u64>()),
        words in prop::collection::vec(hostile(), 0..3), why in hostile(), kind in 0..2,
    ) -> Item {
        Item { name, uuid, table, vg_lv: volume, vmid, words, why, ..if kind == 0 { stale() } else { known_to_lvm() } }
    }
}

prop_compose! {
    /// What the bundle says of itself, forged.
    fn forged_about()(
        cluster in prop::option::of(hostile()), boot in hostile(), bundle in hostile(), version in hostile(), id in hostile(),
    ) -> About {
        About {
            cluster, bundle, dmaudit_version: version, boot_id: Some(boot), machine_id_sha256: Some(id),
            ..about("2026-11-20T10:00:00Z".parse().unwrap())
        }
    }
}

prop_compose! {
    fn forged_skip()(name in hostile(), reason in hostile(), why in hostile()) -> Skipped {
        Skipped { name, reason, why }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is in the plan, the script is one that a shell can read, and
    /// calls `item` and nothing else for each entry.
    #[test]
    fn any_plan_gives_a_script_that_only_calls_item(
        items in prop::collection::vec(forged_item(), 0..4), skipped in prop::collection::vec(forged_skip(), 0..3), about in forged_about(),
    ) {
        let script = render(&Plan { items, skipped }, &about).unwrap();
        prop_assert!(script.bytes().all(|byte| byte == b'\n' || (0x20..0x7f).contains(&byte)));
        // The real shell runs the particular part, with an `item` that shows
        // how many calls with how many arguments reached it.
        let (head, _) = script.split_once("\n# From here on").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let probe = folder.path().join("probe.sh");
        let whole = folder.path().join("whole.sh");
        std::fs::write(&whole, &script).unwrap();
        std::fs::write(&probe, format!("item() {{ echo \"item $#\"; }}\n{head}\nPATH=\nentries\necho end\n")).unwrap();
        for shell in shells() {
            let mut words = shell.split(' ');
            let program = words.next().unwrap();
            let rest: Vec<&str> = words.collect();
            let checked = Command::new(program).args(&rest).arg("-n").arg(&whole).output().unwrap();
            prop_assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
            let output = Command::new(program).args(&rest).arg(&probe).current_dir(folder.path()).output().unwrap();
            prop_assert_eq!(String::from_utf8_lossy(&output.stderr), "");
            let text = String::from_utf8(output.stdout).unwrap();
            let calls = script.matches("\n    item name='").count();
            let mut lines: Vec<&str> = text.lines().collect();
            prop_assert_eq!(lines.pop(), Some("end"));
            prop_assert_eq!(lines.len(), calls);
            // name uuid action lvm volume vmid guest-gone words why, and up to
            // two lines of the table
            prop_assert!(lines.iter().all(|line| ["item 9", "item 10", "item 11"].contains(line)), "{}", text);
            prop_assert!(!folder.path().join("canary").exists());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    /// Forged entries beside honest ones with forged texts: run for real, the
    /// honest removals are all that happens.
    #[test]
    fn a_run_does_the_planned_removals_only(
        forged in prop::collection::vec(forged_item(), 1..4), why in hostile(), skipped in forged_skip(), cluster in hostile(), bundle in hostile(),
    ) {
        let mut node = Node::new();
        node.plan = plan();
        for item in &mut node.plan.items {
            item.why = why.clone();
        }
        let devices = node.devices();
        node.plan.items.extend(forged.into_iter().filter(|item| !devices.contains(&item.name)));
        node.plan.skipped.push(skipped);
        node.about.cluster = Some(cluster);
        node.about.bundle = bundle;
        let run = node.run("dash", &["--execute", "--yes"]);
        prop_assert_eq!(run.changes(), PLANNED, "{}", run.text);
        prop_assert_eq!(node.devices(), KEPT);
        prop_assert!(!node.path("canary").exists());
        prop_assert!(run.text.bytes().all(|byte| byte == b'\n' || (0x20..0x7f).contains(&byte)), "{:?}", run.text);
    }
}

#[test]
fn unsafe_items_become_comments_with_their_reason() {
    let base = stale();
    let cases = [
        (
            Item {
                name: "-rf".into(),
                ..base.clone()
            },
            "unsafe-name",
        ),
        (
            Item {
                name: "a b".into(),
                ..base.clone()
            },
            "unsafe-name",
        ),
        (
            Item {
                name: "..".into(),
                ..base.clone()
            },
            "unsafe-name",
        ),
        (
            Item {
                name: String::new(),
                ..base.clone()
            },
            "unsafe-name",
        ),
        (
            Item {
                name: "x".repeat(128),
                ..base.clone()
            },
            "unsafe-name",
        ),
        (
            Item {
                name: "a\\x20b".into(),
                ..base.clone()
            },
            "unsafe-name",
        ),
        (
            Item {
                uuid: Some("a b".into()),
                ..base.clone()
            },
            "unsafe-name",
        ),
        (
            Item {
                uuid: Some(String::new()),
                ..base.clone()
            },
            "unsafe-name",
        ),
        (
            Item {
                vg_lv: Some(("-an".into(), "x".into())),
                ..base.clone()
            },
            "unsafe-name",
        ),
        (
            Item {
                vg_lv: Some(("vg".into(), "x/y".into())),
                ..base.clone()
            },
            "unsafe-name",
        ),
        (
            Item {
                words: vec!["a b".into()],
                ..base.clone()
            },
            "unsafe-name",
        ),
        (
            Item {
                words: Vec::new(),
                ..base.clone()
            },
            "unsafe-name",
        ),
        (
            Item {
                table: vec!["0 1 linear\n".to_owned() + "x"],
                ..base.clone()
            },
            "unsafe-name",
        ),
        (
            Item {
                vg_lv: None,
                ..known_to_lvm()
            },
            "evidence-missing",
        ),
        (
            Item {
                uuid: None,
                table: Vec::new(),
                ..base.clone()
            },
            "evidence-missing",
        ),
    ];
    for (item, reason) in cases {
        let plan = Plan {
            items: vec![item.clone()],
            skipped: Vec::new(),
        };
        let script = render(&plan, &about("2026-11-20T10:00:00Z".parse().unwrap())).unwrap();
        assert!(!script.contains("\n    item "), "{item:?}");
        assert!(script.contains(&format!("\n#   {reason}: ")), "{item:?}");
    }
}

#[test]
fn legal_names_of_odd_shape_are_removed() {
    for name in ["a+b_c.d", &"x".repeat(127), "+", "_-_", "a-"] {
        for shell in shells() {
            let item = Item {
                name: name.into(),
                ..stale()
            };
            let node = Node::with(vec![item.clone()]);
            node.edit("world/dm", &stale().name, name);
            node.write(
                &format!("world/table/{name}"),
                "0 65536 linear 253:32 67584\n",
            );
            let run = node.run(shell, &["--execute", "--yes"]);
            assert_eq!(
                run.changes(),
                [format!("dmsetup remove {name}")],
                "{shell}: {}",
                run.text
            );
            assert_eq!(run.code, Some(0), "{shell}: {}", run.text);
        }
    }
}

#[test]
fn a_long_text_is_cut() {
    let mut plan = plan();
    plan.items[0].why = "long ".repeat(100_000);
    let script = render(&plan, &about("2026-11-20T10:00:00Z".parse().unwrap())).unwrap();
    assert!(script.lines().all(|line| line.len() < 1000));
}
