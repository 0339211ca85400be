//! The HTML report: one self-contained file per node, per cluster and for the
//! whole run, made from the view model by the templates in `templates/`.
//!
//! Texts come from strangers' machines. The template engine escapes all of
//! them by itself ([`markup::escape_to`]); the content security policy of
//! every page allows its own style and script by their hashes and nothing
//! else.

mod cluster;
mod history;
pub(crate) mod markup;
mod node;
mod overview;
mod parts;
mod picture;
mod rows;
pub(crate) mod words;

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, UndefinedBehavior};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::compose::Rows;
use super::view::{Cluster, Node, Report};
use crate::templates::not_written;
pub use overview::Overview;

const STYLE: &str = include_str!("../../templates/style.css");
const SCRIPT: &str = include_str!("../../templates/report.js");

/// What every page says of the run it belongs to.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Run<'a> {
    /// The analyzer's version.
    pub version: &'a str,
    /// When the analysis ran, RFC 3339.
    pub analyzed_at: &'a str,
}

impl<'a> Run<'a> {
    /// The run of a report.
    pub fn of(report: &'a Report) -> Self {
        Self {
            version: &report.version,
            analyzed_at: &report.analyzed_at,
        }
    }
}

/// Writes pages. Making one compiles the templates; pages can then be written
/// from many threads.
pub struct Html {
    templates: Environment<'static>,
}

impl Html {
    /// Compiles the templates.
    ///
    /// # Errors
    /// Names the template and line that does not compile.
    pub fn new() -> Result<Self, String> {
        let mut env = Environment::new();
        env.set_auto_escape_callback(|_| AutoEscape::Html);
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build();
        env.set_syntax(syntax.map_err(|error| said(&error))?);
        env.set_formatter(|out, _, value| write_value(out, value));
        add_filters(&mut env);
        env.add_global("csp", policy());
        env.add_global("style", Value::from_safe_string(STYLE.to_owned()));
        env.add_global("script", Value::from_safe_string(SCRIPT.to_owned()));
        for (name, source) in [
            ("macros.html", include_str!("../../templates/macros.html")),
            (
                "findings.html",
                include_str!("../../templates/findings.html"),
            ),
            ("base.html", include_str!("../../templates/base.html")),
            ("picture.html", include_str!("../../templates/picture.html")),
            (
                "node_tables.html",
                include_str!("../../templates/node_tables.html"),
            ),
            ("node.html", include_str!("../../templates/node.html")),
            ("cluster.html", include_str!("../../templates/cluster.html")),
            ("diff.html", include_str!("../../templates/diff.html")),
            ("history.html", include_str!("../../templates/history.html")),
            ("index.html", include_str!("../../templates/index.html")),
        ] {
            env.add_template(name, source)
                .map_err(|error| said(&error))?;
        }
        Ok(Self { templates: env })
    }

    /// A node's page. `cluster_page` is the path of its cluster's page
    /// relative to the output folder, if there is one.
    ///
    /// # Errors
    /// Names the template or chart that failed; no bundle can cause that.
    pub fn node_page(
        &self,
        run: Run,
        node: &Node,
        cluster_page: Option<&str>,
    ) -> Result<String, String> {
        let node = Arc::new(node.clone());
        self.render("node.html", node::page(run, &node, cluster_page)?)
    }

    /// As [`Html::node_page`], written as it is made: that of a very large
    /// node is not held in memory.
    ///
    /// # Errors
    /// Those of `out`, and as [`Html::node_page`].
    pub fn write_node_page(
        &self,
        run: Run,
        node: &Arc<Node>,
        cluster_page: Option<&str>,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        let page = node::page(run, node, cluster_page).map_err(io::Error::other)?;
        self.write("node.html", page, out)
    }

    /// A cluster's page.
    ///
    /// # Errors
    /// As [`Html::node_page`].
    pub fn cluster_page(&self, run: Run, cluster: &Cluster) -> Result<String, String> {
        let cluster = Arc::new(cluster.clone());
        self.render("cluster.html", cluster::page(run, &cluster)?)
    }

    /// As [`Html::cluster_page`], written as it is made.
    ///
    /// # Errors
    /// Those of `out`, and as [`Html::node_page`].
    pub fn write_cluster_page(
        &self,
        run: Run,
        cluster: &Arc<Cluster>,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        let page = cluster::page(run, cluster).map_err(io::Error::other)?;
        self.write("cluster.html", page, out)
    }

    /// The overview of a report that is held as a whole.
    ///
    /// # Errors
    /// As [`Html::node_page`].
    pub fn index_page(&self, report: &Report) -> Result<String, String> {
        let rows = Rows::of(report);
        let overview = Overview::of(&rows, &report.totals, &report.headline, &report.rejected);
        self.overview_page(Run::of(report), &overview)
    }

    /// The overview of a run.
    ///
    /// # Errors
    /// As [`Html::node_page`].
    pub fn overview_page(&self, run: Run, overview: &Overview) -> Result<String, String> {
        self.render("index.html", overview.page(run)?)
    }

    /// As [`Html::overview_page`], written as it is made.
    ///
    /// # Errors
    /// Those of `out`, and as [`Html::node_page`].
    pub fn write_overview_page(
        &self,
        run: Run,
        overview: &Overview,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        let page = overview.page(run).map_err(io::Error::other)?;
        self.write("index.html", page, out)
    }

    /// Writes a page by a template's name, as it is made.
    pub(crate) fn write(
        &self,
        template: &str,
        page: impl Serialize,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        self.templates
            .get_template(template)
            .and_then(|template| template.render_captured_to(Serde(page), out))
            .map(drop)
            .map_err(|error| not_written(&error).unwrap_or_else(|| io::Error::other(said(&error))))
    }

    fn render(&self, template: &str, page: impl Serialize) -> Result<String, String> {
        self.templates
            .get_template(template)
            .and_then(|template| template.render(Serde(page)))
            .map_err(|error| said(&error))
    }
}

/// An error of the template engine with its template and line.
fn said(error: &Error) -> String {
    format!("the HTML report's template failed: {error}")
}

/// The pages' content security policy: the page's own style and script by
/// hash, nothing from anywhere.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", markup::base64(&Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// Prints a value: text escaped, what is absent as a dash. A list or a map is
/// a mistake in a template.
fn write_value(out: &mut Output, value: &Value) -> Result<(), Error> {
    if let Some(table) = value.downcast_object_ref::<rows::Table>() {
        return table.write(out).map_err(Error::from);
    }
    let written = match (value.kind(), value.as_str()) {
        (ValueKind::None, _) => out.write_str("–"),
        (_, Some(text)) if value.is_safe() => out.write_str(text),
        (_, Some(text)) => markup::escape_to(out, text),
        (ValueKind::Number | ValueKind::Bool, None) => write!(out, "{value}"),
        (kind, None) => {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                format!("{kind} can't be printed"),
            ));
        }
    };
    written.map_err(Error::from)
}

fn add_filters(env: &mut Environment) {
    env.add_filter("prose", |text: Cow<str>| safe(markup::prose(&text)));
    env.add_filter("phrase", |text: Cow<str>| safe(markup::phrase(&text)));
    env.add_filter("size", words::size);
    env.add_filter("count", words::count);
    env.add_filter("percent", words::percent);
    env.add_filter("tone", |word: Cow<str>| words::tone(&word));
    env.add_filter("grade_class", |grade: Option<Cow<str>>| {
        words::grade_class(grade.as_deref())
    });
    env.add_filter("grade_word", |grade: Option<Cow<str>>| {
        words::grade_word(grade.as_deref())
    });
    env.add_filter("time", |text: Cow<str>| match words::time(&text) {
        Some((read, machine)) => safe(format!("<time datetime=\"{machine}\">{read}</time>")),
        None => safe(markup::escape(&text)),
    });
    env.add_filter("day", |text: Cow<str>| match words::time(&text) {
        Some((read, machine)) => {
            let day = read.split(',').next().unwrap_or_default();
            safe(format!(
                "<time class=\"day\" datetime=\"{machine}\">{day}</time>"
            ))
        }
        None => safe(markup::escape(&text)),
    });
}

/// Marks markup as such. Only for what this module and `charts` wrote.
fn safe(markup: String) -> Value {
    Value::from_safe_string(markup)
}

/// How many folders below the output folder a page lies.
fn depth(page: Option<&str>) -> usize {
    page.map_or(1, |page| page.matches('/').count())
}
