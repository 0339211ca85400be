//! What becomes of names that are made of parts: LVM's, device-mapper's,
//! paths, volume ids and the words of a text.

use std::net::IpAddr;

use super::names::{Kind, Names};
use super::words;
use crate::model::names::{GuestVolume, LvmName, LvmUuid, partition_parent, replica_of};

impl Names {
    /// A node's name, with or without its domain.
    pub(super) fn node(&mut self, name: &str) -> String {
        let mut labels = name.trim().split('.');
        let first = labels.next().unwrap_or_default();
        let mut out = match words::is_default(first) {
            true => first.to_owned(),
            false => self.token(Kind::Node, first),
        };
        for label in labels {
            out.push('.');
            out.push_str(&self.token(Kind::Word, label));
        }
        out
    }

    /// A guest's name, which may have a domain.
    pub(super) fn guest(&mut self, name: &str) -> String {
        self.token(Kind::Guest, name)
    }

    /// A snapshot's name.
    pub(super) fn snapshot(&mut self, name: &str) -> String {
        match name {
            "current" | "pending" | "PENDING" => name.to_owned(),
            _ => self.token(Kind::Snap, name),
        }
    }

    /// The name of a storage, a volume group, or a device. One that begins
    /// with `local` keeps that: PVE's local storages are known by it.
    pub(super) fn store(&mut self, name: &str) -> String {
        if words::is_default(name) || words::is_kernel_name(name) {
            return name.to_owned();
        }
        let default_multipath = |rest: &str| {
            (1..=2).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_lowercase())
        };
        if name.strip_prefix("mpath").is_some_and(default_multipath) {
            return name.to_owned();
        }
        match name.split_at_checked("local".len()) {
            Some((local, rest)) if local.eq_ignore_ascii_case("local") => {
                format!("{local}{}", self.part(Kind::Store, rest, name))
            }
            _ => self.token(Kind::Store, name),
        }
    }

    /// A logical volume's name: PVE's and LVM's own patterns stay.
    pub(super) fn lv(&mut self, name: &str) -> String {
        if name.len() > LONGEST {
            // None of LVM's: it need not be taken apart.
            return self.store(name);
        }
        if let Some(inner) = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
        {
            return format!("[{}]", self.lv(inner));
        }
        if is_lvm_own(name) {
            return name.to_owned();
        }
        if let Some((stem, suffix)) = hidden_suffix(name) {
            return format!("{}{suffix}", self.lv(stem));
        }
        for prefix in ["snap_", "del-"] {
            if let Some(rest) = name.strip_prefix(prefix)
                && vmid(rest.strip_prefix("snap_").unwrap_or(rest)).is_some()
            {
                return match (prefix, rest.split_once('_')) {
                    ("snap_", Some((volume, snapshot))) => {
                        let (snapshot, ending) = ending(snapshot);
                        let volume = self.lv(volume);
                        format!("snap_{volume}_{}{ending}", self.snapshot(snapshot))
                    }
                    _ => format!("{prefix}{}", self.lv(rest)),
                };
            }
        }
        if let Some(volume) = replica_of(name) {
            let (number, rest) = name.split_at(volume.len()).1.split_at(6);
            let rest = rest.strip_prefix('_');
            let rest = rest.map(|rest| format!("_{}", self.token(Kind::Word, rest)));
            return format!("{}{number}{}", self.lv(volume), rest.unwrap_or_default());
        }
        if let Some((head, rest)) = vmid(name) {
            let (stem, ending) = ending(rest);
            return format!("{head}{}{ending}", self.guest_volume(stem));
        }
        self.store(name)
    }

    /// A tag of LVM's. PVE's own tells whose a volume is.
    pub(super) fn tag(&mut self, tag: &str) -> String {
        match tag.strip_prefix("pve-vm-").is_some_and(is_digits) {
            true => tag.to_owned(),
            false => self.token(Kind::Word, tag),
        }
    }

    /// What follows `vm-100-` in a volume's name.
    fn guest_volume(&mut self, rest: &str) -> String {
        let numbered = |rest: &str| is_digits(rest);
        if rest == "cloudinit" || rest.strip_prefix("disk-").is_some_and(numbered) {
            return rest.to_owned();
        }
        if let Some(snapshot) = rest.strip_prefix("state-") {
            return format!("state-{}", self.snapshot(snapshot));
        }
        if let Some(rest) = rest.strip_prefix("fleece-") {
            return match is_digits(rest) {
                true => format!("fleece-{rest}"),
                false => format!("fleece-{}", self.token(Kind::Store, rest)),
            };
        }
        self.token(Kind::Store, rest)
    }

    /// A device-mapper name. It is escaped as LVM's are, so that no stand-in
    /// of a plain name reads as volume group and volume.
    pub(super) fn dm_name(&mut self, name: &str) -> String {
        let whole = |names: &mut Self| names.store(name).replace('-', "--");
        if words::is_kernel_name(name) {
            return name.to_owned();
        }
        match LvmName::split(name) {
            Some(parts) if crate::model::names::is_safe(name) => {
                let (vg, lv) = (self.store(&parts.vg), self.lv(&parts.lv));
                let mut out = LvmName::join(&vg, &lv);
                if let Some(layer) = parts.layer {
                    out.push('-');
                    out.push_str(&self.layer(&layer));
                }
                out
            }
            _ => whole(self),
        }
    }

    fn layer(&mut self, layer: &str) -> String {
        const KNOWN: [&str; 18] = [
            "tpool",
            "pool",
            "real",
            "cow",
            "tdata",
            "tmeta",
            "cdata",
            "cmeta",
            "corig",
            "vpool",
            "vdata",
            "old",
            "bak",
            "new",
            "tmp",
            "stale",
            "cvol",
            "missing_0_0",
        ];
        let stem = layer.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
        let numbered = ["part", "p", "rimage", "rmeta", "mimage", "mlog"];
        if KNOWN.contains(&layer) || numbered.contains(&stem) || is_digits(layer) {
            return layer.to_owned();
        }
        self.token(Kind::Layer, layer)
    }

    /// A device-mapper UUID.
    pub(super) fn dm_uuid(&mut self, uuid: &str) -> String {
        if uuid.is_empty() {
            return String::new();
        }
        if uuid.len() > LONGEST {
            return self.token(Kind::Id, uuid);
        }
        if let Some(parts) = LvmUuid::parse(uuid) {
            let (vg, lv) = (self.lvm_uuid(&parts.vg), self.lvm_uuid(&parts.lv));
            return match parts.layer {
                Some(layer) => format!("LVM-{vg}{lv}-{}", self.layer(&layer)),
                None => format!("LVM-{vg}{lv}"),
            };
        }
        if let Some(parent) = partition_parent(uuid) {
            let number = uuid.strip_suffix(parent).unwrap_or_default();
            return format!("{number}{}", self.dm_uuid(parent));
        }
        match ["mpath-", "CRYPT-", "LVM-"]
            .iter()
            .find(|prefix| uuid.starts_with(**prefix))
        {
            Some(prefix) => {
                let rest = uuid.strip_prefix(prefix).unwrap_or_default();
                format!("{prefix}{}", self.token(Kind::Id, rest))
            }
            None => self.token(Kind::Id, uuid),
        }
    }

    /// A path. Folders of every system stay.
    pub(super) fn path(&mut self, path: &str) -> String {
        if let Some(name) = path.strip_prefix("/dev/mapper/")
            && !name.contains('/')
            && name != "control"
        {
            return format!("/dev/mapper/{}", self.dm_name(name));
        }
        if let Some(id) = path.strip_prefix("/dev/disk/by-id/") {
            if let Some(uuid) = id.strip_prefix("dm-uuid-") {
                return format!("/dev/disk/by-id/dm-uuid-{}", self.dm_uuid(uuid));
            }
            if let Some(name) = id.strip_prefix("dm-name-") {
                return format!("/dev/disk/by-id/dm-name-{}", self.dm_name(name));
            }
        }
        // `/dev/VG/LV`: a volume group may be called as a folder is.
        if let Some((vg, lv)) = path
            .strip_prefix("/dev/")
            .and_then(|rest| rest.split_once('/'))
            && !lv.is_empty()
            && !lv.contains('/')
            && !["mapper", "disk", "pts", "shm", "net", "vfio", "fuse"].contains(&vg)
        {
            return format!("/dev/{}/{}", self.store(vg), self.lv(lv));
        }
        let mut under_nodes = false;
        let mut out = Vec::new();
        for part in path.split('/') {
            let conf = part.strip_suffix(".conf");
            out.push(match part {
                "" | "." | ".." => part.to_owned(),
                _ if under_nodes => self.node(part),
                _ if words::is_folder(part) || conf.is_some_and(is_digits) || is_digits(part) => {
                    part.to_owned()
                }
                _ => self.lv(part),
            });
            under_nodes = part == "nodes";
        }
        out.join("/")
    }

    /// `storage:volume`, where folders may stand before the volume; none
    /// where the text can't be one.
    fn volume_id(&mut self, text: &str) -> Option<String> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let (storage, path) = text.split_once(':')?;
        if storage.is_empty() || path.is_empty() || !storage.chars().all(legal) {
            return None;
        }
        let storage = self.store(storage);
        let (folders, volume) = match path.rsplit_once('/') {
            Some((folders, volume)) => (Some(folders), volume),
            None => (None, path),
        };
        let mut out = format!("{storage}:");
        for part in folders.into_iter().flat_map(|folders| folders.split('/')) {
            match words::is_folder(part) || is_digits(part) {
                true => out.push_str(part),
                false => out.push_str(&self.lv(part)),
            }
            out.push('/');
        }
        out.push_str(&self.lv(volume));
        Some(out)
    }

    /// An address, a MAC or a UUID, where the word is one.
    fn address_like(&mut self, word: &str) -> Option<String> {
        let (host, mask) = match word.split_once('/') {
            Some((host, mask)) if is_digits(mask) => (host, Some(mask)),
            _ => (word, None),
        };
        if host.parse::<IpAddr>().is_ok() {
            let address = self.address(host);
            return Some(match mask {
                Some(mask) => format!("{address}/{mask}"),
                None => address,
            });
        }
        if let Some((host, port)) = word.rsplit_once(':')
            && host.parse::<std::net::Ipv4Addr>().is_ok()
            && is_digits(port)
        {
            return Some(format!("{}:{port}", self.address(host)));
        }
        let groups = |separator: char, lengths: &[usize]| {
            let parts: Vec<&str> = word.split(separator).collect();
            parts.len() == lengths.len()
                && parts.iter().zip(lengths).all(|(part, length)| {
                    part.len() == *length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
                })
        };
        if groups(':', &[2; 6]) {
            return Some(self.mac(word));
        }
        groups('-', &[8, 4, 4, 4, 12]).then(|| self.uuid(word))
    }

    /// A piece of a setting's value.
    fn atom(&mut self, word: &str) -> String {
        if word.is_empty() {
            return String::new();
        }
        if let Some(address) = self.address_like(word) {
            return address;
        }
        if let Some(at) = word.find('/')
            && (at == 0 || word.contains("/dev/"))
        {
            let at = word.find("/dev/").unwrap_or(at);
            let (before, path) = word.split_at(at);
            let before = match before {
                "" => String::new(),
                before => self.token(Kind::Word, before),
            };
            return format!("{before}{}", self.path(path));
        }
        let pci = |word: &str| {
            word.len() <= 12
                && word.contains([':', '.'])
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))
        };
        if words::is_number(word) || words::is_setting(word) || pci(word) {
            return word.to_owned();
        }
        if let Some(volume) = self.volume_id(word) {
            return volume;
        }
        let stem = word.trim_end_matches(|c: char| c.is_ascii_digit());
        if stem.len() < word.len() && !stem.is_empty() && words::is_setting(stem) {
            return word.to_owned();
        }
        self.lv(word)
    }

    /// A setting's value: its punctuation stays, and what is known to
    /// identify nobody.
    pub(super) fn value(&mut self, text: &str) -> String {
        let mut identity = false;
        pieces(text, |word, separator| {
            let stand_in = match identity && !word.is_empty() {
                true => self
                    .address_like(word)
                    .unwrap_or_else(|| self.token(Kind::Id, word)),
                false => self.atom(word),
            };
            identity = separator == Some('=')
                && ["serial", "wwn", "sku", "product", "family", "manufacturer"].contains(&word);
            stand_in
        })
    }

    /// A value in which there may be a secret: of its words only devices and
    /// guests' volumes stay, and the others are not in the mapping.
    pub(super) fn volumes_alone(&mut self, text: &str) -> String {
        pieces(text, |word, _| {
            if let Some(at) = word.find("/dev/") {
                let path = word.get(at..).unwrap_or_default();
                return self.path(path);
            }
            let is_volumes = |part: &str| GuestVolume::parse(part).is_some();
            match word.split_once(':') {
                Some((storage, path)) if path.split('/').any(is_volumes) => {
                    let parts = path.split('/').map(|part| match part {
                        "" => String::new(),
                        part if is_volumes(part) => self.lv(part),
                        _ => NO_SECRET.to_owned(),
                    });
                    let path = parts.collect::<Vec<_>>().join("/");
                    format!("{}:{path}", self.store(storage))
                }
                _ if word.is_empty() => String::new(),
                _ => NO_SECRET.to_owned(),
            }
        })
    }

    /// A text of a person or a program: known words and numbers stay.
    pub(super) fn text(&mut self, text: &str) -> String {
        let is_separator = |c: char| c.is_whitespace() || "()[]{}<>,;\"'=|".contains(c);
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if is_separator(first) && first != '\'' {
                out.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
                continue;
            }
            let end = rest
                .find(|c: char| is_separator(c) && c != '\'')
                .unwrap_or(rest.len());
            let (piece, after) = rest.split_at(end);
            rest = after;
            let word = piece.trim_end_matches([':', '.', '\'', '!', '?']);
            let tail = piece.strip_prefix(word).unwrap_or_default();
            let quote = word.len() - word.trim_start_matches('\'').len();
            let (quote, word) = word.split_at(quote);
            out.push_str(quote);
            out.push_str(&self.free_word(word));
            out.push_str(tail);
        }
        out
    }

    fn free_word(&mut self, word: &str) -> String {
        if word.is_empty() || words::is_message(word) || words::is_kernel_name(word) {
            return word.to_owned();
        }
        if let Some(address) = self.address_like(word) {
            return address;
        }
        if words::is_number(word.strip_suffix("-ioctl").unwrap_or(word)) {
            return word.to_owned();
        }
        match word.starts_with('/') {
            true => self.path(word),
            false => self.dm_name(word),
        }
    }
}

/// The longest name or UUID that is taken apart.
const LONGEST: usize = 255;

/// What stands for a word that may be a secret.
pub(super) const NO_SECRET: &str = "redacted";

/// A value whose words are replaced; `change` is given the separator that
/// follows, too.
fn pieces(text: &str, mut change: impl FnMut(&str, Option<char>) -> String) -> String {
    const SEPARATORS: [char; 13] = [
        ',', ' ', '\t', '"', '\'', '=', ';', '(', ')', '{', '}', '[', ']',
    ];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(SEPARATORS).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let mut tail = after.chars();
        let separator = tail.next();
        out.push_str(&change(word, separator));
        out.extend(separator);
        rest = tail.as_str();
    }
    out
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `vm-100-` or `base-100-`, and what follows.
fn vmid(name: &str) -> Option<(&str, &str)> {
    let rest = name
        .strip_prefix("vm-")
        .or_else(|| name.strip_prefix("base-"))?;
    let (number, rest) = rest.split_once('-')?;
    (is_digits(number) && !rest.is_empty()).then(|| name.split_at(name.len() - rest.len()))
}

/// A name without its format's ending, and that.
fn ending(name: &str) -> (&str, &str) {
    for ending in [".qcow2", ".raw", ".vmdk"] {
        if let Some(stem) = name.strip_suffix(ending).filter(|stem| !stem.is_empty()) {
            return name.split_at(stem.len());
        }
    }
    (name, "")
}

/// `lvol0`, `lvol0_pmspare`: names that LVM chose.
fn is_lvm_own(name: &str) -> bool {
    let number = name.strip_prefix("lvol");
    number.is_some_and(|rest| is_digits(rest.strip_suffix("_pmspare").unwrap_or(rest)))
}

/// A hidden volume's parent and what LVM appends to it.
fn hidden_suffix(name: &str) -> Option<(&str, &str)> {
    const SUFFIXES: [&str; 18] = [
        "rimage", "rmeta", "mimage", "mlog", "tdata", "tmeta", "cdata", "cmeta", "corig", "wcorig",
        "iorig", "imeta", "vdata", "vorigin", "pmspare", "cvol", "cpool", "vpool",
    ];
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let bare = bare.strip_suffix('_').unwrap_or(name);
    let (stem, _) = SUFFIXES.iter().find_map(|suffix| {
        let stem = bare.strip_suffix(suffix)?.strip_suffix('_')?;
        (!stem.is_empty()).then_some((stem, suffix))
    })?;
    Some(name.split_at(stem.len()))
}
