//! Generated fleets: clusters with known faults, as bundles.

mod build;
mod bundle;
mod dm;
mod guests;
mod lvm;
mod problems;
mod rng;
mod truth;
mod world;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use rayon::prelude::*;
use serde_json::{Value, json};

pub use problems::PROBLEMS;

/// What to generate.
pub struct Plan {
    pub nodes: usize,
    pub entries: usize,
    pub seed: u64,
    /// The share of nodes that have a problem, by its name.
    pub rates: BTreeMap<String, f64>,
}

/// Writes the fleet's bundles and `truth.json` below `folder`; returns the truth.
pub fn generate(folder: &Path, plan: &Plan) -> io::Result<Value> {
    let mut rng = rng::Rng::new(plan.seed, 0);
    let mut sizes = Vec::new();
    let mut left = plan.nodes;
    while left > 0 {
        let size = if left < 3 || rng.chance(0.3) {
            1
        } else {
            (rng.range(3, 16) as usize).min(left)
        };
        sizes.push(size);
        left -= size;
    }
    let truths: Vec<(Vec<Value>, Option<Value>)> = sizes
        .par_iter()
        .enumerate()
        .map(|(number, size)| {
            let mut rng = rng::Rng::new(plan.seed, number as u64 + 1);
            let mut cluster = build::cluster(&mut rng, number, *size, plan.entries);
            problems::inject(&mut rng, &mut cluster, &plan.rates);
            bundle::write(folder, &cluster)?;
            Ok(truth::of(&cluster))
        })
        .collect::<io::Result<_>>()?;
    let (nodes, clusters): (Vec<_>, Vec<_>) = truths.into_iter().unzip();
    let nodes: Vec<Value> = nodes.into_iter().flatten().collect();
    let clusters: Vec<Value> = clusters.into_iter().flatten().collect();
    let truth = json!({"seed": plan.seed, "nodes": nodes, "clusters": clusters});
    std::fs::write(folder.join("truth.json"), truth.to_string())?;
    Ok(truth)
}
