//! A line per host: one that moves while it runs on a terminal, and one that
//! stays when it is done.

use std::sync::Mutex;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::summary::line;
use crate::collect::{Outcome, Target, Watch};
use crate::report::words::size;
use std::io::{self, IsTerminal};

pub(super) struct Progress<'a> {
    targets: &'a [Target],
    /// None where standard error is no terminal.
    bars: Option<MultiProgress>,
    running: Mutex<Vec<Option<ProgressBar>>>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(targets: &'a [Target]) -> Self {
        Self {
            targets,
            bars: io::stderr().is_terminal().then(MultiProgress::new),
            running: Mutex::new(vec![None; targets.len()]),
        }
    }

    fn with_bar(&self, at: usize, act: impl FnOnce(&mut Option<ProgressBar>)) {
        if let Ok(mut running) = self.running.lock()
            && let Some(bar) = running.get_mut(at)
        {
            act(bar);
        }
    }
}

impl Watch for Progress<'_> {
    fn started(&self, at: usize) {
        let (Some(bars), Some(target)) = (&self.bars, self.targets.get(at)) else {
            return;
        };
        let style = ProgressStyle::with_template("{spinner} {prefix}: {msg} ({elapsed})")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = bars.add(
            ProgressBar::new_spinner()
                .with_style(style)
                .with_prefix(target.to_string())
                .with_message("collecting"),
        );
        bar.enable_steady_tick(Duration::from_millis(200));
        self.with_bar(at, |place| *place = Some(bar));
    }

    fn running(&self, at: usize, bytes: u64) {
        if self.bars.is_some() && bytes > 0 {
            self.with_bar(at, |bar| {
                if let Some(bar) = bar {
                    bar.set_message(format!("{} received", size(bytes)));
                }
            });
        }
    }

    fn done(&self, at: usize, outcome: &Outcome) {
        self.with_bar(at, |bar| {
            if let Some(bar) = bar.take() {
                bar.finish_and_clear();
            }
        });
        let line = format!("dmaudit: {}", line(outcome));
        match &self.bars {
            Some(bars) => bars.suspend(|| tell!("{line}")),
            None => tell!("{line}"),
        }
    }
}
