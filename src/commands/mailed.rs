//! What `dmaudit mail` keeps of a run, as its nodes come.

use std::sync::Arc;

use crate::cli::Attach;
use crate::facts::Cleanup;
use crate::mail::attach::Attachments;
use crate::pipeline::{Analyzed, Maker, Sink, Taker};
use crate::report::html::Run;
use crate::report::mail::{NodePart, Parts};
use crate::report::view;

/// A run as it becomes a mail.
pub(super) struct Mailed<'a> {
    picking: Picking,
    taking: Taking<'a>,
}

/// Picks of a node what is needed.
pub(super) struct Picking {
    attaches: bool,
    scripted: bool,
}

/// What was taken so far.
pub(super) struct Taking<'a> {
    pub(super) parts: Parts,
    pub(super) attachments: Attachments<'a>,
}

/// What is kept of a node until its turn comes.
pub(super) struct Picked {
    slug: String,
    part: NodePart,
    /// Where something is attached.
    whole: Option<(Arc<view::Node>, Option<String>, Option<Cleanup>)>,
}

impl<'a> Mailed<'a> {
    /// Begins, with what is to be attached.
    ///
    /// # Errors
    /// A line for the user; no bundle can cause it.
    pub(super) fn begin(attach: &[Attach], run: Run<'a>) -> Result<Self, String> {
        Ok(Self {
            picking: Picking {
                attaches: !attach.is_empty(),
                scripted: attach.iter().any(|one| *one != Attach::Json),
            },
            taking: Taking {
                parts: Parts::default(),
                attachments: Attachments::begin(attach, run)?,
            },
        })
    }

    /// What was kept.
    pub(super) fn end(self) -> Taking<'a> {
        self.taking
    }
}

impl<'a> Sink for Mailed<'a> {
    type Made = Picked;
    type Error = String;
    type Maker = Picking;
    type Taker = Taking<'a>;

    fn begin(&mut self, _nodes: usize) -> bool {
        self.picking.scripted
    }

    fn parts(&mut self) -> (&Picking, &mut Taking<'a>) {
        (&self.picking, &mut self.taking)
    }
}

impl Maker for Picking {
    type Made = Picked;
    type Error = String;

    fn make(&self, analyzed: Analyzed) -> Result<Picked, String> {
        let Analyzed {
            node,
            cluster_page,
            cleanup,
        } = analyzed;
        Ok(Picked {
            slug: node.slug.clone(),
            part: NodePart::of(&node),
            whole: (self.attaches).then(|| (Arc::new(node), cluster_page, cleanup)),
        })
    }
}

impl Taker for Taking<'_> {
    type Made = Picked;
    type Error = String;

    fn take(&mut self, picked: Picked) -> Result<(), String> {
        self.parts.add_node(picked.slug, picked.part);
        match picked.whole {
            Some((node, cluster_page, cleanup)) => {
                self.attachments
                    .node(&node, cluster_page.as_deref(), cleanup)
            }
            None => Ok(()),
        }
    }

    fn cluster(&mut self, cluster: view::Cluster) -> Result<(), String> {
        self.parts.add_cluster(&cluster);
        self.attachments.cluster(&Arc::new(cluster))
    }
}
