//! What pmxcfs says of the whole cluster, as JSON: `/etc/pve/.vmlist` (every
//! guest and the node it belongs to) and `/etc/pve/.members`.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::Parsed;

/// A guest of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedGuest<'a> {
    /// Its VMID.
    pub vmid: u32,
    /// The node whose folder has its configuration.
    pub node: Option<Cow<'a, str>>,
    /// Virtual machine or container; none if it was listed as neither.
    pub kind: Option<ListedKind>,
}

/// A guest's kind as pmxcfs calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedKind {
    /// `qemu`: a virtual machine.
    Qemu,
    /// `lxc`: a container.
    Lxc,
}

/// Reads `/etc/pve/.vmlist`:
/// `{"version":3,"ids":{"100":{"node":"pve1","type":"qemu","version":5}}}`.
/// None if the list can't be read, which is not the same as no guests. Guests
/// come in the order of their VMIDs.
pub fn parse_vmlist(text: &str) -> Parsed<Option<Vec<ListedGuest<'_>>>> {
    let mut parsed = Parsed::new(None);
    let Some(root) = object::<_, Object<'_, Object<'_, Object<'_, Text<'_>>>>>(text, &mut parsed)
    else {
        return parsed;
    };
    let Some(ids) = root.get("ids").and_then(|ids| ids.0.as_ref()) else {
        parsed.problem(1, "expected the guests under \"ids\"");
        return parsed;
    };
    let mut guests = Vec::with_capacity(ids.len());
    for (id, entry) in ids {
        let Ok(vmid) = id.parse() else {
            parsed.problem(1, format!("expected a VMID, found {id:?}"));
            continue;
        };
        let node = entry.get("node").and_then(|text| text.0.clone());
        let kind = match entry.get("type").and_then(|text| text.0.as_deref()) {
            Some("qemu") => Some(ListedKind::Qemu),
            Some("lxc") => Some(ListedKind::Lxc),
            _ => None,
        };
        if node.is_none() || kind.is_none() {
            parsed.problem(
                1,
                format!("expected a node and a type of qemu or lxc for {vmid}"),
            );
        }
        guests.push(ListedGuest { vmid, node, kind });
    }
    // Of a guest that stands there twice the last counts.
    guests.reverse();
    guests.sort_by_key(|guest| guest.vmid);
    guests.dedup_by_key(|guest| guest.vmid);
    parsed.value = Some(guests);
    parsed
}

/// The cluster as this node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Members {
    /// This node's name.
    pub node: Option<String>,
    /// The cluster; none on a standalone node.
    pub cluster: Option<ClusterState>,
    /// The cluster's nodes by name.
    pub nodes: Vec<Member>,
}

/// The state of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterState {
    /// Its name.
    pub name: String,
    /// How many nodes it has.
    pub nodes: Option<u64>,
    /// Whether enough nodes see each other; without, `/etc/pve` is read-only.
    pub quorate: Option<bool>,
}

/// A node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Whether this node sees it.
    pub online: Option<bool>,
    /// Its address in the cluster's network.
    pub address: Option<String>,
}

/// Reads `/etc/pve/.members`. A standalone node's has a `nodename` and no
/// cluster. None if it can't be read.
pub fn parse_members(text: &str) -> Parsed<Option<Members>> {
    let mut parsed = Parsed::new(None);
    let Some(root) = object::<_, Map<String, Value>>(text, &mut parsed) else {
        return parsed;
    };
    let string = |value: &Value| value.as_str().map(str::to_owned);
    let flag = |value: &Value| value.as_bool().or_else(|| Some(value.as_u64()? != 0));
    let cluster = root.get("cluster").and_then(|cluster| {
        Some(ClusterState {
            name: cluster.get("name").and_then(string)?,
            nodes: cluster.get("nodes").and_then(Value::as_u64),
            quorate: cluster.get("quorate").and_then(flag),
        })
    });
    if cluster.is_none() && root.contains_key("cluster") {
        parsed.problem(1, "expected the cluster's name under \"cluster\"");
    }
    let node = root.get("nodename").and_then(string);
    if node.is_none() {
        parsed.problem(1, "expected this node's name under \"nodename\"");
    }
    let list = root.get("nodelist").and_then(Value::as_object);
    let nodes = list
        .into_iter()
        .flatten()
        .map(|(name, member)| Member {
            name: name.clone(),
            online: member.get("online").and_then(flag),
            address: member.get("ip").and_then(string),
        })
        .collect();
    parsed.value = Some(Members {
        node,
        cluster,
        nodes,
    });
    parsed
}

/// The text's JSON object; anything else is a problem.
fn object<'a, T, O: Deserialize<'a>>(text: &'a str, parsed: &mut Parsed<T>) -> Option<O> {
    let text = text.trim_start_matches('\u{feff}');
    match serde_json::from_str(text) {
        Ok(object) => Some(object),
        Err(error) => {
            parsed.problem(
                error.line().max(1),
                format!("expected a JSON object: {error}"),
            );
            None
        }
    }
}

/// A JSON object's members as they stand there; none if it is something else.
struct Object<'a, T>(Option<Vec<(Cow<'a, str>, T)>>);

impl<T> Object<'_, T> {
    /// The last member of this name.
    fn get(&self, name: &str) -> Option<&T> {
        let mut members = self.0.iter().flatten().rev();
        let (_, value) = members.find(|(key, _)| key == name)?;
        Some(value)
    }
}

/// A JSON text; none if it is something else.
struct Text<'a>(Option<Cow<'a, str>>);

/// Visits a value of any type: those of no interest are none.
struct Any<T>(PhantomData<T>);

/// What is not wanted of a value of any type.
macro_rules! nothing {
    ($of:ident, $($method:ident($type:ty)),*) => {
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("any value")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($of(None))
        }
        $(fn $method<E>(self, _: $type) -> Result<Self::Value, E> {
            Ok($of(None))
        })*
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok($of(None))
        }
    };
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Any<Object<'de, T>> {
    type Value = Object<'de, T>;

    nothing!(
        Object,
        visit_bool(bool),
        visit_i64(i64),
        visit_u64(u64),
        visit_f64(f64),
        visit_str(&str)
    );

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((Text(name), value)) = map.next_entry()? {
            members.push((name.unwrap_or_default(), value));
        }
        Ok(Object(Some(members)))
    }
}

impl<'de> Visitor<'de> for Any<Text<'de>> {
    type Value = Text<'de>;

    nothing!(
        Text,
        visit_bool(bool),
        visit_i64(i64),
        visit_u64(u64),
        visit_f64(f64)
    );

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Some(text.into())))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Some(text.to_owned().into())))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<'de, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any::<Self>(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any::<Self>(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn guests_in_order() {
        let parsed = parse_vmlist(
            "\u{feff}{\r\n\"version\": 12,\r\n\"ids\": {\r\n\
             \"1000\": { \"node\": \"pve2\", \"type\": \"lxc\", \"version\": 9 },\r\n\
             \"200\": { \"node\": \"pve1\", \"type\": \"qemu\", \"version\": 5 }}\r\n\r\n}\r\n",
        );
        assert_eq!(parsed.problems, []);
        assert_eq!(
            parsed.value.unwrap(),
            [
                ListedGuest {
                    vmid: 200,
                    node: Some("pve1".into()),
                    kind: Some(ListedKind::Qemu),
                },
                ListedGuest {
                    vmid: 1000,
                    node: Some("pve2".into()),
                    kind: Some(ListedKind::Lxc),
                },
            ]
        );
    }

    #[test]
    fn no_guests_is_not_no_list() {
        assert_eq!(
            parse_vmlist("{\"version\":1,\"ids\":{}}").value,
            Some(vec![])
        );
        for text in [
            "",
            "{\"version\":1}",
            "[1]",
            "{\"ids\":[]}",
            "{\n\"ids\": {\n\"100\": {\n",
        ] {
            let parsed = parse_vmlist(text);
            assert_eq!(parsed.value, None, "{text}");
            assert_eq!(parsed.problems.len(), 1, "{text}");
        }
        assert_eq!(
            parse_vmlist("{\n\"ids\": {\n\"100\": x\n").problems[0].line,
            3
        );
    }

    #[test]
    fn an_incomplete_guest_is_still_a_guest() {
        let parsed = parse_vmlist(
            "{\"ids\":{\"100\":{\"node\":\"pve1\",\"type\":\"openvz\"},\"101\":7,\"x\":{}}}",
        );
        let guests = parsed.value.unwrap();
        assert_eq!(
            guests.iter().map(|g| g.vmid).collect::<Vec<_>>(),
            [100, 101]
        );
        assert_eq!(
            (guests[0].node.as_deref(), guests[0].kind),
            (Some("pve1"), None)
        );
        assert_eq!(parsed.problems.len(), 3);
    }

    #[test]
    fn members_of_a_cluster() {
        let parsed = parse_members(
            "{\n\"nodename\": \"pve1\",\n\"version\": 4,\n\
             \"cluster\": { \"name\": \"alpha\", \"version\": 2, \"nodes\": 2, \"quorate\": 1 },\n\
             \"nodelist\": {\n  \"pve1\": { \"id\": 1, \"online\": 1, \"ip\": \"10.0.0.1\"},\n\
               \"pve2\": { \"id\": 2, \"online\": 0}\n  }\n}\n",
        );
        assert_eq!(parsed.problems, []);
        let members = parsed.value.unwrap();
        assert_eq!(members.node.as_deref(), Some("pve1"));
        assert_eq!(
            members.cluster,
            Some(ClusterState {
                name: "alpha".to_owned(),
                nodes: Some(2),
                quorate: Some(true),
            })
        );
        let online: Vec<_> = members
            .nodes
            .iter()
            .map(|m| (m.name.as_str(), m.online))
            .collect();
        assert_eq!(online, [("pve1", Some(true)), ("pve2", Some(false))]);
        let addresses: Vec<_> = members.nodes.iter().map(|m| m.address.as_deref()).collect();
        assert_eq!(addresses, [Some("10.0.0.1"), None]);
    }

    #[test]
    fn a_standalone_node_has_no_cluster() {
        let parsed = parse_members("{\n\"nodename\": \"pve\",\n\"version\": 0\n}\n");
        assert_eq!(parsed.problems, []);
        let members = parsed.value.unwrap();
        assert_eq!((members.cluster, members.nodes), (None, vec![]));
        assert_eq!(parse_members("no").value, None);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>(), json in "[\\[\\]{}\",:a-z0-9]{0,40}") {
            for text in [text, json, "[".repeat(100_000), "{\"ids\":".repeat(1000)] {
                parse_vmlist(&text);
                parse_members(&text);
            }
        }

        #[test]
        fn listed_guests_come_back(guests in prop::collection::btree_map(100u32..1_000_000_000, ("[a-z][a-z0-9-]{0,10}", any::<bool>()), 0..20)) {
            let entries: Vec<String> = guests
                .iter()
                .map(|(vmid, (node, vm))| format!("\"{vmid}\": {{ \"node\": \"{node}\", \"type\": \"{}\", \"version\": 1 }}", if *vm { "qemu" } else { "lxc" }))
                .collect();
            let text = format!("{{\"version\": 1, \"ids\": {{{}}}}}", entries.join(",\n"));
            let parsed = parse_vmlist(&text);
            prop_assert_eq!(parsed.problems, vec![]);
            let found: Vec<_> = parsed.value.unwrap().into_iter().map(|g| (g.vmid, (g.node.unwrap().into_owned(), g.kind == Some(ListedKind::Qemu)))).collect();
            prop_assert_eq!(found, guests.into_iter().collect::<Vec<_>>());
        }
    }
}
