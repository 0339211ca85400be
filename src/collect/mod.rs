//! Bundles of many nodes at once, over the system's `ssh`: the collector goes
//! in over standard input, the bundle comes back over standard output.
//!
//! How a host is reached is ssh's business: its configuration, its agent, its
//! jump hosts. Nothing is ever asked on the terminal, and nothing is left on
//! a node.

mod failure;
mod hosts;
mod receive;
mod session;
mod store;

use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub use failure::{Failure, Kind};
pub use hosts::{By, Target};
pub use store::Collected;

use crate::bundle::Limits;
use receive::{Received, receive};
use session::{Session, Until};

/// The collector, as `dmaudit` carries it.
pub const COLLECTOR: &str = include_str!("../../collector/dmaudit-collect.sh");

/// How nodes are reached and what is asked of them.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where bundles go.
    pub folder: PathBuf,
    /// Another configuration for ssh than the user's own.
    pub ssh_config: Option<PathBuf>,
    /// Options for ssh, as `-o` takes them.
    pub ssh_options: Vec<String>,
    /// Run the collector by `sudo -n`.
    pub sudo: bool,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long a node may take in all.
    pub timeout: Duration,
    /// How long one command may take on a node.
    pub command_timeout: Duration,
    /// How many nodes at once.
    pub jobs: usize,
}

/// What came of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The host.
    pub target: Target,
    /// Its bundle, or why there is none.
    pub result: Result<Collected, Failure>,
    /// How long it took.
    pub seconds: u64,
}

/// Learns how far a host is; called from several threads.
pub trait Watch: Sync {
    /// A host's turn has come.
    fn started(&self, at: usize);
    /// So many bytes of its bundle are here; called again and again.
    fn running(&self, at: usize, bytes: u64);
    /// It is done.
    fn done(&self, at: usize, outcome: &Outcome);
}

/// Collects from all hosts; the outcomes are in the hosts' order. Once `stop`
/// is set, every session is ended.
pub fn collect(
    settings: &Settings,
    targets: &[Target],
    stop: &AtomicBool,
    watch: &dyn Watch,
) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let outcomes: Vec<Mutex<Option<Outcome>>> = targets.iter().map(|_| Mutex::default()).collect();
    thread::scope(|scope| {
        for _ in 0..settings.jobs.clamp(1, targets.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(target), Some(place)) = (targets.get(at), outcomes.get(at)) else {
                        return;
                    };
                    watch.started(at);
                    let began = Instant::now();
                    let result = collect_one(settings, target, stop, &|bytes| {
                        watch.running(at, bytes);
                    });
                    let outcome = Outcome {
                        target: target.clone(),
                        result,
                        seconds: began.elapsed().as_secs(),
                    };
                    watch.done(at, &outcome);
                    if let Ok(mut place) = place.lock() {
                        *place = Some(outcome);
                    }
                }
            });
        }
    });
    outcomes
        .into_iter()
        .filter_map(|outcome| outcome.into_inner().ok().flatten())
        .collect()
}

/// The nodes of the cluster that a host belongs to, the host itself among
/// them.
///
/// # Errors
///
/// Why it could not be asked, or what it said was not understood.
pub fn cluster(
    settings: &Settings,
    asked: &Target,
    by: By,
    stop: &AtomicBool,
) -> Result<Vec<Target>, Failure> {
    const ANSWER_BYTES: u64 = 1 << 20;
    let read = |stdout: std::process::ChildStdout| {
        let mut answer = Vec::new();
        let _ = stdout.take(ANSWER_BYTES).read_to_end(&mut answer);
        answer
    };
    let until = Until {
        limit: settings.connect_timeout + settings.command_timeout,
        stop,
    };
    let command = settings.ssh(asked, "sh -s");
    let session = session::run(command, hosts::MEMBERS_SCRIPT, read, until, &|| ())
        .map_err(|error| not_started(&error))?;
    let answer =
        String::from_utf8_lossy(session.output.as_deref().unwrap_or_default()).into_owned();
    if let Some(failure) = failure::of(session.end, &session.stderr, until.limit.as_secs(), false)
        .filter(|failure| failure.kind != Kind::NoBundle)
    {
        return Err(failure);
    }
    hosts::members(asked, &answer, by)
        .map_err(|detail| Failure::new(Kind::NotPve, detail).with_stderr(&session.stderr))
}

impl Settings {
    /// `ssh` to a host. ssh takes the first value of an option: what nothing
    /// may change stands first, then the user's, then what is only a default.
    fn ssh(&self, target: &Target, remote: &str) -> Command {
        let mut ssh = Command::new("ssh");
        if let Some(file) = &self.ssh_config {
            ssh.arg("-F").arg(file);
        }
        ssh.args(["-T", "-o", "BatchMode=yes", "-o", "RemoteCommand=none"]);
        for option in &self.ssh_options {
            ssh.arg("-o").arg(option);
        }
        let connect = format!("ConnectTimeout={}", self.connect_timeout.as_secs());
        for option in [
            connect.as_str(),
            "ServerAliveInterval=15",
            "ServerAliveCountMax=4",
            "ClearAllForwardings=yes",
            // A host that another one named gets no key to further ones.
            "ForwardAgent=no",
            "ForwardX11=no",
        ] {
            ssh.args(["-o", option]);
        }
        let sudo = if self.sudo { "sudo -n " } else { "" };
        ssh.arg("--")
            .arg(target.to_string())
            .arg(format!("{sudo}{remote}"));
        ssh
    }
}

fn not_started(error: &std::io::Error) -> Failure {
    Failure::new(Kind::Local, format!("ssh could not be started: {error}"))
}

fn collect_one(
    settings: &Settings,
    target: &Target,
    stop: &AtomicBool,
    look: &dyn Fn(u64),
) -> Result<Collected, Failure> {
    if stop.load(Ordering::Relaxed) {
        return Err(Failure::new(Kind::Interrupted, "not begun"));
    }
    let file = store::temporary(&settings.folder)?;
    let mut to = file
        .as_file()
        .try_clone()
        .map_err(|error| Failure::new(Kind::Local, error.to_string()))?;
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    let limit = Limits::default().archive_bytes;
    let seconds = settings.command_timeout.as_secs();
    let command = settings.ssh(target, &format!("sh -s -- -o - --timeout {seconds}"));
    let session = session::run(
        command,
        COLLECTOR,
        move |stdout| receive(stdout, &mut to, limit, &counted),
        Until {
            limit: settings.timeout,
            stop,
        },
        &|| look(count.load(Ordering::Relaxed)),
    )
    .map_err(|error| not_started(&error))?;
    let received = judge(&session, settings.timeout.as_secs())?;
    // One at a time: each may take all the memory that a bundle may.
    static CHECKING: Mutex<()> = Mutex::new(());
    let checking = CHECKING.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = store::keep(file, &settings.folder);
    drop(checking);
    let mut collected = kept.map_err(|failure| failure.with_stderr(&session.stderr))?;
    if !received.noise.is_empty() {
        collected.notes.push(format!(
            "its shell printed {} bytes before the bundle, which were left out: a start-up file there prints where nobody reads",
            received.noise.len()
        ));
    }
    Ok(collected)
}

/// Whether a session ended well and brought something.
fn judge(session: &Session<Received>, seconds: u64) -> Result<&Received, Failure> {
    let received = session.output.as_ref();
    let failed =
        |kind, detail: String| Err(Failure::new(kind, detail).with_stderr(&session.stderr));
    if received.is_some_and(|received| received.too_large) {
        return failed(Kind::Damaged, "it is larger than any bundle".to_owned());
    }
    if let Some(error) = received.and_then(|received| received.error.as_ref()) {
        return failed(
            Kind::Local,
            format!("the bundle could not be written: {error}"),
        );
    }
    let begun = received.is_some_and(|received| received.bytes > 0);
    if let Some(failure) = failure::of(session.end, &session.stderr, seconds, begun) {
        return Err(failure);
    }
    match received {
        Some(received) if begun => Ok(received),
        Some(received) if !received.noise.is_empty() => {
            let text = String::from_utf8_lossy(&received.noise);
            let line = text.lines().find(|line| !line.trim().is_empty());
            let detail = format!("it printed no bundle but {:?}", line.unwrap_or_default());
            failed(Kind::NoBundle, detail)
        }
        Some(_) => failed(Kind::NoBundle, "it printed nothing".to_owned()),
        None => failed(
            Kind::ConnectionLost,
            "the bundle's end did not arrive, though ssh ended".to_owned(),
        ),
    }
}
