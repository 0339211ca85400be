//! A cluster's page: what its template needs besides the view model.

use std::sync::Arc;

use minijinja::value::Value;
use serde::Serialize;

use super::markup::href;
use super::parts::{Found, Group, groups};
use super::rows::Table;
use super::{Run, depth, safe};
use crate::report::charts::{Ink, gauge};
use crate::report::view::{Cluster, ClusterNode, Finding, Ignored, Step};

/// The template's input.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    run: Run<'a>,
    cluster: Head<'a>,
    index_href: String,
    gauge: Value,
    issue_count: usize,
    groups: Vec<Group>,
    nodes: Vec<NodeRow<'a>>,
    matrix_nodes: &'a [String],
    matrix_count: usize,
    matrix_attention: Value,
    matrix_rest: Value,
    rest_count: usize,
    left_out: usize,
    left_out_issues: usize,
}

/// The view model's cluster without its findings and volumes.
#[derive(Serialize)]
struct Head<'a> {
    cluster: &'a str,
    grade: Option<&'a str>,
    absent: &'a [String],
    headline: &'a str,
    notes: &'a [String],
    ignored: &'a [Ignored],
    steps: &'a [Step],
}

#[derive(Serialize)]
struct NodeRow<'a> {
    node: &'a ClusterNode,
    href: String,
}

impl Found for Cluster {
    fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

/// Puts a cluster's page together.
pub(super) fn page<'a>(run: Run<'a>, cluster: &'a Arc<Cluster>) -> Result<Page<'a>, String> {
    let depth = depth(cluster.page.as_deref());
    let grade = cluster.grade.as_deref();
    let title = format!("Grade {}", grade.unwrap_or("none"));
    let matrix = &cluster.matrix;
    let with_issue = matrix.rows.iter().filter(|row| row.issue).count();
    let rest_count = matrix.rows.len() - with_issue;
    Ok(Page {
        run,
        cluster: Head {
            cluster: &cluster.cluster,
            grade,
            absent: &cluster.absent,
            headline: &cluster.headline,
            notes: &cluster.notes,
            ignored: &cluster.ignored,
            steps: &cluster.steps,
        },
        index_href: href(depth, "index.html"),
        // A cluster has no score: its ring is closed.
        gauge: safe(gauge(&title, grade.map(|_| 100), Ink::of_grade(grade))?),
        issue_count: cluster.findings.len(),
        groups: groups(cluster),
        nodes: cluster
            .nodes
            .iter()
            .map(|node| NodeRow {
                node,
                href: href(depth, &format!("nodes/{}.html", node.slug)),
            })
            .collect(),
        matrix_nodes: &matrix.nodes,
        matrix_count: matrix.rows.len() + matrix.left_out,
        matrix_attention: Table::VolumesAttention(Arc::clone(cluster)).of(with_issue),
        matrix_rest: Table::VolumesRest(Arc::clone(cluster)).of(rest_count),
        rest_count,
        left_out: matrix.left_out,
        left_out_issues: matrix.left_out_issues,
    })
}
