#!/usr/bin/env python3
"""Makes the seeds of every target from the samples: corpus.py FOLDER, a folder for each target below it."""
import pathlib
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent
CORPUS = pathlib.Path(sys.argv[1])
FROM = {  # target: what its seeds are in a bundle
    "vmlist": ".vmlist", "members": ".members", "corosync": "corosync.conf", "datacenter": "datacenter.cfg",
    "dmsetup_columns": "dmsetup-info-c", "dmsetup_deps": "dmsetup-deps dmsetup-ls", "dmsetup_info": "dmsetup-info",
    "dmsetup_table": "dmsetup-table dmsetup-status", "guest_config": "qemu-server/ lxc/", "guest_list": "qm-list pct-list",
    "holders": "holders", "kernel_log": "kernel-dm", "lvm_json": "lvs-json lvs-segments-json",
    "lsblk": "commands/lsblk.", "lvm_table": "/lvs.out /vgs.out /pvs.out", "lvmconfig": "lvmconfig", "mountinfo": "mountinfo", "multipath": "multipath", "openers": "lsof fuser",
    "pvesm": "pvesm-status", "pveversion": "pveversion", "storage_cfg": "storage.cfg", "swaps": "swaps",
    "system": "uname meminfo loadavg uptime lscpu df", "thin_status": "dmsetup-status",
}


def seed(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


for archive in sorted((ROOT.parent / "samples").glob("*.zip")):
    seed("archive", archive.name, archive.read_bytes())
    with zipfile.ZipFile(archive) as bundle:
        members = [name for name in bundle.namelist() if not name.endswith("/")]
        texts = {name.split("/", 1)[1]: bundle.read(name) for name in members if "/" in name}
    texts.pop("manifest.json", None)
    joined = b"\0".join(name.encode() + b"\n" + data for name, data in texts.items() if data)
    seed("node_text", archive.stem, joined)
    for target, sources in FROM.items():
        for source in sources.split():
            for number, (name, data) in enumerate(sorted(texts.items())):
                if data and source in name:
                    seed(target, f"{archive.stem}-{number}", data)

# Facts are what the command writes of the samples.
run = ["cargo", "run", "--quiet", "--locked", "--", "facts", "samples", "--now", "2026-11-23T19:00:00Z"]
facts = subprocess.run(run, cwd=ROOT.parent, stdout=subprocess.PIPE, check=True).stdout
seed("facts", "samples", facts)
for number, line in enumerate(facts.splitlines()):
    seed("facts", f"line-{number}", line)
