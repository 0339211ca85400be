//! The JSON Schema of `report.json`, made from the types it is written from.

use schemars::{JsonSchema, generate::SchemaSettings};

use super::types::{Cluster, Node, Tool};
use crate::report::view::Rejected;

/// What `dmaudit analyze` found: `report.json`, and its output with
/// `--format json`. Fields may be added within schema 1; none changes meaning.
#[derive(JsonSchema)]
#[schemars(title = "dmaudit report, schema 1")]
#[allow(dead_code)]
struct Report<'a> {
    /// The schema's number.
    #[schemars(range(min = 1, max = 1))]
    schema: u32,
    /// What wrote it.
    tool: Tool<'a>,
    /// When the analysis ran, RFC 3339.
    analyzed_at: &'a str,
    /// The nodes, in the order of the inputs.
    nodes: Vec<Node<'a>>,
    /// The clusters by name.
    clusters: Vec<Cluster<'a>>,
    /// Inputs that could not be read.
    rejected: Vec<Rejected>,
}

/// The schema, JSON Schema 2020-12, of values as they are written.
#[must_use]
pub fn schema() -> serde_json::Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings
        .into_generator()
        .into_root_schema_for::<Report<'_>>()
        .to_value()
}
