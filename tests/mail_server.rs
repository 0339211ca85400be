//! Delivery to a real mail server on loopback. It needs Debian's
//! `python3-aiosmtpd` and `openssl`, so it runs only when asked for:
//! `cargo test --test mail_server -- --ignored`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "mail/mod.rs"]
mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::{kept, mail, stderr};
use mail_parser::MessageParser;

/// A running server with an authority of its own.
struct Server {
    folder: tempfile::TempDir,
    process: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn openssl(folder: &Path, line: &str) {
    let made = Command::new("openssl")
        .args(line.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

impl Server {
    fn start(mode: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = "req -newkey rsa:2048 -nodes -subj";
        openssl(
            folder.path(),
            &format!("{key} /CN=authority -x509 -days 2 -keyout ca.key -out ca.pem"),
        );
        openssl(
            folder.path(),
            &format!("{key} /CN=localhost -keyout server.key -out server.csr"),
        );
        fs::write(
            folder.path().join("names"),
            "subjectAltName=DNS:localhost\n",
        )
        .unwrap();
        openssl(
            folder.path(),
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
        );
        // Debian's python, not one that comes first in PATH.
        let mut process = Command::new("/usr/bin/python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail/server.py"))
            .arg(folder.path())
            .arg(mode)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut port)
            .unwrap();
        Self {
            address: format!("localhost:{}", port.trim()),
            folder,
            process,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn taken(&self) -> Vec<Vec<u8>> {
        kept(self.folder.path())
    }

    /// Sends a mail as `audit` with a password, keeping it in `keep`.
    fn mail(&self, password: &str, args: &[&str]) -> std::process::Output {
        let ca = self.path("ca.pem");
        let keep = self.path("keep");
        let given: [&[&str]; 3] = [
            &[
                "--smtp",
                &self.address,
                "--user",
                "audit",
                "--timeout",
                "20",
            ],
            &[
                "--ca-file",
                ca.to_str().unwrap(),
                "--keep",
                keep.to_str().unwrap(),
            ],
            args,
        ];
        mail(
            "pve1",
            &given.concat(),
            &[("DMAUDIT_SMTP_PASSWORD", password)],
        )
    }

    /// The mail was not taken, but kept, and `says` was said.
    fn refused(&self, output: &std::process::Output, says: &str) {
        assert_eq!(output.status.code(), Some(4), "{output:?}");
        let said = stderr(output);
        assert!(said.contains(says), "{said}");
        assert!(!said.contains("wrong-s3cret"), "{said}");
        assert!(self.taken().is_empty());
        assert_eq!(kept(&self.path("keep")).len(), 1);
    }
}

#[test]
#[ignore = "needs python3-aiosmtpd"]
fn a_mail_arrives_as_it_was_written() {
    for mode in ["starttls", "tls"] {
        let server = Server::start(mode);
        let output = server.mail("right", &["--tls", mode, "--cc", "boss@example.com"]);
        assert_eq!(output.status.code(), Some(0), "{mode}: {output:?}");
        let taken = server.taken();
        let message = MessageParser::default().parse(&taken[0]).unwrap();
        assert_eq!(
            message.subject(),
            Some("pve1: grade F, 1 critical, 4 orphans")
        );
        let written = mail("pve1", &["--cc", "boss@example.com", "--eml", "-"], &[]);
        let written = MessageParser::default().parse(&written.stdout).unwrap();
        assert_eq!(message.body_html(0), written.body_html(0));
        assert_eq!(
            fs::read_to_string(server.path("recipients")).unwrap(),
            "ops@example.com boss@example.com"
        );
        assert!(!server.path("keep").exists());
    }
}

#[test]
#[ignore = "needs python3-aiosmtpd"]
fn a_password_comes_from_a_file() {
    let server = Server::start("tls");
    let file = server.path("password");
    fs::write(&file, "right\n").unwrap();
    let args = ["--tls", "tls", "--password-file", file.to_str().unwrap()];
    let output = server.mail("wrong-s3cret", &args);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
#[ignore = "needs python3-aiosmtpd"]
fn without_encryption_only_to_this_machine() {
    let server = Server::start("none");
    let output = mail("pve1", &["--smtp", &server.address, "--tls", "none"], &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(server.taken().len(), 1);
}

#[test]
#[ignore = "needs python3-aiosmtpd"]
fn a_wrong_password_is_told() {
    let server = Server::start("starttls");
    let output = server.mail("wrong-s3cret", &[]);
    server.refused(&output, "did not accept the user and password");
}

#[test]
#[ignore = "needs python3-aiosmtpd"]
fn a_refused_recipient_is_told_and_nobody_gets_the_mail() {
    let server = Server::start("starttls");
    let output = server.mail("right", &["--to", "nobody@example.com"]);
    server.refused(&output, "no such mailbox");
}

#[test]
#[ignore = "needs python3-aiosmtpd"]
fn an_unknown_authority_gets_neither_password_nor_mail() {
    for mode in ["starttls", "tls"] {
        let server = Server::start(mode);
        let stranger = Server::start("tls");
        let ca = stranger.path("ca.pem");
        let keep = server.path("keep");
        let output = mail(
            "pve1",
            &[
                "--smtp",
                &server.address,
                "--tls",
                mode,
                "--user",
                "audit",
                "--ca-file",
                ca.to_str().unwrap(),
                "--keep",
                keep.to_str().unwrap(),
            ],
            &[("DMAUDIT_SMTP_PASSWORD", "right")],
        );
        server.refused(&output, "no trusted connection");
    }
}

#[test]
#[ignore = "needs python3-aiosmtpd"]
fn a_server_without_starttls_gets_nothing() {
    let server = Server::start("none");
    let output = server.mail("wrong-s3cret", &["--tls", "starttls"]);
    server.refused(&output, "STARTTLS");
}
