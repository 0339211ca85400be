//! E-mail: messages from content, and their delivery.

pub mod message;
pub mod smtp;
