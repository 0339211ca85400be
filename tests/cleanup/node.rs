//! A made-up node that a cleanup script can run on: a root folder, and
//! stand-ins for every command that looks at or changes the system. The
//! stand-ins keep a little device-mapper and LVM in files, so that a removal
//! has its effects, and log every call.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use chrono::{TimeDelta, Utc};
use dmaudit::cleanup::plan::{Item, Plan};
use dmaudit::cleanup::script::{About, render};
use tempfile::TempDir;

use crate::world;

/// Commands that are played by the stand-in.
const PLAYED: &[&str] = &[
    "dmsetup", "fuser", "id", "logger", "lvchange", "lvs", "pct", "qm", "stat", "uname", "vgs",
];

/// Commands that are the machine's own, for the script and the stand-ins. With
/// [`PLAYED`], this is all that a script finds.
const REAL: &[&str] = &[
    "awk",
    "cat",
    "cut",
    "date",
    "find",
    "flock",
    "grep",
    "head",
    "ls",
    "mkdir",
    "mktemp",
    "mv",
    "rm",
    "sed",
    "sha256sum",
    "sleep",
    "timeout",
    "touch",
    "tr",
    "xargs",
];

/// The shells a script must run under, those of them that are here.
pub fn shells() -> Vec<&'static str> {
    let here = |shell: &&str| real(shell.split(' ').next().unwrap()).is_some();
    let shells: Vec<_> = ["dash", "busybox sh"].into_iter().filter(here).collect();
    assert!(!shells.is_empty(), "neither dash nor busybox is installed");
    shells
}

/// Where a command is on this machine.
pub fn real(command: &str) -> Option<PathBuf> {
    ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
        .iter()
        .map(|folder| Path::new(folder).join(command))
        .find(|path| path.exists())
}

pub struct Node {
    folder: TempDir,
    pub about: About,
    pub plan: Plan,
    /// How long the script waits for an answer, in seconds.
    pub patience: u32,
}

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    /// The exit status; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output and standard error (on a terminal, both in one).
    pub text: String,
    /// Every call of a stand-in, in order.
    pub calls: Vec<String>,
}

impl Run {
    /// The calls that change the system.
    pub fn changes(&self) -> Vec<&str> {
        let questions = [
            "dmsetup info",
            "dmsetup table",
            "fuser ",
            "lsof ",
            "id ",
            "logger ",
            "lvs ",
            "pct list",
            "qm list",
            "stat ",
            "uname ",
            "vgs ",
        ];
        self.calls
            .iter()
            .map(String::as_str)
            // A stand-in of timeout, where there is one, is given the command.
            .map(|call| call.strip_prefix("timeout -k 2 1 ").unwrap_or(call))
            .filter(|call| !questions.iter().any(|question| call.starts_with(question)))
            .collect()
    }

    /// Asserts that nothing was changed, the exit status, and a part of what
    /// was said.
    #[track_caller]
    pub fn expect_nothing_done(&self, code: i32, said: &str) {
        assert_eq!(self.changes(), [""; 0], "{}", self.text);
        assert_eq!(self.code, Some(code), "{}", self.text);
        assert!(
            self.text.contains(said),
            "{said:?} is not in:\n{}",
            self.text
        );
    }
}

impl Node {
    /// The node of [`world`], with its plan.
    pub fn new() -> Self {
        Self::with_plan(world::plan())
    }

    /// The same node, with a plan of only these items.
    pub fn with(items: Vec<Item>) -> Self {
        Self::with_plan(Plan {
            items,
            skipped: Vec::new(),
        })
    }

    fn with_plan(plan: Plan) -> Self {
        let node = Self {
            folder: tempfile::tempdir().unwrap(),
            about: world::about(Utc::now() - TimeDelta::hours(1)),
            plan,
            patience: 30,
        };
        for folder in [
            "bin",
            "behave",
            "world/table",
            "root/run/qemu-server",
            "root/var/log",
        ] {
            fs::create_dir_all(node.path(folder)).unwrap();
        }
        let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cleanup/stand-in");
        for name in PLAYED {
            node.command_from(name, &stand_in);
        }
        for name in REAL {
            let path = real(name).unwrap_or_else(|| panic!("{name} is not installed"));
            symlink(path, node.path("bin").join(name)).unwrap();
        }
        node.write("calls", "");
        world::build(&node);
        node
    }

    fn command_from(&self, name: &str, file: &Path) {
        let path = self.path("bin").join(name);
        fs::copy(file, &path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A path of this node; `root/…` is what the script sees as its root.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Writes a file, with its folders.
    pub fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative)).unwrap()
    }

    /// Replaces text in a file, which must be there.
    #[track_caller]
    pub fn edit(&self, relative: &str, from: &str, to: &str) {
        let text = self.read(relative);
        assert!(
            text.contains(from),
            "{from:?} is not in {relative}:\n{text}"
        );
        self.write(relative, &text.replace(from, to));
    }

    pub fn remove(&self, relative: &str) {
        let path = self.path(relative);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }

    /// A further stand-in.
    pub fn play(&self, name: &str) {
        let path = self.path("bin").join(name);
        if path.exists() {
            fs::remove_file(&path).unwrap();
        }
        self.command_from(
            name,
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cleanup/stand-in"),
        );
    }

    /// Replaces a command by a shell script, in which `$real` is the machine's own.
    pub fn replace(&self, name: &str, text: &str) {
        let path = self.path("bin").join(name);
        fs::remove_file(&path).unwrap();
        let real = real(name).unwrap();
        let text = format!("#!/bin/sh\nreal={}\n{text}\n", real.display());
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What happens at the next call of a command: `before-NAME` runs as sh
    /// with `$world` and `$here`, the folder of the node, `fail-NAME` and `hang-NAME` as they say.
    pub fn behave(&self, what: &str, text: &str) {
        self.write(&format!("behave/{what}"), text);
    }

    /// The script of the plan, its places moved into this node by replacing
    /// the lines that define them. Each must be there exactly once.
    pub fn script(&self) -> PathBuf {
        let mut script = render(&self.plan, &self.about).unwrap();
        let root = self.path("root").display().to_string();
        let mut places = vec![
            (
                "PATH=${PATH:+$PATH:}/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
                format!("PATH='{}'", self.path("bin").display()),
            ),
            (
                "ASK_SECONDS=30 ".to_owned(),
                format!("ASK_SECONDS={} ", self.patience),
            ),
            (
                "SAY_SECONDS=5      ".to_owned(),
                format!("SAY_SECONDS={} ", self.patience),
            ),
            (
                "CHANGE_SECONDS=120 ".to_owned(),
                format!("CHANGE_SECONDS={} ", self.patience),
            ),
        ];
        for (name, path) in [
            ("PVE", "/etc/pve"),
            ("PROC", "/proc"),
            ("SYS", "/sys"),
            ("DEV", "/dev"),
            ("RUN", "/run"),
            ("LOGDIR", "/var/log"),
            ("MACHINE_ID", "/etc/machine-id"),
        ] {
            places.push((
                format!("{name}={path}\n"),
                format!("{name}='{root}{path}'\n"),
            ));
        }
        for (from, to) in places {
            let line = format!("\n{from}");
            assert_eq!(
                script.matches(&line).count(),
                1,
                "{from:?} is not there exactly once"
            );
            script = script.replace(&line, &format!("\n{to}"));
        }
        let path = self.path("cleanup-pve1.sh");
        fs::write(&path, script).unwrap();
        path
    }

    /// Runs the script without a terminal.
    pub fn run(&self, shell: &str, arguments: &[&str]) -> Run {
        let mut words = shell.split(' ');
        let mut command = Command::new("setsid");
        command
            .arg("-w")
            .arg(real(words.next().unwrap()).unwrap())
            .args(words)
            .arg(self.script())
            .args(arguments)
            .current_dir(self.path(""))
            .stdin(Stdio::null());
        self.finish(command.output().unwrap())
    }

    /// Runs the script on a pseudo-terminal on which `typed` is typed. Tests
    /// that run in the background ignore Ctrl-C, which a shell that inherits
    /// it can't undo: hence `env`.
    pub fn run_on_terminal(&self, shell: &str, arguments: &[&str], typed: &str) -> Run {
        let line = format!(
            "exec env --default-signal {shell} '{}' {}",
            self.script().display(),
            arguments.join(" ")
        );
        let mut child = Command::new("script")
            .args(["-q", "-e", "-c", &line, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(typed.as_bytes())
            .unwrap();
        self.finish(child.wait_with_output().unwrap())
    }

    /// Runs the script on a pseudo-terminal, and presses Ctrl-C at its first
    /// question.
    pub fn run_and_interrupt(&self, shell: &str, arguments: &[&str]) -> Run {
        let line = format!(
            "exec env --default-signal {shell} '{}' {}",
            self.script().display(),
            arguments.join(" ")
        );
        let mut child = Command::new("script")
            .args(["-q", "-e", "-c", &line, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut keyboard = child.stdin.take().unwrap();
        let mut screen = child.stdout.take().unwrap();
        let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
        while !String::from_utf8_lossy(&seen).contains("[y/N/a/q] ") {
            let count = screen.read(&mut buffer).unwrap();
            assert_ne!(count, 0, "{}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&buffer[..count]);
        }
        // Between the question and the reading of the answer, a signal does not
        // wake the script; a person presses again.
        let person = std::thread::spawn(move || {
            while keyboard.write_all(b"\x03").is_ok() {
                std::thread::sleep(std::time::Duration::from_millis(300));
            }
        });
        screen.read_to_end(&mut seen).unwrap();
        let status = child.wait().unwrap();
        person.join().unwrap();
        self.finish(Output {
            status,
            stdout: seen,
            stderr: Vec::new(),
        })
    }

    /// Runs another script of this node (the undo script).
    pub fn run_file(&self, shell: &str, file: &Path) -> Run {
        self.write("calls", "");
        let mut words = shell.split(' ');
        let output = Command::new(real(words.next().unwrap()).unwrap())
            .args(words)
            .arg(file)
            .env("PATH", self.path("bin"))
            .output()
            .unwrap();
        self.finish(output)
    }

    /// A command that runs the script, to be started by the test. Its process
    /// is the shell itself.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("dash");
        command
            .arg(self.script())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Waits until the script has called a command.
    pub fn wait_for_call(&self, call: &str) {
        for _ in 0..3000 {
            if self
                .read("calls")
                .lines()
                .any(|line| line.starts_with(call))
            {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("{call} was never called:\n{}", self.read("calls"));
    }

    pub fn finish(&self, output: Output) -> Run {
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Run {
            code: output.status.code(),
            text,
            calls: self.read("calls").lines().map(str::to_owned).collect(),
        }
    }

    /// The names of the devices there are.
    pub fn devices(&self) -> Vec<String> {
        let text = self.read("world/dm");
        text.lines()
            .filter_map(|line| line.split('|').next())
            .map(str::to_owned)
            .collect()
    }

    /// The files in the log folder whose names contain `part`.
    pub fn logs(&self, part: &str) -> Vec<PathBuf> {
        let mut paths: Vec<_> = fs::read_dir(self.path("root/var/log"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.display().to_string().contains(part))
            .collect();
        paths.sort();
        paths
    }
}
