//! A cluster's page: what its template needs besides the view model.

use std::sync::Arc;

use minijinja::value::Value;
use serde::Serialize;

use super::markup::href;
use super::parts::{Group, groups};
use super::{Run, depth, safe, words};
use crate::report::charts::{Ink, gauge};
use crate::report::view::{Cluster, ClusterNode, Matrix, MatrixRow};

/// The template's input.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    run: Run<'a>,
    cluster: &'a Cluster,
    index_href: String,
    gauge: Value,
    groups: Vec<Group>,
    nodes: Vec<NodeRow<'a>>,
    matrix_nodes: &'a [String],
    matrix_count: usize,
    matrix_attention: Vec<VolumeRow<'a>>,
    matrix_rest: Vec<VolumeRow<'a>>,
}

#[derive(Serialize)]
struct NodeRow<'a> {
    node: &'a ClusterNode,
    href: String,
}

#[derive(Serialize)]
struct VolumeRow<'a> {
    volume: &'a str,
    vmid: Option<u64>,
    issue: bool,
    cells: Vec<Cell<'a>>,
}

#[derive(Serialize)]
struct Cell<'a> {
    state: &'a str,
    class: &'static str,
    /// Whether this node's configuration references the volume.
    home: bool,
}

/// Puts a cluster's page together.
pub(super) fn page<'a>(run: Run<'a>, cluster: &'a Cluster) -> Result<Page<'a>, String> {
    let depth = depth(cluster.page.as_deref());
    let grade = cluster.grade.as_deref();
    let title = format!("Grade {}", grade.unwrap_or("none"));
    let matrix = &cluster.matrix;
    let (matrix_attention, matrix_rest): (Vec<_>, Vec<_>) = matrix
        .rows
        .iter()
        .map(|row| volume_row(matrix, row))
        .partition(|row| row.issue);
    Ok(Page {
        run,
        cluster,
        index_href: href(depth, "index.html"),
        // A cluster has no score: its ring is closed.
        gauge: safe(gauge(&title, grade.map(|_| 100), Ink::of_grade(grade))?),
        groups: groups(&Arc::new(cluster.findings.clone())),
        nodes: cluster
            .nodes
            .iter()
            .map(|node| NodeRow {
                node,
                href: href(depth, &format!("nodes/{}.html", node.slug)),
            })
            .collect(),
        matrix_nodes: &matrix.nodes,
        matrix_count: matrix.rows.len(),
        matrix_attention,
        matrix_rest,
    })
}

fn volume_row<'a>(matrix: &'a Matrix, row: &'a MatrixRow) -> VolumeRow<'a> {
    let cells = row.cells.iter().enumerate().map(|(at, state)| Cell {
        state,
        // An active volume is neither good nor bad by itself.
        class: match state.as_str() {
            "active" => "quiet",
            other => words::tone(other),
        },
        home: row.home.is_some() && row.home.as_ref() == matrix.nodes.get(at),
    });
    VolumeRow {
        volume: &row.volume,
        vmid: row.vmid,
        issue: row.issue,
        cells: cells.collect(),
    }
}
