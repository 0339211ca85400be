//! Why a node's bundle is not there, told from ssh's exit status and from what
//! ssh, the remote shell, sudo and the collector say.

use super::session::End;

/// What kind of failure: one that a person mends differently from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// No connection: no such name, refused, no route, no answer.
    Unreachable,
    /// The user was not let in.
    Authentication,
    /// The host's key is not known, or another one.
    HostKey,
    /// It took longer than it may.
    TimedOut,
    /// The connection ended before the bundle did.
    ConnectionLost,
    /// The collector must run as root, and did not.
    NotRoot,
    /// The machine has nothing of Proxmox VE.
    NotPve,
    /// Commands that the collector or a bundle can't do without are missing.
    MissingCommands,
    /// The collector ran and wrote no bundle.
    NoBundle,
    /// What came is not a whole bundle.
    Damaged,
    /// This machine: no space, no permission, no ssh.
    Local,
    /// The user stopped it.
    Interrupted,
}

impl Kind {
    /// Its kebab-case name, which never changes meaning.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Authentication => "authentication",
            Self::HostKey => "host-key",
            Self::TimedOut => "timed-out",
            Self::ConnectionLost => "connection-lost",
            Self::NotRoot => "not-root",
            Self::NotPve => "not-pve",
            Self::MissingCommands => "missing-commands",
            Self::NoBundle => "no-bundle",
            Self::Damaged => "damaged",
            Self::Local => "local",
            Self::Interrupted => "interrupted",
        }
    }

    /// What to do about it: one sentence, or nothing.
    pub fn advice(self) -> Option<&'static str> {
        Some(match self {
            Self::Unreachable => "check the name, the network and that sshd runs there",
            Self::Authentication => {
                "nothing is asked for a password: give ssh a key that this user may log in with (ssh-agent, IdentityFile)"
            }
            Self::HostKey => {
                "log in once by hand and compare the key, or add it to known_hosts; a changed key may be an attack"
            }
            Self::TimedOut => {
                "look at the node: a suspended device hangs what reads it; or raise --timeout"
            }
            Self::ConnectionLost => "collect this node again",
            Self::NotRoot => "log in as root@HOST, or use --sudo with a user who may `sudo -n sh`",
            Self::NotPve => "give a Proxmox VE node",
            Self::MissingCommands => "see what is missing in the lines above",
            Self::NoBundle => "see what the collector said in the lines above",
            Self::Damaged => "collect this node again",
            Self::Local | Self::Interrupted => return None,
        })
    }
}

/// Why a node's bundle is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind.
    pub kind: Kind,
    /// What happened: one sentence, which may quote the remote side.
    pub detail: String,
    /// The last lines of the remote side's standard error, not escaped.
    pub stderr: Vec<String>,
}

impl Failure {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            stderr: Vec::new(),
        }
    }

    /// With the last lines of standard error.
    pub(super) fn with_stderr(mut self, stderr: &str) -> Self {
        let lines: Vec<&str> = stderr
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let skipped = lines.len().saturating_sub(STDERR_LINES);
        self.stderr = lines
            .iter()
            .skip(skipped)
            .map(|line| (*line).to_owned())
            .collect();
        self
    }
}

/// Lines of standard error that are shown.
const STDERR_LINES: usize = 10;

/// What ssh and the remote side say, and what it means; the first that is
/// found counts. Sources: OpenSSH's sshconnect.c, clientloop.c and packet.c,
/// sudo's messages, and this collector's.
const SAYINGS: [(Kind, &[&str]); 7] = [
    (
        Kind::Local,
        &[
            "Bad owner or permissions on",
            "Bad configuration option",
            "Can't open user config",
        ],
    ),
    (
        Kind::HostKey,
        &[
            "Host key verification failed",
            "REMOTE HOST IDENTIFICATION HAS CHANGED",
            "no matching host key type",
        ],
    ),
    (
        Kind::Authentication,
        &[
            "Permission denied (",
            "Too many authentication failures",
            "No more authentication methods",
            "This account is currently not available",
        ],
    ),
    (
        Kind::ConnectionLost,
        &[
            "closed by remote host.",
            "client_loop:",
            "packet_write_wait:",
            "not responding.",
            "Read from remote host",
        ],
    ),
    (
        Kind::Unreachable,
        &[
            "Could not resolve hostname",
            "Connection refused",
            "No route to host",
            "Network is unreachable",
            "Connection timed out",
            "Operation timed out",
            "Connection reset",
            "Connection closed by",
            "kex_exchange_identification",
            "banner exchange",
            "stdio forwarding failed",
        ],
    ),
    (
        Kind::NotRoot,
        &[
            "must run as root",
            "sudo: a password is required",
            "sudo: a terminal is required",
            "is not in the sudoers file",
            "is not allowed to execute",
        ],
    ),
    (
        Kind::MissingCommands,
        &[
            "command not found",
            ": not found",
            "nothing can be collected without it",
        ],
    ),
];

/// ssh's own status where it failed, as opposed to the remote command's.
const SSH_FAILED: i32 = 255;

/// The failure of a session that did not end well; none if it ended well.
pub(super) fn of(end: End, stderr: &str, seconds: u64, begun: bool) -> Option<Failure> {
    let status = match end {
        End::Exited(Some(0)) => return None,
        End::Exited(status) => status,
        End::TimedOut => {
            let detail = format!("not done after {seconds} s");
            return Some(Failure::new(Kind::TimedOut, detail).with_stderr(stderr));
        }
        End::Interrupted => return Some(Failure::new(Kind::Interrupted, "stopped")),
    };
    let from_ssh = status == Some(SSH_FAILED);
    let said = SAYINGS
        .iter()
        .filter(|(kind, _)| {
            let remote = matches!(kind, Kind::NotRoot | Kind::MissingCommands);
            // A failed ssh is not explained by what a command said, nor the other way round.
            from_ssh != remote && !(begun && from_ssh)
        })
        .find_map(|(kind, sayings)| {
            let line = stderr
                .lines()
                .rev()
                .find(|line| sayings.iter().any(|saying| line.contains(saying)))?;
            Some(Failure::new(*kind, line.trim()))
        });
    let failure = said.unwrap_or_else(|| match status {
        Some(SSH_FAILED) if begun || stderr.contains("dmaudit-collect:") => Failure::new(
            Kind::ConnectionLost,
            "the connection ended in the middle of the bundle",
        ),
        Some(SSH_FAILED) => Failure::new(
            Kind::Unreachable,
            last_line(stderr).unwrap_or("ssh failed and did not say why (is its LogLevel QUIET?)"),
        ),
        Some(127) => Failure::new(
            Kind::MissingCommands,
            "a command is missing there (the remote shell's exit status is 127)",
        ),
        Some(status) => Failure::new(
            Kind::NoBundle,
            match last_line(stderr) {
                Some(line) => format!("exit status {status}: {line}"),
                None => format!("exit status {status}, and not a word why"),
            },
        ),
        None => Failure::new(Kind::ConnectionLost, "ssh was killed by a signal"),
    });
    Some(failure.with_stderr(stderr))
}

fn last_line(stderr: &str) -> Option<&str> {
    let mut lines = stderr.lines().rev().map(str::trim);
    lines.find(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn kind(status: i32, stderr: &str, begun: bool) -> Kind {
        of(End::Exited(Some(status)), stderr, 1, begun)
            .unwrap()
            .kind
    }

    #[test]
    fn what_ssh_says() {
        for (stderr, expected) in [
            (
                "ssh: connect to host pve9 port 22: Connection refused\n",
                Kind::Unreachable,
            ),
            (
                "ssh: Could not resolve hostname pve9: Name or service not known\n",
                Kind::Unreachable,
            ),
            (
                "root@pve1: Permission denied (publickey,password).\n",
                Kind::Authentication,
            ),
            (
                "Received disconnect from 192.0.2.1 port 22:2: Too many authentication failures\nDisconnected from 192.0.2.1 port 22\n",
                Kind::Authentication,
            ),
            (
                "No ED25519 host key is known for pve1 and you have requested strict checking.\nHost key verification failed.\n",
                Kind::HostKey,
            ),
            (
                "Connection to pve1 closed by remote host.\n",
                Kind::ConnectionLost,
            ),
            (
                "Timeout, server pve1 not responding.\n",
                Kind::ConnectionLost,
            ),
            (
                "kex_exchange_identification: Connection closed by remote host\n",
                Kind::Unreachable,
            ),
            ("", Kind::Unreachable),
        ] {
            assert_eq!(kind(255, stderr, false), expected, "{stderr}");
        }
        assert_eq!(
            kind(255, "Permission denied (x)", true),
            Kind::ConnectionLost
        );
        assert_eq!(of(End::Exited(Some(0)), "anything", 1, true), None);
    }

    #[test]
    fn what_the_remote_side_says() {
        for (status, stderr, expected) in [
            (
                2,
                "dmaudit-collect: must run as root: dmsetup, LVM and /etc/pve answer nobody else\n",
                Kind::NotRoot,
            ),
            (1, "sudo: a password is required\n", Kind::NotRoot),
            (
                127,
                "bash: line 1: sudo: command not found\n",
                Kind::MissingCommands,
            ),
            (127, "", Kind::MissingCommands),
            (
                1,
                "dmaudit-collect: no temporary directory: set TMPDIR to one with space\n",
                Kind::NoBundle,
            ),
            // What a command of the node complains of is no failure of ssh.
            (1, "lvs: Connection refused\n", Kind::NoBundle),
        ] {
            assert_eq!(kind(status, stderr, false), expected, "{stderr}");
        }
    }
}
