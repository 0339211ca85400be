//! `dmaudit mail` as its users meet it, and messages as another program's
//! parser reads them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "mail/mod.rs"]
mod common;

use std::net::TcpListener;

use common::{kept, mail, sample, stderr};
use dmaudit::bundle::Limits;
use dmaudit::config::Config;
use dmaudit::mail::message::{self, Addresses};
use dmaudit::report::compose::Rows;
use dmaudit::report::mail::{self as content, Digest};
use dmaudit::report::view;
use mail_parser::{MessageParser, MimeHeaders};

fn now() -> chrono::DateTime<chrono::Utc> {
    "2026-11-23T19:00:00Z".parse().unwrap()
}

fn report(node: &str) -> view::Report {
    dmaudit::pipeline::whole(
        &[sample(node)],
        &Limits::default(),
        Config::default(),
        now(),
    )
}

/// The message on a report, as it travels.
fn sent(report: &view::Report, prefix: Option<&str>) -> Vec<u8> {
    let addresses = Addresses {
        from: message::address("Audit <audit@example.com>").unwrap(),
        to: vec![message::address("ops@example.com").unwrap()],
        cc: Vec::new(),
    };
    let rows = Rows::of(report);
    let content = content::content(&Digest::of(report, &rows), &[]).unwrap();
    message::build(&content, &addresses, prefix, Vec::new(), now())
        .unwrap()
        .formatted()
}

#[test]
fn the_message_has_text_and_html_and_an_attachment() {
    let output = mail(
        "pve1",
        &[
            "--cc",
            "boss@example.com",
            "--subject-prefix",
            "[audit]",
            "--attach",
            "json",
            "--eml",
            "-",
        ],
        &[],
    );
    assert!(output.status.success(), "{output:?}");
    let message = MessageParser::default().parse(&output.stdout).unwrap();
    assert_eq!(
        message.subject(),
        Some("[audit] pve1: grade F, 1 critical, 4 orphans")
    );
    assert_eq!(
        message.from().unwrap().first().unwrap().address(),
        Some("audit@example.com")
    );
    assert_eq!(
        message.cc().unwrap().first().unwrap().address(),
        Some("boss@example.com")
    );
    assert_eq!(message.date().unwrap().to_rfc3339(), "2026-11-23T19:00:00Z");
    assert!(message.message_id().unwrap().ends_with("@example.com"));
    assert!(message.is_content_type("multipart", "mixed"));
    let kinds: Vec<_> = message
        .parts
        .iter()
        .map(|part| {
            part.content_type()
                .and_then(|kind| kind.subtype())
                .unwrap_or_default()
        })
        .collect();
    assert_eq!(kinds, ["mixed", "alternative", "plain", "html", "json"]);
    let html = message.body_html(0).unwrap();
    assert!(html.contains("pve-vm--101--disk--0-old"), "{html}");
    for outside in ["<script", "<img", "<link", "http://", "https://", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
    let json: serde_json::Value =
        serde_json::from_slice(message.attachment(0).unwrap().contents()).unwrap();
    assert_eq!(json["nodes"][0]["node"], "pve1");
    let again = mail(
        "pve1",
        &[
            "--cc",
            "boss@example.com",
            "--subject-prefix",
            "[audit]",
            "--attach",
            "json",
            "--eml",
            "-",
        ],
        &[],
    );
    assert_eq!(output.stdout, again.stdout);
}

#[test]
fn the_plain_text() {
    let solo = sent(&report("solo"), None);
    let message = MessageParser::default().parse(&solo).unwrap();
    assert_eq!(message.subject(), Some("solo: grade A+, no issues"));
    insta::assert_snapshot!(message.body_text(0).unwrap().replace("\r\n", "\n"));
    let pve7 = sent(&report("pve7"), None);
    let message = MessageParser::default().parse(&pve7).unwrap();
    assert_eq!(
        message.subject(),
        Some("pve7: not graded, 1 critical, 16 unknown")
    );
    insta::assert_snapshot!(message.body_text(0).unwrap().replace("\r\n", "\n"));
}

#[test]
fn names_can_add_no_header_and_no_markup() {
    let mut report = report("pve1");
    let evil = "pve1\r\nBcc: thief@example.com\r\n\r\n<script>alert(1)</script> Größe 北";
    report.nodes[0].node = evil.to_owned();
    report.nodes[0].findings[0].subject = evil.to_owned();
    report.nodes[0].findings[0].message = format!("`{evil}` <img src=x>");
    let bytes = sent(&report, Some("a\r\nBcc: b@example.com"));
    // Everything that is not ASCII is encoded, and lines are short enough.
    assert!(bytes.is_ascii());
    assert!(
        bytes
            .split(|byte| *byte == b'\n')
            .all(|line| line.len() <= 999)
    );
    let message = MessageParser::default().parse(&bytes).unwrap();
    let names: Vec<_> = message
        .headers()
        .iter()
        .map(|one| one.name().to_lowercase())
        .collect();
    assert!(!names.contains(&"bcc".to_owned()), "{names:?}");
    assert_eq!(message.attachment_count(), 0);
    let subject = message.subject().unwrap();
    assert!(
        subject.starts_with("a<U+000D><U+000A>Bcc: b@example.com pve1<U+000D><U+000A>Bcc:"),
        "{subject}"
    );
    let html = message.body_html(0).unwrap();
    assert!(
        html.contains("&lt;script&gt;alert(1)&lt;/script&gt; Größe 北"),
        "{html}"
    );
    assert!(!html.contains("<script") && !html.contains("<img"));
    let mut named = self::report("solo");
    named.nodes[0].node = "Größe-北".to_owned();
    let bytes = sent(&named, None);
    let message = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(message.subject(), Some("Größe-北: grade A+, no issues"));
}

#[test]
fn twenty_thousand_findings_are_the_worst_ten_and_a_number() {
    let mut report = report("pve1");
    let mut finding = report.nodes[0].findings[0].clone();
    finding.severity = "warning".into();
    finding.message = "<&long>".repeat(5000);
    finding.subject = "x".repeat(5000);
    report.nodes[0].findings.truncate(1);
    report.nodes[0].findings.extend(vec![finding; 20_000]);
    report.nodes[0].missing = vec![
        view::Missing {
            id: "y".repeat(9000),
            state: "missing".to_owned(),
            detail: "z".repeat(9000),
            consequence: String::new(),
        };
        500
    ];
    let bytes = sent(&report, None);
    let message = MessageParser::default().parse(&bytes).unwrap();
    let html = message.body_html(0).unwrap();
    assert!(html.len() < 102 << 10, "{}", html.len());
    assert!(
        message
            .body_text(0)
            .unwrap()
            .contains("And 19,991 more: 19,991 warning.")
    );
    assert_eq!(html.matches("What to do:").count(), 10);
}

#[test]
fn several_nodes_are_counted_and_listed() {
    let report = dmaudit::pipeline::whole(
        &[sample("pve1"), sample("pve2")],
        &Limits::default(),
        Config::default(),
        now(),
    );
    let rows = Rows::of(&report);
    let digest = Digest::of(&report, &rows);
    assert_eq!(
        content::subject(&digest),
        "alpha (2 nodes): worst grade F, 4 critical, 8 orphans"
    );
    let text = content::content(&digest, &[]).unwrap().text;
    assert!(
        text.contains("F   pve2: 2 critical, 6 warning, 4 orphaned"),
        "{text}"
    );
    assert!(text.contains("review `cleanup-pve2.sh`"), "{text}");
}

#[test]
fn when_keeps_quiet_only_about_health() {
    for (node, when, written) in [
        ("pve1", "critical", true),
        ("solo", "info", false),
        // Nothing is known of its entries: that is no health.
        ("pve7", "critical", true),
    ] {
        let output = mail(node, &["--when", when, "--eml", "-"], &[]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(!output.stdout.is_empty(), written, "{node}");
    }
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.zip");
    std::fs::write(&broken, "PK no zip").unwrap();
    let output = mail(
        "solo",
        &["--when", "info", "--eml", "-", broken.to_str().unwrap()],
        &[],
    );
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let message = MessageParser::default().parse(&output.stdout).unwrap();
    assert!(message.subject().unwrap().ends_with("1 input rejected"));
    assert!(message.body_text(0).unwrap().contains("broken.zip"));
}

#[test]
fn wrong_arguments_are_refused_before_the_analysis() {
    let password = [("DMAUDIT_SMTP_PASSWORD", "s3cret")];
    for (args, env, says) in [
        (
            &["--eml", "-", "--to", "no address"][..],
            &[][..],
            "no e-mail address",
        ),
        (
            &["--eml", "-", "--to", "a@b.c\r\nBcc: d@e.f"],
            &[],
            "no e-mail address",
        ),
        (&["--smtp", "mail example"], &[], "is no server"),
        (&["--smtp", "mail.example:99999"], &[], "is no server"),
        (&["--smtp", "mail.example"], &password, "no user"),
        (
            &["--smtp", "mail.example", "--user", "u"],
            &[],
            "no password",
        ),
        (
            &["--smtp", "mail.example", "--tls", "none", "--user", "u"],
            &password,
            "in the clear",
        ),
        (
            &["--smtp", "mail.example", "--ca-file", "/nonexistent"],
            &[],
            "/nonexistent",
        ),
    ] {
        let output = mail("solo", args, env);
        assert_eq!(output.status.code(), Some(2), "{args:?} {output:?}");
        let said = stderr(&output);
        assert!(said.contains(says), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[test]
fn a_mail_that_no_server_takes_is_kept() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    for (port, says) in [
        (dead, "could not be reached"),
        // Connections wait in its queue, and nobody answers.
        (
            silent.local_addr().unwrap().port(),
            "did not answer in time",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let keep = folder.path().join("kept");
        let server = format!("127.0.0.1:{port}");
        let output = mail(
            "pve1",
            &[
                "--smtp",
                &server,
                "--tls",
                "none",
                "--timeout",
                "1",
                "--keep",
                keep.to_str().unwrap(),
            ],
            &[],
        );
        assert_eq!(output.status.code(), Some(4), "{output:?}");
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
        let kept = kept(&keep);
        let [one] = &kept[..] else {
            panic!("{} mails kept", kept.len());
        };
        let message = MessageParser::default().parse(one).unwrap();
        assert_eq!(
            message.subject(),
            Some("pve1: grade F, 1 critical, 4 orphans")
        );
    }
}

#[test]
fn the_attached_report_is_what_an_analysis_writes() {
    let output = mail("pve1", &["--attach", "report,scripts", "--eml", "-"], &[]);
    assert!(output.status.success(), "{output:?}");
    let message = MessageParser::default().parse(&output.stdout).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let analyzed = std::process::Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["analyze", "--now", "2026-11-23T19:00:00Z", "-o"])
        .arg(folder.path())
        .arg(sample("pve1"))
        .output()
        .unwrap();
    assert!(analyzed.status.success(), "{analyzed:?}");
    let written = walkdir::WalkDir::new(folder.path());
    let written = written.into_iter().map(Result::unwrap);
    let mut written: Vec<String> = written
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            entry
                .path()
                .strip_prefix(folder.path())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    written.sort();
    let script = vec!["cleanup/cleanup-pve1.sh".to_owned()];
    for (at, name, files) in [
        (0, "dmaudit-report.zip", written),
        (1, "dmaudit-cleanup.zip", script),
    ] {
        let part = message.attachment(at).unwrap();
        assert_eq!(part.attachment_name(), Some(name));
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(part.contents())).unwrap();
        let mut names: Vec<String> = archive
            .file_names()
            .map(|name| name.unwrap().into_owned())
            .collect();
        names.sort();
        assert_eq!(names, files);
        for name in names {
            let mut bytes = Vec::new();
            std::io::copy(&mut archive.by_name(&name).unwrap(), &mut bytes).unwrap();
            assert!(
                bytes == std::fs::read(folder.path().join(&name)).unwrap(),
                "{name}"
            );
        }
    }
    assert!(
        message
            .body_text(0)
            .unwrap()
            .contains("Read cleanup-pve1.sh")
    );
}
