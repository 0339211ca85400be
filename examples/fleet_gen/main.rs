//! Writes a fleet of bundles with known faults, and the truth beside them:
//! `fleet_gen DIR [--nodes N] [--entries N] [--seed N] [--rate PROBLEM=0.05]…`

mod fleet;

use std::error::Error;
use std::path::PathBuf;

use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// Where to write the bundles and truth.json
    folder: PathBuf,
    #[arg(long, default_value_t = 100)]
    nodes: usize,
    /// Device-mapper entries of each node
    #[arg(long, default_value_t = 500)]
    entries: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// PROBLEM=SHARE of the nodes that have it, or all=SHARE (default 0.05)
    #[arg(long)]
    rate: Vec<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let mut rates: std::collections::BTreeMap<String, f64> = fleet::PROBLEMS
        .iter()
        .map(|name| ((*name).to_owned(), 0.05))
        .collect();
    for rate in &arguments.rate {
        let (name, share) = rate
            .split_once('=')
            .ok_or("--rate: expected PROBLEM=SHARE")?;
        let share: f64 = share.parse()?;
        match (name, rates.get_mut(name)) {
            ("all", _) => rates.values_mut().for_each(|rate| *rate = share),
            (_, Some(rate)) => *rate = share,
            _ => {
                return Err(format!(
                    "--rate: no problem '{name}'; there are: {}",
                    fleet::PROBLEMS.join(", ")
                )
                .into());
            }
        }
    }
    std::fs::create_dir_all(&arguments.folder)?;
    let plan = fleet::Plan {
        nodes: arguments.nodes,
        entries: arguments.entries.max(30),
        seed: arguments.seed,
        rates,
    };
    let truth = fleet::generate(&arguments.folder, &plan)?;
    eprintln!(
        "{} nodes in {}",
        truth["nodes"].as_array().map_or(0, Vec::len),
        arguments.folder.display()
    );
    Ok(())
}
