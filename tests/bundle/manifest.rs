//! Manifests that are wrong, old, new or of another shape.

use serde_json::json;

use super::archives::*;

fn bundle_with(manifest: &str) -> dmaudit::bundle::Bundle {
    let mut members = plain();
    members.push(("manifest.json".into(), manifest.into()));
    one(&zip(&members))
}

#[test]
fn a_manifest_of_another_shape_is_a_note() {
    for text in [
        "",
        "[]",
        "3",
        "\"x\"",
        "null",
        "{",
        "{} trailing",
        "<xml/>",
        "{\"a\":\u{1}}",
    ] {
        let bundle = bundle_with(text);
        assert_eq!(bundle.manifest(), None, "{text}");
        assert!(
            bundle.notes()[0].contains("manifest.json was not read"),
            "{text}"
        );
        assert_eq!(bundle.command("lvs-json").unwrap().text, COMMANDS[1].1);
    }
    let deep = format!("{{\"x\":{}", "[".repeat(100_000));
    assert!(bundle_with(&deep).manifest().is_none());
}

#[test]
fn a_field_of_a_wrong_type_loses_only_itself() {
    let odd = [
        json!(null),
        json!(true),
        json!(-7),
        json!(1.5),
        json!("x"),
        json!([1]),
        json!({"a": 1}),
    ];
    let sound = manifest();
    for key in sound.as_object().unwrap().keys() {
        for value in &odd {
            let mut changed = sound.clone();
            changed[key] = value.clone();
            let bundle = bundle_with(&changed.to_string());
            let read = bundle.manifest().expect("read in spite of one field");
            if key != "node" {
                assert_eq!(read.node.as_deref(), Some("pve1"), "{key}: {value}");
            }
            if key != "commands" {
                assert_eq!(read.commands.as_ref().unwrap().len(), 3, "{key}: {value}");
            }
        }
    }
    for list in ["commands", "files"] {
        for key in sound[list][0].as_object().unwrap().keys() {
            for value in &odd {
                let mut changed = sound.clone();
                changed[list][0][key] = value.clone();
                let bundle = bundle_with(&changed.to_string());
                let read = bundle.manifest().expect("read in spite of one field");
                assert_eq!(read.commands.as_ref().unwrap()[1].id, "lvs-json");
                assert_eq!(read.files.as_ref().unwrap()[1].path, FILES[1].0);
            }
        }
        let mut changed = sound.clone();
        changed[list].as_array_mut().unwrap().extend(odd.clone());
        assert_eq!(
            bundle_with(&changed.to_string())
                .command("qm-list")
                .unwrap()
                .status,
            Some(0)
        );
    }
}

#[test]
fn a_byte_order_mark_and_unknown_fields_are_passed_over() {
    let mut later = manifest();
    later["format"] = json!(2);
    later["customer"] = json!({"name": "x"});
    let bundle = bundle_with(&format!("\u{feff}{later}"));
    assert_eq!(bundle.manifest().unwrap().format, Some(2));
    assert!(
        bundle.notes()[0].contains("format 2"),
        "{:?}",
        bundle.notes()
    );
}

#[test]
fn a_status_and_a_timeout_come_from_the_manifest() {
    let mut changed = manifest();
    changed["commands"][1]["status"] = json!(null);
    changed["commands"][1]["timed_out"] = json!(true);
    changed["commands"][2]["status"] = json!(5);
    changed["commands"]
        .as_array_mut()
        .unwrap()
        .push(json!({"id": "vgs-json", "status": 127}));
    let bundle = bundle_with(&changed.to_string());
    let output = bundle.command("lvs-json").unwrap();
    assert_eq!((output.status, output.timed_out), (None, true));
    assert_eq!(bundle.command("qm-list").unwrap().status, Some(5));
    let output = bundle.command("vgs-json").unwrap();
    assert_eq!(
        (output.status, output.damaged, output.text.as_ref()),
        (Some(127), false, "")
    );
}

#[test]
fn what_was_added_after_the_collection_is_noted() {
    let mut members = complete();
    members.push((
        "files/etc/pve/nodes/pve1/lxc/666.conf".into(),
        b"x".to_vec(),
    ));
    let bundle = one(&zip(&members));
    assert!(
        bundle.notes()[0].contains("666.conf"),
        "{:?}",
        bundle.notes()
    );
}

#[test]
fn a_list_longer_than_any_node_has_is_none() {
    let records = |count| (0..count).map(|_| json!({})).collect::<Vec<_>>();
    let mut changed = manifest();
    changed["files"] = json!(records(50_000));
    let bundle = bundle_with(&changed.to_string());
    assert_eq!(
        bundle.manifest().unwrap().files.as_ref().unwrap().len(),
        50_000
    );
    changed["files"] = json!(records(50_001));
    let bundle = bundle_with(&changed.to_string());
    assert_eq!(bundle.manifest().unwrap().files, None);
    assert_eq!(
        bundle.manifest().unwrap().commands.as_ref().unwrap().len(),
        3
    );
}
