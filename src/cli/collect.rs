//! `dmaudit collect`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::collect::Target;

/// Collect bundles from many nodes over ssh.
///
/// Runs the collector, which only reads, on all of them at once and brings the bundles here.
/// Nothing is installed or left there. How a host is reached is up to the system's `ssh`: your
/// configuration, agent and jump hosts count. Nothing is ever asked on the terminal, so a key that
/// needs a passphrase must be in the agent, and host keys must be known.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dmaudit collect root@pve1 root@pve2 -o bundles
  dmaudit collect --cluster root@pve1 -o bundles     all nodes of pve1's cluster
  dmaudit collect --sudo --hosts fleet.txt -o bundles
  dmaudit collect pve1 --ssh-option ProxyJump=bastion --ssh-option Port=2222

Standard output has the path of each bundle on a line of its own.

Exit status:
  0    a bundle of every host was collected
  1    some hosts failed; the summary says which and why
  2    the command line was wrong, or no bundle was collected
  130  interrupted; bundles that were whole by then are kept")]
pub struct Collect {
    /// Hosts as ssh takes them
    #[arg(value_name = "[USER@]HOST", value_parser = Target::parse,
          required_unless_present_any = ["hosts", "print_collector"])]
    pub targets: Vec<Target>,

    /// Read more hosts from this file, one a line (`#` begins a comment); `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub hosts: Option<PathBuf>,

    /// Write the bundles here (made if it is missing)
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub output: PathBuf,

    /// Ask each host for the nodes of its cluster, and collect from all of them
    ///
    /// They are reached as the host was given: with the same user; by address if it is one, else
    /// by name, with its domain.
    #[arg(long)]
    pub cluster: bool,

    /// Reach the other nodes of a cluster by name, or by their address in the cluster's network
    #[arg(long, value_enum, value_name = "HOW", requires = "cluster")]
    pub cluster_by: Option<ClusterBy>,

    /// Run the collector by `sudo -n`, for users who are not root
    #[arg(long)]
    pub sudo: bool,

    /// Collect from this many nodes at once
    #[arg(short, long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: u16,

    /// Give a node up after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=86400))]
    pub timeout: u32,

    /// Leave a command on a node behind after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=9999))]
    pub command_timeout: u32,

    /// Give a connection up that does not come about within this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub connect_timeout: u32,

    /// An option for ssh, as its -o takes it (repeatable)
    #[arg(long, value_name = "NAME=VALUE")]
    pub ssh_option: Vec<String>,

    /// Use this configuration file for ssh instead of your own
    #[arg(long, value_name = "FILE")]
    pub ssh_config: Option<PathBuf>,

    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = CollectFormat::Text)]
    pub format: CollectFormat,

    /// Print the collector to standard output instead, for a node without network
    #[arg(long, conflicts_with_all = ["targets", "hosts", "cluster"])]
    pub print_collector: bool,
}

/// How the other nodes of a cluster are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClusterBy {
    /// By name
    Name,
    /// By address
    Address,
}

/// What `collect` prints to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CollectFormat {
    /// The path of each bundle
    Text,
    /// What came of each host, for programs
    Json,
}
