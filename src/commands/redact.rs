//! `dmaudit redact`.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

use super::{interrupt, output};
use crate::bundle::{self, Bundle, Rejected};
use crate::cli::Redact;
use crate::redact::{self, Names};
use crate::report::words::printable;

/// Writes a redacted bundle for each bundle, and the mapping.
///
/// # Errors
///
/// A line for the user where the mapping or the folder is not usable.
pub fn run(args: &Redact) -> Result<ExitCode, String> {
    interrupt::watch()?;
    let mut names = match Names::load(&args.mapping)? {
        Some(names) => names,
        None => Names::new().map_err(|error| format!("no random bytes for a key: {error}"))?,
    };
    fs::create_dir_all(&args.output)
        .map_err(|error| format!("{} can't be made: {error}", args.output.display()))?;
    let within = |path: &std::path::Path| -> bool {
        let folder = output::folder_of(path);
        matches!((folder.canonicalize(), args.output.canonicalize()), (Ok(a), Ok(b)) if a.starts_with(&b))
    };
    if within(&args.mapping) {
        return Err(format!(
            "the mapping {} would lie among the bundles to send; give it another folder",
            args.mapping.display()
        ));
    }
    let discovery = bundle::discover(&args.paths);
    let mut rejected = discovery.rejected;
    let mut taken = BTreeSet::new();
    for source in &discovery.sources {
        let mut reject = |error: String| {
            let path = source.name();
            rejected.push(Rejected { path, error });
        };
        names.begin_input();
        match bundle::open(source, &args.limits.limits()) {
            Err(error) => reject(error.to_string()),
            Ok(bundles) => {
                let mut all = Vec::new();
                for bundle in &bundles {
                    match redact::redact(bundle, &mut names) {
                        Err(error) => reject(error),
                        Ok(done) => all.push((bundle, done)),
                    }
                }
                if !all.is_empty() {
                    // First: a bundle whose stand-ins nobody knows is of no use.
                    output::write_private(&args.mapping, names.to_text()?.as_bytes())?;
                }
                for (bundle, done) in all {
                    write(args, &mut taken, bundle, &done)?;
                }
            }
        }
    }
    rejected.sort();
    for input in &rejected {
        let (path, error) = (printable(&input.path), printable(&input.error));
        tell!("dmaudit: rejected {path}: {error}");
    }
    Ok(match rejected.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(3),
    })
}

fn write(
    args: &Redact,
    taken: &mut BTreeSet<String>,
    bundle: &Bundle,
    done: &redact::Redacted,
) -> Result<(), String> {
    let mut name = format!("{}.zip", done.top);
    let mut number = 1;
    while !taken.insert(name.to_lowercase()) {
        number += 1;
        name = format!("{}-{number}.zip", done.top);
    }
    let path = args.output.join(&name);
    output::write(&args.output, &name, &done.archive)?;
    let mut out = io::stdout().lock();
    let mut say = || -> io::Result<()> {
        writeln!(out, "{}: {}", printable(bundle.source()), path.display())?;
        if !done.dropped.is_empty() {
            let dropped = printable(&done.dropped.join(", "));
            writeln!(out, "  left out: {dropped}")?;
        }
        Ok(())
    };
    match say() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("standard output could not be written: {error}"))
        }
        _ => Ok(()),
    }
}
