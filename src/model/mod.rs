//! The things dmaudit reasons about, put together from parsed facts: devices,
//! volume names, guests, storages, LVM's metadata, nodes and clusters. Nothing
//! here knows of checks or reports.

pub mod cluster;
pub mod device;
pub mod evidence;
pub mod finding;
pub mod guest;
pub mod lvm;
mod lvm_facts;
pub mod names;
pub mod node;
mod positions;
pub mod read;
pub mod storage;
pub mod verdict;
