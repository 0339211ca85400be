//! Processor, memory, load and uptime, in words.

use super::Reader;
use super::bounds::{SENTENCE, brief};
use crate::parse::system::{parse_loadavg, parse_lscpu, parse_meminfo, parse_uptime};

pub(super) fn read(reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: Option<String>| {
        facts.extend(value.map(|value| (name.to_owned(), brief(&value, SENTENCE))));
    };
    let cpu = reader.command("lscpu", parse_lscpu);
    fact(
        "Processor",
        match (cpu.count, cpu.model) {
            (Some(count), Some(model)) => Some(format!("{count} × {model}")),
            (Some(count), None) => Some(format!("{count} CPUs")),
            (None, model) => model,
        },
    );
    let memory = reader.command("meminfo", parse_meminfo);
    let gib = |kib: u64| kib as f64 / f64::from(1 << 20);
    fact(
        "Memory",
        memory.total_kib.map(|total| match memory.available_kib {
            Some(free) => format!("{:.1} GiB, {:.1} GiB available", gib(total), gib(free)),
            None => format!("{:.1} GiB", gib(total)),
        }),
    );
    fact(
        "Load",
        reader
            .command("loadavg", parse_loadavg)
            .map(|load| format!("{:.2} {:.2} {:.2}", load.one, load.five, load.fifteen)),
    );
    fact(
        "Uptime",
        reader.command("uptime", parse_uptime).map(|seconds| {
            let minutes = (seconds / 60.0) as u64;
            let (days, hours) = (minutes / 1440, minutes / 60 % 24);
            match (days, hours) {
                (0, 0) => format!("{minutes} min"),
                (0, hours) => format!("{hours} h {} min", minutes % 60),
                (days, hours) => format!("{days} d {hours} h"),
            }
        }),
    );
    facts
}
