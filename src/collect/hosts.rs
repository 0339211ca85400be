//! Whom to ask: hosts as `ssh` takes them, and the other nodes of a cluster.

use std::fmt;
use std::net::IpAddr;

use crate::parse::{cluster_files, corosync};

/// A host as `ssh` takes it: `[USER@]HOST`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    user: Option<String>,
    host: String,
}

impl Target {
    /// Takes an argument apart at its last `@`.
    ///
    /// # Errors
    ///
    /// A sentence: what `ssh` could take for an option, or what no host's
    /// name holds.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (user, host) = match text.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, text),
        };
        if user == Some("") || host.is_empty() {
            return Err(format!("{text:?} is no [USER@]HOST"));
        }
        if text.starts_with('-') || host.starts_with('-') {
            return Err(format!(
                "{text:?} begins with `-`, which ssh would take for an option; no host's name does"
            ));
        }
        if host.contains('/') {
            return Err(format!(
                "{text:?}: addresses like ssh://… are not taken; give the port with --ssh-option Port=N or in ssh's own configuration"
            ));
        }
        if let Some(c) = text.chars().find(|&c| is_odd(c)) {
            return Err(format!("{text:?} holds {c:?}, which no host's name does"));
        }
        Ok(Self {
            user: user.map(str::to_owned),
            host: host.to_owned(),
        })
    }

    /// The same user at another host.
    fn at(&self, host: &str) -> Self {
        Self {
            user: self.user.clone(),
            host: host.to_owned(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        f.write_str(&self.host)
    }
}

/// Characters that would mean something to a shell in a `ProxyCommand`.
fn is_odd(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "'\"`$\\;&|<>(){}*?!#".contains(c)
}

/// How the other nodes of a cluster are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// As the asked one was: by address if it was given by address, else by
    /// name, with its domain.
    LikeAsked,
    /// By name.
    Name,
    /// By their address in the cluster's network.
    Address,
}

/// A line that sets the answer apart from what the remote shell prints.
pub(super) const MARK: &str = "dmaudit-members";

/// What a node is asked for the members of its cluster, for `sh -s`. Without
/// the cluster file system corosync's own copy is there.
pub(super) const MEMBERS_SCRIPT: &str = "echo dmaudit-members
uname -n
cat /etc/pve/.members || cat /etc/pve/corosync.conf || cat /etc/corosync/corosync.conf
";

/// Members of a cluster: corosync itself does not take many more than 32. A
/// host that was broken into must not have this machine log in everywhere.
const MOST: usize = 64;

#[derive(Debug)]
struct Member {
    name: String,
    address: Option<String>,
}

/// The nodes of a cluster from one node's answer to [`MEMBERS_SCRIPT`], the
/// asked one as it was given; of a node that is in no cluster only that one.
///
/// # Errors
///
/// A sentence: what was expected of the answer.
pub(super) fn members(asked: &Target, answer: &str, by: By) -> Result<Vec<Target>, String> {
    let (_, answer) = answer
        .split_once(&format!("{MARK}\n"))
        .ok_or("the answer to the question for its cluster's members was not understood")?;
    let (name, file) = answer.split_once('\n').unwrap_or((answer, ""));
    let name = name.trim().split('.').next().unwrap_or_default();
    if file.trim().is_empty() {
        return Err(
            "it has neither /etc/pve/.members nor a corosync.conf that could be read: is it a PVE node?"
                .to_owned(),
        );
    }
    let members = read(file)?;
    if members.is_empty() {
        return Ok(vec![asked.clone()]);
    }
    if members.len() > MOST {
        return Err(format!(
            "it names {} members, and no cluster has more than {MOST}; name the hosts yourself",
            members.len()
        ));
    }
    if let Some(member) = members
        .iter()
        .find(|member| member.name.parse::<IpAddr>().is_ok())
    {
        return Err(format!(
            "the cluster's member {:?} has an address in place of a name",
            member.name
        ));
    }
    let is_asked = |member: &Member| {
        member.name == name
            || member.name == asked.host
            || member.address.as_ref() == Some(&asked.host)
    };
    let domain = asked
        .host
        .split_once('.')
        .filter(|(first, _)| *first == name)
        .map(|(_, domain)| domain);
    let by_address = match by {
        By::LikeAsked => asked.host.parse::<IpAddr>().is_ok(),
        By::Name => false,
        By::Address => true,
    };
    members
        .iter()
        .map(|member| {
            if is_asked(member) {
                return Ok(asked.clone());
            }
            let host = match (&member.address, by_address, domain) {
                (Some(address), true, _) => address.clone(),
                (_, false, Some(domain)) if by == By::LikeAsked => {
                    format!("{}.{domain}", member.name)
                }
                _ => member.name.clone(),
            };
            // It comes from the node, so it is held to less than an argument.
            let plain = host
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || ".:_-%".contains(c));
            if plain && !host.starts_with('-') && !host.is_empty() {
                Ok(asked.at(&host))
            } else {
                Err(format!(
                    "the cluster's member {host:?} has no name that a host can have"
                ))
            }
        })
        .collect()
}

/// Reads `.members`, else `corosync.conf`.
fn read(file: &str) -> Result<Vec<Member>, String> {
    if file.trim_start().starts_with('{') {
        let parsed = cluster_files::parse_members(file);
        let problem = parsed
            .problems
            .first()
            .map(|problem| problem.message.clone());
        return match parsed.value {
            Some(members) => Ok(members
                .nodes
                .into_iter()
                .map(|member| Member {
                    name: member.name,
                    address: member.address,
                })
                .collect()),
            None => Err(format!(
                "its /etc/pve/.members was not understood: {}",
                problem.unwrap_or_default()
            )),
        };
    }
    let parsed = corosync::parse(file);
    if parsed.value.nodes.is_empty() {
        return Err("its corosync.conf names no nodes".to_owned());
    }
    let addresses = parsed.value.addresses;
    Ok(parsed
        .value
        .nodes
        .into_iter()
        .map(|name| Member {
            address: addresses.get(&name).cloned(),
            name,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const MEMBERS: &str = "dmaudit-members\npve1\n{\"nodename\":\"pve1\",\"cluster\":{\"name\":\"a\"},\"nodelist\":{\"pve1\":{\"ip\":\"192.0.2.1\"},\"pve2\":{\"ip\":\"192.0.2.2\"},\"pve3\":{}}}\n";

    fn found(asked: &str, answer: &str, by: By) -> Vec<String> {
        let asked = Target::parse(asked).unwrap();
        let targets = members(&asked, answer, by).unwrap();
        targets.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_that_ssh_takes_for_an_option_is_a_host() {
        for text in [
            "-oProxyCommand=id",
            "-oProxyCommand=id@pve1",
            "root@-oProxyCommand=id",
            "",
            "root@",
            "@pve1",
            "pve 1",
            "pve1\n",
            "$(id)",
            "ssh://pve1:22",
        ] {
            assert!(Target::parse(text).is_err(), "{text:?}");
        }
        for text in [
            "pve1",
            "root@pve1",
            "a@b@pve1",
            "2001:db8::1",
            "root@fe80::1%eth0",
        ] {
            assert_eq!(Target::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_host_names_no_more_members_than_a_cluster_has() {
        let asked = Target::parse("pve1").unwrap();
        let answer = |names: &[String]| {
            let nodes: Vec<String> = names
                .iter()
                .map(|name| format!("\"{name}\":{{}}"))
                .collect();
            format!(
                "dmaudit-members\npve1\n{{\"nodename\":\"pve1\",\"cluster\":{{\"name\":\"a\"}},\"nodelist\":{{{}}}}}\n",
                nodes.join(",")
            )
        };
        let names =
            |count: usize| -> Vec<String> { (1..=count).map(|n| format!("pve{n}")).collect() };
        assert_eq!(
            members(&asked, &answer(&names(64)), By::Name)
                .unwrap()
                .len(),
            64
        );
        let error = members(&asked, &answer(&names(65)), By::Name).unwrap_err();
        assert!(error.contains("65 members"), "{error}");
        let addresses = ["pve1".to_owned(), "192.0.2.9".to_owned()];
        let error = members(&asked, &answer(&addresses), By::Name).unwrap_err();
        assert!(error.contains("192.0.2.9"), "{error}");
    }

    #[test]
    fn the_others_are_reached_as_the_asked_one_was() {
        assert_eq!(
            found("root@pve1", &format!("Welcome!\n{MEMBERS}"), By::LikeAsked),
            ["root@pve1", "root@pve2", "root@pve3"]
        );
        assert_eq!(
            found("pve1.example.com", MEMBERS, By::LikeAsked),
            ["pve1.example.com", "pve2.example.com", "pve3.example.com"]
        );
        assert_eq!(
            found("root@192.0.2.1", MEMBERS, By::LikeAsked),
            ["root@192.0.2.1", "root@192.0.2.2", "root@pve3"]
        );
        assert_eq!(
            found("customer-a", MEMBERS, By::Address),
            ["customer-a", "192.0.2.2", "pve3"]
        );
        assert_eq!(
            found("pve1.example.com", MEMBERS, By::Name),
            ["pve1.example.com", "pve2", "pve3"]
        );
    }

    #[test]
    fn corosync_names_the_members_where_the_cluster_file_system_is_down() {
        let answer = "dmaudit-members\npve2.lan\nnodelist {\n  node {\n    name: pve1\n    ring0_addr: 192.0.2.1\n  }\n  node {\n    name: pve2\n    ring0_addr: 192.0.2.2\n  }\n}\n";
        assert_eq!(
            found("192.0.2.2", answer, By::LikeAsked),
            ["192.0.2.1", "192.0.2.2"]
        );
    }

    #[test]
    fn a_node_in_no_cluster_is_alone() {
        let answer = "dmaudit-members\npve\n{\"nodename\":\"pve\",\"version\":0}\n";
        assert_eq!(found("root@x", answer, By::LikeAsked), ["root@x"]);
    }

    #[test]
    fn what_a_node_says_never_becomes_an_option() {
        let asked = Target::parse("pve1").unwrap();
        for name in ["-oProxyCommand=id", "$(id)", ""] {
            let answer = format!(
                "dmaudit-members\npve1\n{{\"nodename\":\"pve1\",\"nodelist\":{{\"{name}\":{{}}}}}}"
            );
            assert!(members(&asked, &answer, By::Name).is_err(), "{name}");
        }
        for answer in [
            "",
            "dmaudit-members\n",
            "dmaudit-members\npve1\n",
            "dmaudit-members\nx\n{",
            "dmaudit-members\nx\nnodelist {\n}\n",
        ] {
            assert!(members(&asked, answer, By::Name).is_err(), "{answer:?}");
        }
    }
}
