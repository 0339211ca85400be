//! sshd on loopback: one a host, each with a made-up node behind it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::node::Node;

/// What a host is like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sound,
    /// Nothing listens there.
    Down,
    /// The collector begins and nothing more comes.
    Hangs,
    /// The connection breaks after a part of the bundle.
    DiesHalfWay,
    /// The connection breaks before the first byte of the bundle.
    DropsBeforeTheBundle,
    /// It lets another key in.
    OtherKey,
    /// known_hosts has another key.
    ChangedHostKey,
    /// Its shell prints before it runs what it is told to.
    Noisy,
    /// Its shell prints, and nothing else.
    OnlyTalks,
    /// The collector says that it is not root, with an escape sequence.
    NotRoot,
    NotPve,
    NoDmsetup,
    NoAwk,
}

struct Host {
    name: String,
    node: Node,
    sshd: Option<Child>,
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(sshd) = &mut self.sshd {
            let _ = sshd.kill();
            let _ = sshd.wait();
        }
    }
}

/// Hosts, a user with a key, and a folder for bundles.
pub struct Lab {
    hosts: Vec<Host>,
    folder: tempfile::TempDir,
}

pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Lab {
    pub fn new() -> Lab {
        let lab = Lab {
            hosts: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
        };
        for name in ["user", "host", "other"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(lab.path(name))
                .status();
            assert!(made.unwrap().success());
        }
        fs::create_dir_all("/run/sshd").unwrap();
        lab
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn out(&self) -> PathBuf {
        self.path("bundles")
    }

    /// Names in the folder of the bundles, sorted.
    pub fn bundles(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.out()) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub fn clear(&self) {
        fs::remove_dir_all(self.out()).unwrap();
    }

    fn host(&self, name: &str) -> &Host {
        self.hosts.iter().find(|host| host.name == name).unwrap()
    }

    pub fn remove(&self, host: &str, path: &str) {
        self.host(host).node.remove(path);
    }

    /// Waits until a hanging host's collector runs.
    pub fn wait_for(&self, host: &str) {
        let began = self.host(host).node.path("began");
        until(|| began.exists());
    }

    /// Adds a host: an alias in ssh's configuration for an sshd of its own.
    pub fn node(&mut self, name: &str, recording: &str, kind: Kind) {
        let node = Node::from(recording);
        match kind {
            Kind::NotPve => {
                for command in ["pveversion", "qm", "pct", "pvesm"] {
                    node.remove(&format!("bin/{command}"));
                }
            }
            Kind::NoDmsetup => node.remove("bin/dmsetup"),
            Kind::NoAwk => node.remove("tools/awk"),
            _ => {}
        }
        node.script("bin/sudo", "[ \"$1\" = -n ] && shift && exec \"$@\"");
        let port = free_port();
        self.configure(&node, kind, port);
        let sshd = (kind != Kind::Down).then(|| {
            let child = Command::new("/usr/sbin/sshd")
                .args(["-D", "-f"])
                .arg(node.path("sshd_config"))
                .arg("-E")
                .arg(node.path("sshd.log"))
                .stdin(Stdio::null())
                .spawn()
                .unwrap();
            until(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
            child
        });
        let known = if kind == Kind::ChangedHostKey {
            "other.pub"
        } else {
            "host.pub"
        };
        let known = fs::read_to_string(self.path(known)).unwrap();
        append(
            &self.path("known_hosts"),
            &format!("[127.0.0.1]:{port} {known}"),
        );
        append(
            &self.path("ssh_config"),
            &format!("Host {name}\n  HostName 127.0.0.1\n  Port {port}\n"),
        );
        self.hosts.push(Host {
            name: name.to_owned(),
            node,
            sshd,
        });
    }

    fn configure(&self, node: &Node, kind: Kind, port: u16) {
        let at = |path: &str| node.path(path).display().to_string();
        let run = match kind {
            Kind::Noisy => "echo 'Welcome to Proxmox VE!'; eval \"$line\"".to_owned(),
            Kind::OnlyTalks => "echo 'Please log in at the console.'".to_owned(),
            Kind::NotRoot => {
                "printf 'dmaudit-collect: \\033[2J\\ndmaudit-collect: must run as root\\n' >&2; exit 2".to_owned()
            }
            Kind::Hangs => format!(": >{}; exec sleep 300", at("began")),
            // Half a bundle, and the session's sshd is gone: its pid is this shell's parent.
            Kind::DiesHalfWay => "eval \"$line\" | head -c 9000; sleep 1; kill -KILL \"$PPID\"; sleep 1".to_owned(),
            Kind::DropsBeforeTheBundle => "sleep 1; kill -KILL \"$PPID\"; sleep 1".to_owned(),
            _ => "eval \"$line\"".to_owned(),
        };
        // The collector gets the made-up node's file system; the question for
        // the members of the cluster gets its paths.
        let sysroot = at("root");
        node.script(
            "login",
            &format!(
                "PATH={bin}:{tools}; export PATH; TMPDIR={tmp}; export TMPDIR\n\
                 line=$SSH_ORIGINAL_COMMAND\n\
                 case $line in\n\
                 *'sh -s -- -o - --timeout '*) line=\"$line --sysroot {sysroot}\" ;;\n\
                 'sh -s' | 'sudo -n sh -s') line=\"sed 's| /etc/| {sysroot}/etc/|g' | $line\" ;;\n\
                 *) echo \"nobody expected '$line'\" >&2; exit 64 ;;\n\
                 esac\n{run}",
                bin = at("bin"),
                tools = at("tools"),
                tmp = at("tmp"),
            ),
        );
        for tool in ["head", "uname"] {
            let found = crate::node::find_tool(tool).unwrap();
            let _ = std::os::unix::fs::symlink(found, node.path("tools").join(tool));
        }
        let key = if kind == Kind::OtherKey {
            "other.pub"
        } else {
            "user.pub"
        };
        fs::copy(self.path(key), node.path("authorized_keys")).unwrap();
        fs::copy(self.path("host"), node.path("host_key")).unwrap();
        for path in ["authorized_keys", "host_key"] {
            fs::set_permissions(node.path(path), fs::Permissions::from_mode(0o600)).unwrap();
        }
        node.write(
            "sshd_config",
            &format!(
                "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nPidFile none\nUsePAM no\nStrictModes no\n\
                 PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
                 AuthorizedKeysFile {}\nForceCommand {}\nPrintMotd no\nPrintLastLog no\n",
                at("host_key"),
                at("authorized_keys"),
                at("login"),
            ),
        );
    }

    /// Starts `dmaudit collect` with the lab's user.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let config = self.path("ssh_config_of_user");
        let hosts = fs::read_to_string(self.path("ssh_config")).unwrap();
        fs::write(
            &config,
            format!(
                "{hosts}Host *\n  User root\n  IdentityFile {}\n  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n",
                self.path("user").display(),
                self.path("known_hosts").display()
            ),
        )
        .unwrap();
        Command::new(env!("CARGO_BIN_EXE_dmaudit"))
            .arg("collect")
            .args(arguments)
            .arg("-o")
            .arg(self.out())
            .arg("--ssh-config")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    pub fn collect(&self, arguments: &[&str]) -> Run {
        let output = self.start(arguments).wait_with_output().unwrap();
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn append(path: &Path, text: &str) {
    let old = fs::read_to_string(path).unwrap_or_default();
    fs::write(path, old + text).unwrap();
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Waits for something that must come.
fn until(come: impl Fn() -> bool) {
    for _ in 0..600 {
        if come() {
            return;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("it did not come in 30 s");
}

/// The processes that a process's threads started.
pub fn children(pid: u32) -> Vec<u32> {
    fs::read_dir(format!("/proc/{pid}/task"))
        .unwrap()
        .flat_map(|task| {
            let listed = fs::read_to_string(task.unwrap().path().join("children")).unwrap();
            let pids: Vec<u32> = listed
                .split_whitespace()
                .map(|pid| pid.parse().unwrap())
                .collect();
            pids
        })
        .collect()
}

pub fn is_running(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}
