//! One `ssh`: started with a script on its standard input, followed until it
//! ends, its time is over or the user wants to stop.

use std::io::{self, Read, Seek, Write};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How often a session is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// How long a session that was told to end may take, and what it printed may
/// take to arrive after its end.
const GRACE: Duration = Duration::from_secs(2);

/// Bytes of standard error that are kept: the last ones.
const STDERR_BYTES: usize = 64 << 10;

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, with this status; none if a signal ended it.
    Exited(Option<i32>),
    /// Its time was over.
    TimedOut,
    /// The user wanted to stop.
    Interrupted,
}

/// What came of a session.
#[derive(Debug)]
pub(super) struct Session<T> {
    pub(super) end: End,
    /// What became of its standard output; none if something still holds it
    /// open.
    pub(super) output: Option<T>,
    /// The end of its standard error.
    pub(super) stderr: String,
}

/// When to leave off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Until<'a> {
    pub(super) limit: Duration,
    pub(super) stop: &'a AtomicBool,
}

/// Runs a command. `read` gets its standard output in a thread of its own;
/// `look` is called again and again while it runs.
///
/// # Errors
///
/// The command could not be started.
pub(super) fn run<T: Send + 'static>(
    mut command: Command,
    script: &str,
    read: impl FnOnce(ChildStdout) -> T + Send + 'static,
    until: Until<'_>,
    look: &dyn Fn(),
) -> io::Result<Session<T>> {
    // From a file, so that nothing here can block or break on a pipe.
    let mut input = tempfile::tempfile()?;
    input.write_all(script.as_bytes())?;
    input.rewind()?;
    own_group(&mut command);
    let mut child = command
        .stdin(Stdio::from(input))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (sender, output) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || sender.send(read(stdout)));
    }
    let (errors, errors_ended) = Tail::follow(child.stderr.take());
    let end = follow(&mut child, until, look)?;
    let output = output.recv_timeout(GRACE).ok();
    // A connection that ssh shares and leaves behind may hold the stream open.
    let _ = errors_ended.recv_timeout(GRACE);
    Ok(Session {
        end,
        output,
        stderr: errors.text(),
    })
}

fn follow(child: &mut Child, until: Until<'_>, look: &dyn Fn()) -> io::Result<End> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(End::Exited(status.code()));
        }
        let end = if until.stop.load(Ordering::Relaxed) {
            End::Interrupted
        } else if began.elapsed() >= until.limit {
            End::TimedOut
        } else {
            look();
            thread::sleep(LOOK);
            continue;
        };
        finish(child)?;
        return Ok(end);
    }
}

/// Asks a session to end, and ends it.
fn finish(child: &mut Child) -> io::Result<()> {
    signal(child, false);
    let asked = Instant::now();
    while asked.elapsed() < GRACE {
        if child.try_wait()?.is_some() {
            return Ok(());
        }
        thread::sleep(LOOK);
    }
    signal(child, true);
    child.kill()?;
    child.wait().map(|_| ())
}

/// Gives the command a process group: a proxy that `ssh` starts is in it, and
/// the terminal's Ctrl-C reaches it only through us.
#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

#[cfg(unix)]
fn signal(child: &Child, hard: bool) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let signal = if hard { Signal::KILL } else { Signal::TERM };
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        // A group that is gone has nothing left to end.
        let _ = kill_process_group(group, signal);
    }
}

#[cfg(not(unix))]
fn signal(_: &Child, _: bool) {}

/// The end of what a stream brought, so far.
#[derive(Debug, Clone, Default)]
struct Tail(Arc<Mutex<Vec<u8>>>);

impl Tail {
    /// Follows a stream to its end; the receiver learns of the end.
    fn follow(stream: Option<ChildStderr>) -> (Self, Receiver<()>) {
        let tail = Self::default();
        let (sender, ended) = mpsc::channel();
        if let Some(mut stream) = stream {
            let tail = tail.clone();
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    tail.add(buffer.get(..count).unwrap_or_default());
                }
                let _ = sender.send(());
            });
        }
        (tail, ended)
    }

    fn add(&self, bytes: &[u8]) {
        if let Ok(mut kept) = self.0.lock() {
            kept.extend_from_slice(bytes);
            let more = kept.len().saturating_sub(STDERR_BYTES);
            kept.drain(..more);
        }
    }

    fn text(&self) -> String {
        self.0.lock().map_or_else(
            |_| String::new(),
            |kept| String::from_utf8_lossy(&kept).replace('\r', ""),
        )
    }
}
