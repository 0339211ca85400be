//! Originals and their stand-ins: what the mapping file holds.
//!
//! A stand-in is made from a random key that stays in the mapping, so the
//! same name has the same one in every bundle and every later run, and nobody
//! without the mapping can try names until one fits.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use foldhash::quality::RandomState;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The mapping file's format.
pub const MAPPING_FORMAT: u32 = 1;

/// Letters of a token before its kind.
const LETTERS: usize = 8;

/// What a name is of. Names of different kinds have unrelated stand-ins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A node.
    Node,
    /// A storage, a volume group, a volume, a device or a part of a path:
    /// these are compared with each other.
    Store,
    /// A snapshot of a guest.
    Snap,
    /// A guest.
    Guest,
    /// A cluster.
    Cluster,
    /// A serial number, WWN or another identity.
    Id,
    /// A word of a text.
    Word,
    /// What a person appended to a device-mapper name.
    Layer,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Store => "store",
            Self::Snap => "snap",
            Self::Guest => "guest",
            Self::Cluster => "cluster",
            Self::Id => "id",
            Self::Word => "word",
            Self::Layer => "layer",
        }
    }
}

/// Originals by stand-in, and the key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    format: u32,
    key: String,
    names: BTreeMap<String, String>,
    #[serde(skip)]
    bundle: OfBundle,
    /// What the input may still add.
    #[serde(skip)]
    room: Room,
    /// Stand-ins of this bundle's words: a text has most of its words again and
    /// again.
    #[serde(skip)]
    remembered: HashMap<(Kind, String, &'static str), String, RandomState>,
}

/// Names that one input may add: ten times those of the largest node that is
/// read, with its cluster.
const MOST_NAMES: usize = 500_000;

/// Bytes of these names.
const MOST_BYTES: usize = 32 << 20;

/// Words that are remembered.
const MOST_REMEMBERED: usize = 20_000;

/// What an input may still add to the mapping.
#[derive(Debug, Clone)]
struct Room {
    names: usize,
    bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            names: MOST_NAMES,
            bytes: MOST_BYTES,
        }
    }
}

/// What the bundle that is redacted has added.
#[derive(Debug, Clone, Default)]
struct OfBundle {
    stand_ins: Vec<String>,
    /// Whether it has more names than it may.
    is_over: bool,
}

impl Names {
    /// An empty mapping with a new random key.
    ///
    /// # Errors
    /// Where the system gives no random bytes.
    pub fn new() -> io::Result<Self> {
        let mut key = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut key)?;
        Ok(Self::with_key(&key))
    }

    fn with_key(key: &[u8]) -> Self {
        Self {
            format: MAPPING_FORMAT,
            key: hex(key),
            names: BTreeMap::new(),
            bundle: OfBundle::default(),
            room: Room::default(),
            remembered: HashMap::default(),
        }
    }

    /// Begins with an input, which may have several bundles.
    pub fn begin_input(&mut self) {
        self.room = Room::default();
    }

    /// Begins with a bundle.
    pub(super) fn begin(&mut self) {
        self.bundle = OfBundle::default();
        self.remembered.clear();
    }

    /// Whether the bundle has more names than any cluster. What it has then is
    /// no longer looked at.
    pub(super) fn are_too_many(&self) -> bool {
        self.bundle.is_over
    }

    /// Takes back what the bundle has added.
    pub(super) fn undo(&mut self) {
        for stand_in in self.bundle.stand_ins.drain(..) {
            self.names.remove(&stand_in);
        }
        self.remembered.clear();
    }

    /// Reads a mapping file; none where there is no such file.
    ///
    /// # Errors
    /// One line: what is wrong with the file and what to do.
    pub fn load(path: &Path) -> Result<Option<Self>, String> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| format!("{} can't be read: {error}", path.display()))?,
        };
        let names: Self = serde_json::from_str(&text).map_err(|error| {
            format!(
                "{} is no mapping file of dmaudit redact: {error}",
                path.display()
            )
        })?;
        if names.format != MAPPING_FORMAT || names.key.len() != 64 {
            return Err(format!(
                "{} has format {}, expected {MAPPING_FORMAT} with a key of 64 digits: use the \
                 dmaudit that wrote it",
                path.display(),
                names.format
            ));
        }
        Ok(Some(names))
    }

    /// The mapping file's text.
    ///
    /// # Errors
    /// None that a name could cause.
    pub fn to_text(&self) -> Result<String, String> {
        let text = serde_json::to_string_pretty(self);
        text.map(|text| text + "\n")
            .map_err(|error| format!("the mapping can't be written: {error}"))
    }

    /// All stand-ins with their originals.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names
            .iter()
            .map(|(stand_in, original)| (stand_in.as_str(), original.as_str()))
    }

    /// The token for a name: `xkqwertz-store`, one dash. Names that differ in
    /// case alone, or in dashes alone, have tokens that do so, too, since PVE
    /// storages and volume groups are matched that way.
    pub fn token(&mut self, kind: Kind, name: &str) -> String {
        self.part(kind, name, name)
    }

    /// The token for a part of a name, which is as safe in a script as the
    /// whole.
    pub(super) fn part(&mut self, kind: Kind, name: &str, whole: &str) -> String {
        if name.is_empty() || self.bundle.is_over {
            return String::new();
        }
        let key = (kind, name.to_owned(), mark(whole));
        if let Some(token) = self.remembered.get(&key) {
            return token.clone();
        }
        let token = self.fresh(kind, name, whole);
        if self.remembered.len() < MOST_REMEMBERED && name.len() <= 128 {
            self.remembered.insert(key, token.clone());
        }
        token
    }

    fn fresh(&mut self, kind: Kind, name: &str, whole: &str) -> String {
        let small = name.to_lowercase();
        let class: String = small.chars().filter(|c| *c != '-').collect();
        let mut round = 0_u32;
        loop {
            let salt = round.to_string();
            let digest = self.digest(&["token", kind.word(), &class, &salt]);
            let mut letters: Vec<u8> = std::iter::once(b'x')
                .chain(digest.iter().map(|byte| b'a' + byte % 26))
                .take(LETTERS)
                .collect();
            if name != small {
                let bits = self.digest(&["case", name]);
                let bits = bits.first().map_or(1, |byte| byte | 1);
                for (at, letter) in letters.iter_mut().skip(1).enumerate() {
                    if bits >> at & 1 == 1 {
                        letter.make_ascii_uppercase();
                    }
                }
            }
            letters.extend(kind.word().bytes());
            let dash = match small == class {
                true => LETTERS,
                false => {
                    let digest = self.digest(&["dashes", &small]);
                    2 + usize::from(digest.first().copied().unwrap_or(0)) % (LETTERS - 2)
                }
            };
            letters.insert(dash, b'-');
            letters.extend(mark(whole).bytes());
            let token = String::from_utf8_lossy(&letters).into_owned();
            if self.claim(&token, name) {
                return token;
            }
            round += 1;
        }
    }

    /// A UUID of LVM's: 32 characters with or without its dashes.
    pub fn lvm_uuid(&mut self, uuid: &str) -> String {
        const ALPHABET: &[u8; 62] =
            b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let plain: String = uuid.chars().filter(|c| *c != '-').collect();
        let digest = self.digest(&["lvm-uuid", &plain]);
        let stand_in: String = digest
            .iter()
            .filter_map(|byte| ALPHABET.get(usize::from(*byte) % 62))
            .map(|byte| char::from(*byte))
            .collect();
        self.claim(&stand_in, &plain);
        self.claim(&dashed(&stand_in), &dashed(&plain));
        match uuid.contains('-') {
            true => dashed(&stand_in),
            false => stand_in,
        }
    }

    /// A UUID of the usual form.
    pub fn uuid(&mut self, uuid: &str) -> String {
        let digits = hex(&self.digest(&["uuid", &uuid.to_lowercase()]));
        let stand_in = cut(&digits, &[8, 4, 4, 4, 12], "-");
        self.claim(&stand_in, uuid);
        stand_in
    }

    /// A MAC address; the stand-in is a locally administered one.
    pub fn mac(&mut self, mac: &str) -> String {
        let digits = hex(&self.digest(&["mac", &mac.to_lowercase()]));
        let stand_in = format!("02:{}", cut(&digits, &[2; 5], ":"));
        self.claim(&stand_in, mac);
        stand_in
    }

    /// An IP address of either kind; the stand-in is one of 2001:db8::/32,
    /// which is for documentation.
    pub fn address(&mut self, address: &str) -> String {
        let digits = hex(&self.digest(&["address", &address.to_lowercase()]));
        let stand_in = format!("2001:db8:{}", cut(&digits, &[4; 6], ":"));
        self.claim(&stand_in, address);
        stand_in
    }

    /// A machine id and its SHA-256 as the collector computes it (over the
    /// line). `text` is the output, or `hash` alone is known.
    pub fn machine_id(&mut self, text: Option<&str>, hash: &str) -> (String, String) {
        let digits = hex(&self.digest(&["machine-id", &hash.to_lowercase()]));
        let id = cut(&digits, &[32], "");
        let stand_in = hex(&Sha256::digest(format!("{id}\n")));
        self.claim(&stand_in, hash);
        if let Some(text) = text {
            self.claim(&id, text);
        }
        (id, stand_in)
    }

    /// Notes a stand-in; false where it stands for another original.
    fn claim(&mut self, stand_in: &str, original: &str) -> bool {
        if self.bundle.is_over {
            return true;
        }
        match self.names.get(stand_in) {
            Some(other) => other == original,
            None => {
                let room = self.room.names.checked_sub(1);
                let bytes = self.room.bytes.checked_sub(original.len());
                let (Some(names), Some(bytes)) = (room, bytes) else {
                    self.bundle.is_over = true;
                    return true;
                };
                self.room = Room { names, bytes };
                self.names.insert(stand_in.to_owned(), original.to_owned());
                self.bundle.stand_ins.push(stand_in.to_owned());
                true
            }
        }
    }

    fn digest(&self, parts: &[&str]) -> [u8; 32] {
        if self.bundle.is_over {
            // Nothing comes of it.
            return [0; 32];
        }
        let mut hash = Sha256::new();
        for part in std::iter::once(&self.key.as_str()).chain(parts) {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// What is appended so that a name which is unsafe in a script has an unsafe
/// stand-in, and one that no storage has keeps that.
fn mark(name: &str) -> &'static str {
    match crate::model::names::is_safe(name) {
        false => "@",
        true if name.contains('+') => "+",
        true => "",
    }
}

/// An LVM UUID with its dashes.
fn dashed(plain: &str) -> String {
    cut(plain, &[6, 4, 4, 4, 4, 4, 6], "-")
}

fn cut(text: &str, lengths: &[usize], joint: &str) -> String {
    let mut rest = text;
    let mut parts = Vec::new();
    for length in lengths {
        let (part, after) = rest.split_at_checked(*length).unwrap_or((rest, ""));
        parts.push(part);
        rest = after;
    }
    parts.join(joint)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_dashes_stay_comparable() {
        let mut names = Names::with_key(&[7; 32]);
        let mut token = |name: &str| names.token(Kind::Store, name);
        let plain = |text: &str| text.to_lowercase().replace('-', "");
        let (a, b, c) = (token("vgssd"), token("VG-SSD"), token("vg-ssd"));
        assert!(a != b && b != c && a != c);
        assert_eq!(plain(&a), plain(&b));
        assert_eq!(b.to_lowercase(), c);
        assert_ne!(plain(&a), plain(&token("vgssd2")));
        assert!(token("a b").ends_with('@'));
    }

    #[test]
    fn a_bundle_with_too_many_names_leaves_none() {
        let mut names = Names::with_key(&[3; 32]);
        names.begin();
        let kept = names.token(Kind::Node, "alpha");
        names.begin_input();
        names.begin();
        (0..MOST_NAMES).for_each(|i| drop(names.token(Kind::Word, &format!("w{i}"))));
        assert!(!names.are_too_many());
        names.token(Kind::Node, "alpha");
        assert!(!names.are_too_many(), "a name of before");
        names.token(Kind::Word, "one more");
        assert!(names.are_too_many());
        names.undo();
        assert_eq!(names.iter().collect::<Vec<_>>(), [(&*kept, "alpha")]);
        names.begin();
        assert_eq!(names.token(Kind::Node, "alpha"), kept);
        names.token(Kind::Word, "w");
        assert!(names.are_too_many(), "the next bundle of the input");
        names.begin_input();
        names.begin();
        names.token(Kind::Word, &"long".repeat(MOST_BYTES / 4));
        assert!(!names.are_too_many());
        names.token(Kind::Word, "w");
        assert!(names.are_too_many());
    }

    #[test]
    fn the_same_name_has_one_stand_in_in_any_order() {
        let mut first = Names::with_key(&[1; 32]);
        let mut second = Names::with_key(&[1; 32]);
        let a = first.token(Kind::Node, "alpha");
        second.token(Kind::Node, "beta");
        assert_eq!(second.token(Kind::Node, "alpha"), a);
        let mut other = Names::with_key(&[2; 32]);
        assert_ne!(other.token(Kind::Node, "alpha"), a);
    }
}
