//! What a reader gets: one view model, and a renderer for each format.

mod charts;
pub mod compose;
pub mod csv;
pub mod history;
pub mod html;
pub mod json;
mod json_text;
pub mod mail;
mod monitoring;
pub mod nagios;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod prometheus;
pub(crate) mod score;
pub(crate) mod slugs;
pub mod tables;
pub mod text;
pub mod view;
pub mod words;
