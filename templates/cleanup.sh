#!/bin/sh
# Guarded cleanup of device-mapper entries on one Proxmox VE node.
#
# Written by dmaudit from a snapshot of the node. Read it, then run it without
# options: a dry run, which checks everything and changes nothing.
#
#   node        {{ node|comment }}
#   cluster     {{ cluster|comment }}
#   snapshot    {{ collected_at|comment }}, from {{ bundle|comment }}
#   analyzed    {{ analyzed_at|comment }} by dmaudit {{ version|comment }}
{% if machine_id_sha256 %}
#   machine     SHA-256 of /etc/machine-id: {{ machine_id_sha256|comment }}
{% else %}
#   machine     NOT RECORDED: this script knows its node by the host name only.
#               Make sure yourself that it is the right machine.
{% endif %}
{% if not boot_id %}
#   boot        not recorded: a reboot since the snapshot is not noticed as such.
{% endif %}
#
# What it does, and only with --execute: take up to {{ (count|string)|comment }} entries out of this
# node's kernel, each after asking, in the order below. An entry that LVM does
# not know is removed; one that LVM knows is deactivated.
#
# What it never does: delete data, force anything, touch a device that is open,
# held, mounted, swapped on, or of a guest that runs, is locked or references
# it. Every check is made live, right before each removal, and any doubt means
# that the entry is skipped. One function removes; it is called take_out.
#
# Before each removal, the way back is written to an undo script in LOGDIR.
#
#   sh SCRIPT                          dry run
#   sh SCRIPT --execute                asks for each entry
#   sh SCRIPT --execute --only NAME    this entry only
#   sh SCRIPT --help                   the rest

# shellcheck disable=SC1003,SC2016 # the texts of the entries stand in single quotes

set -u
unset IFS
umask 077
LC_ALL=C
export LC_ALL
PATH=${PATH:+$PATH:}/usr/sbin:/usr/bin:/sbin:/bin
export PATH

# --- What was recorded -------------------------------------------------------

NODE={{ node }}
MACHINE_ID_SHA256={{ machine_id_sha256 }}
BOOT_ID={{ boot_id }}
COLLECTED={{ collected_at }}
COLLECTED_SECONDS={{ collected_seconds }} # the same, in seconds since 1970

# The names of all entries below, one a line.
ITEMS='
{% for call in calls %}
{{ call.name|comment }}
{% endfor %}
'

# --- The entries, in order: duplicates, then orphans; children before parents

entries() {
    :
{% for call in calls %}

    # {{ (loop.index|string)|comment }}. {{ call.name|comment }} ({{ call.verdict|comment }})
    # why: {{ call.why|comment }}
    item name={{ call.name }} \
        uuid={{ call.uuid }} \
{% for line in call.table %}
        table={{ line }} \
{% endfor %}
        action={{ call.action }} lvm={{ call.lv_state }} volume={{ call.volume }} \
        vmid={{ call.vmid }} guest-gone={{ call.guest_gone }} \
        words={{ call.words }} \
        why={{ call.why|shown }}
{% endfor %}
}

# --- Left alone: duplicates and orphans that nothing is done about ------------
#
{% for entry in left_alone %}
# - {{ entry.name|comment }}
#   {{ entry.reason|comment }}: {{ entry.why|comment }}
{% else %}
# (none)
{% endfor %}
#
# From here on, the script is the same for every node.

# --- Where things are --------------------------------------------------------

PVE=/etc/pve
PROC=/proc
SYS=/sys
DEV=/dev
RUN=/run
LOGDIR=/var/log
MACHINE_ID=/etc/machine-id
TTY=/dev/tty
ASK_SECONDS=30     # a question that takes longer has no answer
SAY_SECONDS=5      # so has a word to syslog
CHANGE_SECONDS=120 # so has a removal

{% include "cleanup/asking.sh" %}

{% include "cleanup/device.sh" %}

{% include "cleanup/guest.sh" %}

{% include "cleanup/lvm.sh" %}

{% include "cleanup/removal.sh" %}

{% include "cleanup/item.sh" %}

{% include "cleanup/start.sh" %}

# --- Here it begins: all above is only read until now. One line, so that a
# --- script that was cut off anywhere does nothing.

{ start "$@"; entries; finish; }
