//! From the members of one input to the bundles in it, checked against their
//! manifests.

use super::contents::{Contents, Extent, Member};
use super::draft::Draft;
use super::kind::EXPECTED;
use super::layout::Roots;
use super::limits::Limits;
use super::snapshot::Bundle;
use super::text::quoted;
use super::{OpenError, sosreport, verify};

/// Sorts the members into bundles.
///
/// `name` is the input as a person names it, `stem` what a bundle without a
/// folder around it is called.
pub(super) fn bundles(
    name: &str,
    stem: &str,
    mut contents: Contents<'_>,
    extent: Extent,
    limits: &Limits,
) -> Result<Vec<Bundle>, OpenError> {
    if let Some(report) = contents.report.take() {
        return Ok(vec![report]);
    }
    let bytes: u64 = contents.members.iter().map(Member::bytes).sum();
    let roots = Roots::shown_by(contents.members.iter().map(|member| &*member.path));
    let tops = roots.sorted();
    if tops.is_empty() {
        let trees = sosreport::bundles(name, stem, &mut contents, limits)?;
        if trees.is_empty() {
            return Err(no_bundle(&contents));
        }
        limits.allow_together(trees.len(), bytes)?;
        return Ok(trees);
    }
    limits.allow_together(tops.len(), bytes)?;
    if tops.len() > limits.bundles {
        return Err(OpenError::Limit {
            what: "bundles",
            limit: limits.bundles as u64,
            option: None,
        });
    }
    let mut drafts: Vec<Draft> = tops.iter().map(|_| Draft::begun(extent)).collect();
    for member in contents.members {
        if let Some((root, rest)) = roots.split(&member.path)
            && let Some(draft) = drafts.get_mut(root)
        {
            draft.take(rest, member.content);
        }
    }
    let several = tops.len() > 1;
    tops.iter()
        .zip(drafts)
        .map(|(root, mut draft)| {
            let top = root.rsplit('/').next().filter(|top| !top.is_empty());
            draft.bundle.top = top.unwrap_or(stem).to_owned();
            draft.bundle.source = match several {
                true => format!("{name} (top folder {})", draft.bundle.top),
                false => name.to_owned(),
            };
            draft.notes.extend(&contents.notes);
            verify::finish(draft, contents.cut.as_deref()).map_err(|error| match error {
                OpenError::Unusable(why) if several => {
                    OpenError::Unusable(format!("in the top folder {}: {why}", quoted(root)))
                }
                error => error,
            })
        })
        .collect()
}

fn no_bundle(contents: &Contents<'_>) -> OpenError {
    if let Some(why) = &contents.cut {
        return OpenError::Truncated(why.clone());
    }
    if contents.archives_inside > 0 {
        return OpenError::NoBundle(format!(
            "there is no bundle in it, but {} archives: unpack it and give the folder",
            contents.archives_inside
        ));
    }
    OpenError::NoBundle(format!(
        "there is no bundle in it: expected commands/<id>.out or files/etc/pve, or a sosreport's \
         sos_commands, as in {EXPECTED}"
    ))
}
