//! What a reader gets: one view model, and a renderer for each format.

mod charts;
pub mod compose;
pub mod html;
pub mod json;
mod json_text;
pub mod mail;
mod score;
mod slugs;
pub mod text;
pub mod view;
pub mod words;
