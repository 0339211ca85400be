//! `lsblk`: block devices as a tree, with what lies on what.
//!
//! A line is `NAME MAJ:MIN RM SIZE RO TYPE MOUNTPOINT …`; further columns
//! (`+HOTPLUG,ROTA,…`) follow in newer reports. The name is drawn as a tree.
//! With `-M` a device on several others stands once, behind a margin that
//! gathers those it lies on (`,->`, `|->`, `'->`, then `` `-- ``); without, it
//! stands once below each. Source: util-linux's lsblk(8) and libsmartcols'
//! `grouping.c`; recordings of 2.38.

use std::collections::{BTreeMap, HashMap};

use super::{DevNo, Parsed, lines};

/// A block device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockDevice {
    /// Its name: a device-mapper device's own, else the kernel's (`sda3`).
    pub name: String,
    /// Its number.
    pub devno: DevNo,
    /// `disk`, `part`, `lvm`, `dm`, `mpath`, …. For a device-mapper device
    /// lsblk takes it from the beginning of the UUID: `lvm` is one that LVM
    /// made, `dm` one without such a UUID.
    pub kind: String,
    /// Whether it is read-only.
    pub read_only: bool,
    /// The devices below it, sorted.
    pub below: Vec<DevNo>,
    /// Where it is mounted; `[SWAP]` for swap.
    pub mounts: Vec<String>,
    /// The line (from 1) it first stands on.
    pub line: usize,
}

impl BlockDevice {
    /// Whether its type is one that only device-mapper devices have.
    fn is_surely_dm(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "lvm" | "dm" | "mpath" | "crypt" | "dmraid"
        )
    }
}

/// The device-mapper devices among block devices: by their major number,
/// which is that of those whose type says so.
pub fn device_mapper(devices: &[BlockDevice]) -> impl Iterator<Item = &BlockDevice> {
    let mut seen: BTreeMap<u32, usize> = BTreeMap::new();
    for device in devices.iter().filter(|device| device.is_surely_dm()) {
        *seen.entry(device.devno.major).or_default() += 1;
    }
    let major = seen
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map(|(major, _)| major);
    devices
        .iter()
        .filter(move |device| Some(device.devno.major) == major)
}

/// Where the columns that are read begin, in characters.
struct Columns {
    /// Words in front of a row's type.
    kind: usize,
    read_only: usize,
    /// Begin and end of the mount point's column.
    mounts: Option<(usize, Option<usize>)>,
}

/// Reads the default form and those with further columns.
pub fn parse(text: &str) -> Parsed<Vec<BlockDevice>> {
    let mut parsed = Parsed::new(Vec::new());
    let mut tree = Tree::default();
    let mut columns: Option<Columns> = None;
    for (number, line) in lines(text) {
        if line.trim().is_empty() {
            continue;
        }
        let Some(known) = &columns else {
            columns = header(line);
            if columns.is_none() {
                parsed.problem(number, "expected lsblk's header: NAME MAJ:MIN … TYPE …");
            }
            continue;
        };
        match row(line, known, number) {
            Some((drawn, device)) => tree.place(&drawn, device, &mut parsed.value),
            // A further mount point stands on a line of its own.
            None => match continued(line, known) {
                Some(mount) => tree.mount(mount, &mut parsed.value),
                None => parsed.problem(number, "expected NAME MAJ:MIN … TYPE … of lsblk"),
            },
        }
    }
    for device in &mut parsed.value {
        device.below.sort_unstable();
        device.below.dedup();
    }
    parsed
}

fn header(line: &str) -> Option<Columns> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = |wanted: &str| words.iter().position(|word| *word == wanted);
    if words.first() != Some(&"NAME") || at("MAJ:MIN") != Some(1) {
        return None;
    }
    let mounts = words
        .iter()
        .position(|word| word.starts_with("MOUNTPOINT"))
        .and_then(|index| {
            let begin = |word: &str| {
                let byte = line.find(word)?;
                Some(line.get(..byte)?.chars().count())
            };
            // RIGHT-aligned columns behind it begin left of their header, but
            // never left of the blank behind this column.
            let next = words.get(index + 1).and_then(|next| begin(next));
            Some((begin(words.get(index)?)?, next))
        });
    Some(Columns {
        kind: at("TYPE")?,
        read_only: at("RO")?,
        mounts,
    })
}

/// Whether a character draws the tree in front of a name.
fn is_art(c: char) -> bool {
    " |`-,'>─│├└┌┈▶┬".contains(c)
}

/// A device's line.
fn row(line: &str, columns: &Columns, number: usize) -> Option<(Vec<char>, BlockDevice)> {
    let art: Vec<char> = line.chars().take_while(|c| is_art(*c)).collect();
    let rest = line.trim_start_matches(is_art);
    let words: Vec<&str> = rest.split_whitespace().take(columns.kind + 1).collect();
    let name = words.first()?;
    let devno: DevNo = words.get(1)?.parse().ok()?;
    let kind = *words.get(columns.kind)?;
    let read_only = *words.get(columns.read_only)?;
    if !matches!(read_only, "0" | "1") {
        return None;
    }
    Some((
        art,
        BlockDevice {
            name: (*name).to_owned(),
            devno,
            kind: kind.to_owned(),
            read_only: read_only == "1",
            below: Vec::new(),
            mounts: mount_cell(line, columns).into_iter().collect(),
            line: number,
        },
    ))
}

fn mount_cell(line: &str, columns: &Columns) -> Option<String> {
    let (begin, end) = columns.mounts?;
    // What is wider than its column goes on to the next blank.
    let end = end.unwrap_or(usize::MAX);
    let mut before = ' ';
    let cell: String = line
        .chars()
        .enumerate()
        .skip(begin)
        .take_while(|(at, c)| {
            let within = *at < end || (before != ' ' && *c != ' ');
            before = *c;
            within
        })
        .map(|(_, c)| c)
        .collect();
    let cell = cell.trim();
    (cell.starts_with('/') || cell == "[SWAP]").then(|| cell.to_owned())
}

/// A line that has nothing but a further mount point.
fn continued(line: &str, columns: &Columns) -> Option<String> {
    let mount = mount_cell(line, columns)?;
    let (begin, _) = columns.mounts?;
    line.chars().take(begin).all(is_art).then_some(mount)
}

/// What the lines so far say of the tree.
#[derive(Default)]
struct Tree {
    /// The branch that the last line hangs on: column and number.
    branch: Vec<(usize, DevNo)>,
    /// What each lane of the margin gathers, by its column.
    lanes: BTreeMap<usize, Lane>,
    by_devno: HashMap<DevNo, usize>,
    last: Option<usize>,
}

#[derive(Default)]
struct Lane {
    members: Vec<DevNo>,
    closed: bool,
}

impl Tree {
    fn place(&mut self, art: &[char], device: BlockDevice, found: &mut Vec<BlockDevice>) {
        let column = art.len();
        let devno = device.devno;
        let arrow = art.iter().position(|c| matches!(c, '>' | '▶'));
        if let Some(arrow) = arrow {
            self.join(art.get(..arrow).unwrap_or_default(), devno);
        }
        // Behind the margin's arrow, or all of it.
        let own = art.get(arrow.map_or(0, |at| at + 1)..).unwrap_or_default();
        while self.branch.last().is_some_and(|(at, _)| *at >= column) {
            self.branch.pop();
        }
        let below = match hangs(own) {
            Hangs::Nowhere => {
                self.branch.clear();
                Vec::new()
            }
            Hangs::OnBranch => self
                .branch
                .last()
                .map(|(_, number)| vec![*number])
                .unwrap_or_default(),
            Hangs::OnLane(at) => {
                self.branch.clear();
                self.lanes
                    .get(&at)
                    .filter(|lane| lane.closed)
                    .map(|lane| lane.members.clone())
                    .unwrap_or_default()
            }
        };
        self.branch.push((column, devno));
        let index = *self.by_devno.entry(devno).or_insert(found.len());
        self.last = Some(index);
        match found.get_mut(index) {
            Some(known) => {
                for mount in device.mounts {
                    if !known.mounts.contains(&mount) {
                        known.mounts.push(mount);
                    }
                }
                known.below.extend(below);
            }
            None => found.push(BlockDevice { below, ..device }),
        }
    }

    /// Takes a device into the group whose lane its margin shows.
    fn join(&mut self, margin: &[char], devno: DevNo) {
        let Some((at, mark)) = margin
            .iter()
            .enumerate()
            .find(|(at, _)| matches!(margin.get(at + 1), Some('-' | '┈' | '─') | None))
            .map(|(at, mark)| (at, *mark))
        else {
            return;
        };
        let lane = self.lanes.entry(at).or_default();
        if matches!(mark, ',' | '┌') || lane.closed {
            *lane = Lane::default();
        }
        lane.members.push(devno);
        lane.closed = matches!(mark, '\'' | '└');
    }

    fn mount(&mut self, mount: String, found: &mut [BlockDevice]) {
        if let Some(device) = self.last.and_then(|index| found.get_mut(index))
            && !device.mounts.contains(&mount)
        {
            device.mounts.push(mount);
        }
    }
}

enum Hangs {
    Nowhere,
    OnBranch,
    /// On all that the lane at this column gathered.
    OnLane(usize),
}

/// What the drawing right in front of a name says. A branch is a corner and
/// one dash, a group's child a corner and more of them, one column to the
/// right of the group's lane.
fn hangs(art: &[char]) -> Hangs {
    let dashes = art
        .iter()
        .rev()
        .take_while(|c| matches!(c, '-' | '─'))
        .count();
    let corner = (art.len() - dashes).checked_sub(1);
    match (dashes, corner) {
        (0, _) | (_, None) => Hangs::Nowhere,
        (1, Some(_)) => Hangs::OnBranch,
        (_, Some(corner)) => match corner.checked_sub(1) {
            Some(lane) => Hangs::OnLane(lane),
            None => Hangs::Nowhere,
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn below(devices: &[BlockDevice], name: &str) -> Vec<String> {
        let device = devices
            .iter()
            .find(|device| device.name == name)
            .unwrap_or_else(|| panic!("no {name} in {devices:?}"));
        device
            .below
            .iter()
            .map(|number| {
                let below = devices.iter().find(|other| other.devno == *number);
                below.unwrap().name.clone()
            })
            .collect()
    }

    /// With `-M`, as util-linux 2.38 prints it.
    const MERGED: &str = r"
    NAME                         MAJ:MIN RM  SIZE RO TYPE MOUNTPOINTS HOTPLUG ROTA FSTYPE
    loop0                          7:0    0    1G  0 loop                   0    0 LVM2_member
,-> |-pve-data_tmeta             254:0    0    4M  0 lvm                    0    0
'-> `-pve-data_tdata             254:1    0  500M  0 lvm                    0    0
 `--pve-data-tpool               254:2    0  500M  0 lvm                    0    0
    |-pve-data                   254:6    0  500M  1 lvm                    0    0
    |-pve-vm--150--disk--0       254:13   0   64M  0 lvm                    0    0
    | `-pve-vm--150--disk--0p1   254:22   0   63M  0 part /mnt/a b          0    0 ext4
    |                                                     /srv
    `-pve-vm--101--disk--0-old   254:23   0   64M  0 dm   [SWAP]            0    0
    vda                          253:0    0   64M  0 disk                   0    1
    `-ssd--ha01-vm--169--disk--0 254:3    0   48M  0 lvm                    0    1
";

    #[test]
    fn a_merged_tree_is_understood() {
        let parsed = parse(MERGED);
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
        let devices = &parsed.value;
        assert_eq!(below(devices, "pve-data_tmeta"), ["loop0"]);
        assert_eq!(below(devices, "pve-data_tdata"), ["loop0"]);
        assert_eq!(
            below(devices, "pve-data-tpool"),
            ["pve-data_tmeta", "pve-data_tdata"]
        );
        assert_eq!(below(devices, "pve-data"), ["pve-data-tpool"]);
        assert_eq!(
            below(devices, "pve-vm--150--disk--0p1"),
            ["pve-vm--150--disk--0"]
        );
        assert_eq!(
            below(devices, "pve-vm--101--disk--0-old"),
            ["pve-data-tpool"]
        );
        assert_eq!(below(devices, "ssd--ha01-vm--169--disk--0"), ["vda"]);
        let part = devices.iter().find(|d| d.kind == "part").unwrap();
        assert_eq!(part.mounts, ["/mnt/a b", "/srv"]);
        let old = devices.iter().find(|d| d.kind == "dm").unwrap();
        assert_eq!(old.mounts, ["[SWAP]"]);
        assert!(
            devices
                .iter()
                .find(|d| d.name == "pve-data")
                .unwrap()
                .read_only
        );
        let dm: Vec<_> = device_mapper(devices).map(|d| d.name.as_str()).collect();
        assert_eq!(dm.len(), 8);
        assert!(!dm.contains(&"vda") && dm.contains(&"pve-vm--150--disk--0p1"));
    }

    #[test]
    fn a_plain_tree_repeats_what_lies_on_two() {
        let text = "\
NAME                 MAJ:MIN RM   SIZE RO TYPE MOUNTPOINT
sda                    8:0    0   100G  0 disk 
|-sda2                 8:2    0   512M  0 part /boot/efi
`-sda3                 8:3    0  99.5G  0 part 
  |-pve-swap         253:0    0     8G  0 lvm  [SWAP]
  |-pve-data_tmeta   253:2    0     1G  0 lvm  
  | `-pve-data-tpool 253:4    0    60G  0 lvm  
  |   `-pve-vm--1--x 253:6    0    10G  0 lvm  
  `-pve-data_tdata   253:3    0    60G  0 lvm  
    `-pve-data-tpool 253:4    0    60G  0 lvm  
      `-pve-vm--1--x 253:6    0    10G  0 lvm  
sr0                   11:0    1  1024M  0 rom  
";
        for text in [
            text.to_owned(),
            text.replace("|-", "├─")
                .replace("`-", "└─")
                .replace('|', "│"),
        ] {
            let parsed = parse(&text);
            assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
            let devices = &parsed.value;
            assert_eq!(devices.len(), 9);
            assert_eq!(
                below(devices, "pve-data-tpool"),
                ["pve-data_tmeta", "pve-data_tdata"]
            );
            assert_eq!(below(devices, "pve-vm--1--x"), ["pve-data-tpool"]);
            assert_eq!(below(devices, "pve-swap"), ["sda3"]);
            assert_eq!(below(devices, "sr0"), [] as [&str; 0]);
            assert_eq!(device_mapper(devices).count(), 5);
        }
    }

    #[test]
    fn other_text_is_a_problem() {
        let parsed = parse("lsblk: failed to access sysfs directory\n");
        assert_eq!((parsed.value.len(), parsed.problems.len()), (0, 1));
        let parsed = parse("NAME MAJ:MIN RM SIZE RO TYPE MOUNTPOINT\nwhat is this here\n");
        assert_eq!(parsed.problems[0].line, 2);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(NAME MAJ:MIN RM SIZE RO TYPE MOUNTPOINTS\\n)?(\\PC|[|`,'> -]|├─|,-> |`--|a 8:1 0 1G 0 lvm /x|\\n| ){0,60}") {
            parse(&text);
        }

        #[test]
        fn depth_is_read_back(depths in prop::collection::vec(0usize..6, 1..40)) {
            // Each line at most one deeper than the one above.
            let mut text = "NAME MAJ:MIN RM SIZE RO TYPE MOUNTPOINT\n".to_owned();
            let mut stack: Vec<usize> = Vec::new();
            let mut expected = Vec::new();
            for (number, depth) in depths.into_iter().enumerate() {
                stack.truncate(depth);
                expected.push(stack.last().copied());
                let art = match stack.len() {
                    0 => String::new(),
                    deep => format!("{}|-", "| ".repeat(deep - 1)),
                };
                text += &format!("{art}d{number} 254:{number} 0 1G 0 lvm\n");
                stack.push(number);
            }
            let parsed = parse(&text);
            prop_assert!(parsed.problems.is_empty());
            let read: Vec<Option<usize>> = parsed
                .value
                .iter()
                .map(|device| device.below.first().map(|number| number.minor as usize))
                .collect();
            prop_assert_eq!(read, expected);
        }
    }
}
