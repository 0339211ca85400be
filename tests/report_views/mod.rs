//! Report views to render: a node and a cluster with every kind of finding, a
//! healthy node, a fleet, and the same with a hostile text in every field.
#![allow(dead_code)]

pub mod cluster;
pub mod findings;
pub mod markup;
pub mod node;
pub mod tables;

use dmaudit::report::view::{Count, Rejected, Report, Totals};

/// How the texts of a view are written.
#[derive(Clone, Copy)]
pub struct Texts {
    tail: &'static str,
    in_keywords: bool,
}

/// As recorded.
pub const PLAIN: Texts = Texts {
    tail: "",
    in_keywords: false,
};

/// With an attack behind every text that is free to choose.
pub const HOSTILE: Texts = Texts {
    tail: ATTACK,
    in_keywords: false,
};

/// With an attack behind keywords, names of files and severities as well.
pub const HOSTILE_EVERYWHERE: Texts = Texts {
    tail: ATTACK,
    in_keywords: true,
};

/// Ways out of an attribute, an element, a comment, a style, a script, a
/// template and a line, and ways to deceive a reader.
pub const ATTACK: &str = concat!(
    "\"'--></title></style></script></textarea></summary>",
    "<script>window.pwned='script'</script>",
    "<img src=x onerror=\"window.pwned='img'\"><svg onload=\"window.pwned='svg'\">",
    "<iframe src=\"javascript:parent.pwned='frame'\"></iframe>",
    "<link rel=stylesheet href=http://192.0.2.1/x.css><base href=http://192.0.2.1/>",
    "<a href=\"javascript:window.pwned='link'\" style=\"position:fixed\">x</a>",
    "<meta http-equiv=refresh content=\"0;url=http://192.0.2.1/\">",
    "{{ 7*191 }}{% raw %}`<b>code</b>` &lt; &#x3c; ",
    "\u{202e}\u{2066}\u{200b}\u{feff}\u{0}\u{1b}[2J\r\n\u{85}\u{2028}\u{e0041}"
);

impl Texts {
    /// A text that a bundle is free to choose.
    pub fn t(self, text: &str) -> String {
        format!("{text}{}", self.tail)
    }

    /// A text that the analyzer chooses.
    pub fn k(self, text: &str) -> String {
        if self.in_keywords {
            self.t(text)
        } else {
            text.to_owned()
        }
    }

    /// A list of free texts.
    pub fn list(self, texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| self.t(text)).collect()
    }

    /// A text or none.
    pub fn maybe(self, text: &str) -> Option<String> {
        (!text.is_empty()).then(|| self.t(text))
    }
}

/// Two nodes of a cluster, a healthy one, and a rejected input.
pub fn report(w: Texts) -> Report {
    let nodes = vec![
        node::pve1(w),
        node::pve2(w),
        node::healthy(w),
        node::without_etc_pve(w),
    ];
    let clusters = vec![cluster::alpha(w)];
    Report {
        run_order: (0..nodes.len()).collect(),
        version: "0.1.0".to_owned(),
        analyzed_at: "2026-11-23T19:12:00Z".to_owned(),
        totals: totals(&nodes, &clusters),
        headline: w.t(
            "Two of four nodes are failing: on `pve2` two guests' disks map the same sectors, and VM 169's disk is open on two nodes at once. Stop the process that holds `ssd--ha01-vm--169--disk--0` on `pve2` before anything else.",
        ),
        rejected: vec![Rejected {
            path: w.t("incoming/dmaudit-pve7-20261120T031500Z.zip"),
            error: w.t("the archive ends in the middle of commands/lvs-json.out (offset 81,920): collect it again"),
        }],
        nodes,
        clusters,
    }
}

/// A fleet: `count` nodes in clusters of eight, of all grades, worst first.
pub fn fleet(count: usize) -> Report {
    let w = PLAIN;
    let grades = ["F", "D", "C", "B", "B", "A", "A", "A+", "A+", "A+"];
    let mut nodes: Vec<_> = (0..count)
        .map(|at| {
            let mut node = node::healthy(w);
            let grade = grades[(at * 7 + at / 8) % grades.len()];
            let orphans = match grade {
                "F" => 61,
                "D" => 34,
                "C" => 9,
                "B" => 3,
                _ => 0,
            };
            node.node = format!("node{:02}", at % 8 + 1);
            node.cluster = Some(format!("site{:02}-prod", at / 8 + 1));
            node.slug = format!("site{:02}-prod-node{:02}", at / 8 + 1, at % 8 + 1);
            node.page = Some(format!("nodes/{}.html", node.slug));
            node.grade = Some(grade.to_owned());
            node.score =
                Some(100 - (orphans as i64 * 5).min(40) - if grade == "F" { 40 } else { 0 });
            node.summary.orphans = orphans;
            node.summary.duplicates = if grade == "F" { 2 } else { 0 };
            node.summary.entries = 120 + at % 50 + orphans;
            node.summary.valid = node.summary.entries - orphans - node.summary.duplicates;
            node.pve_version = Some(["9.0.11", "8.4.14", "8.2.4"][at % 3].to_owned());
            node.kernel = Some(["6.14.11-4-pve", "6.8.12-15-pve"][at % 2].to_owned());
            if grade == "F" {
                node.findings = node::pve1(w).findings;
            }
            node
        })
        .collect();
    let rank = |grade: &Option<String>| {
        let order = ["F", "D", "C", "B", "A", "A+"];
        order.iter().position(|name| grade.as_deref() == Some(name))
    };
    nodes.sort_by_key(|node| (rank(&node.grade), node.slug.clone()));
    let clusters: Vec<_> = (1..=count.div_ceil(8))
        .map(|at| {
            let mut cluster = cluster::alpha(w);
            cluster.cluster = format!("site{at:02}-prod");
            cluster.slug = cluster.cluster.clone();
            cluster.page = Some(format!("clusters/{}.html", cluster.slug));
            if at % 3 != 0 {
                cluster.findings.clear();
                cluster.grade = Some("B".to_owned());
                cluster.headline = "Nothing found by comparing the nodes.".to_owned();
            }
            cluster
        })
        .collect();
    Report {
        run_order: (0..nodes.len()).collect(),
        version: "0.1.0".to_owned(),
        analyzed_at: "2026-11-23T19:12:00Z".to_owned(),
        totals: totals(&nodes, &clusters),
        headline: "4 of 40 nodes are failing, most of them for duplicates on shared storage. Begin with site03-prod, where two nodes write to one disk.".to_owned(),
        rejected: Vec::new(),
        nodes,
        clusters,
    }
}

fn totals(
    nodes: &[dmaudit::report::view::Node],
    clusters: &[dmaudit::report::view::Cluster],
) -> Totals {
    let sum = |number: fn(&dmaudit::report::view::Summary) -> usize| {
        nodes.iter().map(|node| number(&node.summary)).sum()
    };
    let findings = || {
        let of_nodes = nodes.iter().flat_map(|node| &node.findings);
        of_nodes.chain(clusters.iter().flat_map(|cluster| &cluster.findings))
    };
    let severity = |name: &str| {
        findings()
            .filter(|finding| finding.severity == name)
            .count()
    };
    let grade = |name: &str| {
        let same = |grade: &Option<String>| grade.as_deref().unwrap_or("none") == name;
        Count {
            label: name.to_owned(),
            count: nodes.iter().filter(|node| same(&node.grade)).count(),
        }
    };
    Totals {
        nodes: nodes.len(),
        entries: sum(|summary| summary.entries),
        valid: sum(|summary| summary.valid),
        duplicates: sum(|summary| summary.duplicates),
        orphans: sum(|summary| summary.orphans),
        unknown: sum(|summary| summary.unknown),
        critical: severity("critical"),
        warnings: severity("warning"),
        ignored: nodes.iter().map(|node| node.ignored.len()).sum(),
        grades: ["A+", "A", "B", "C", "D", "F", "none"].map(grade).into(),
    }
}

/// Every page of a report: its path relative to the output folder, and itself.
pub fn pages(report: &Report) -> Vec<(String, String)> {
    use dmaudit::report::html::{Html, Run};
    let html = Html::new().expect("the templates compile");
    let run = Run::of(report);
    let mut pages = vec![(
        "index.html".to_owned(),
        html.index_page(report).expect("an overview"),
    )];
    for node in &report.nodes {
        let cluster = report
            .clusters
            .iter()
            .find(|cluster| cluster.nodes.iter().any(|member| member.slug == node.slug));
        let cluster_page = cluster.and_then(|cluster| cluster.page.as_deref());
        let page = html
            .node_page(run, node, cluster_page)
            .expect("a node's page");
        pages.push((node.page.clone().expect("a path"), page));
    }
    for cluster in &report.clusters {
        let page = html.cluster_page(run, cluster).expect("a cluster's page");
        pages.push((cluster.page.clone().expect("a path"), page));
    }
    pages
}
