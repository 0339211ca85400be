//! What is attached to a mail, up to a size that servers take.

use std::collections::HashMap;
use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;

use crate::cli::Attach;
use crate::report::html::{Html, Run};
use crate::report::{json, view};

/// Attachments above this many bytes in all are left out: servers refuse mails
/// of 15 to 25 MB, and base64 makes them a third larger.
const MOST: usize = 10 << 20;

/// A file that is attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Its name.
    pub name: &'static str,
    /// Its media type.
    pub kind: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Makes what was asked for, each once. With it come sentences on what is
/// attached and what was too large. `scripts` are the nodes', in their order.
///
/// # Errors
///
/// Names the file that could not be made; no bundle can cause that.
pub fn files(
    wanted: &[Attach],
    report: &view::Report,
    scripts: &[Option<String>],
) -> Result<(Vec<Attached>, Vec<String>), String> {
    let (mut files, mut said, mut size) = (Vec::new(), Vec::new(), 0);
    for one in [Attach::Report, Attach::Json, Attach::Scripts] {
        if !wanted.contains(&one) {
            continue;
        }
        let (name, kind, what, bytes) = match one {
            Attach::Report => (
                "dmaudit-report.zip",
                "application/zip",
                "the whole report; unpack it and open index.html",
                archive(whole(report, scripts)?)?,
            ),
            Attach::Json => (
                "report.json",
                "application/json",
                "the whole report for programs",
                document(report)?,
            ),
            Attach::Scripts if scripts.iter().all(Option::is_none) => {
                said.push(
                    "No cleanup script is attached: there is nothing to do for one.".to_owned(),
                );
                continue;
            }
            Attach::Scripts => (
                "dmaudit-cleanup.zip",
                "application/zip",
                "the cleanup scripts; read one before you run it",
                archive(cleanup(report, scripts))?,
            ),
        };
        if size + bytes.len() > MOST {
            said.push(format!(
                "{name} is too large to attach; `dmaudit analyze -o DIR` writes it."
            ));
            continue;
        }
        size += bytes.len();
        said.push(format!("Attached: {name}, {what}."));
        files.push(Attached { name, kind, bytes });
    }
    Ok((files, said))
}

type File = (String, Vec<u8>);

fn document(report: &view::Report) -> Result<Vec<u8>, String> {
    let mut document = Vec::new();
    json::write(report, &mut document).map_err(|error| format!("report.json: {error}"))?;
    Ok(document)
}

fn cleanup(report: &view::Report, scripts: &[Option<String>]) -> Vec<File> {
    let scripts = report.nodes.iter().zip(scripts);
    scripts
        .filter_map(|(node, script)| Some((node.script.clone()?, script.clone()?.into_bytes())))
        .collect()
}

/// The files that an analysis writes into its output folder.
fn whole(report: &view::Report, scripts: &[Option<String>]) -> Result<Vec<File>, String> {
    let html = Html::new()?;
    let run = Run::of(report);
    let mut files = vec![
        (
            "index.html".to_owned(),
            html.index_page(report)?.into_bytes(),
        ),
        ("report.json".to_owned(), document(report)?),
    ];
    let mut cluster_pages = HashMap::new();
    for cluster in &report.clusters {
        if let Some(page) = &cluster.page {
            files.push((page.clone(), html.cluster_page(run, cluster)?.into_bytes()));
            cluster_pages.extend(cluster.nodes.iter().map(|node| (&node.slug, page.as_str())));
        }
    }
    for node in &report.nodes {
        if let Some(page) = &node.page {
            let cluster_page = cluster_pages.get(&node.slug).copied();
            files.push((
                page.clone(),
                html.node_page(run, node, cluster_page)?.into_bytes(),
            ));
        }
    }
    files.extend(cleanup(report, scripts));
    Ok(files)
}

/// A zip of files, undated: the same files give the same bytes.
fn archive(files: Vec<File>) -> Result<Vec<u8>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("no archive could be made: {error}");
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    for (name, bytes) in files {
        zip.start_file(name, options)
            .map_err(|error| failed(&error))?;
        zip.write_all(&bytes).map_err(|error| failed(&error))?;
    }
    let written = zip.finish().map_err(|error| failed(&error))?;
    Ok(written.into_inner())
}
