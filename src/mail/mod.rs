//! E-mail: messages from content, and their delivery.

pub mod attach;
pub mod message;
pub mod smtp;
