"""Asks the questions of docs/parquet.md with DuckDB and answers them from report.json, too.

questions.py PARQUET.MD TABLES REPORT.JSON
"""

import json
import os
import re
import sys
from collections import defaultdict

import duckdb

page, tables, report = sys.argv[1:]
questions = re.findall(r"```sql\n(.*?)```", open(page, encoding="utf-8").read(), re.S)
report = json.load(open(report, encoding="utf-8"))
nodes = report["nodes"]
os.chdir(tables)
connection = duckdb.connect()


def last(value):
    """Nothing sorts after everything."""
    return (value is None, value if value is not None else 0)


def where():
    rows = defaultdict(lambda: [0, 0, 0])
    for node in nodes:
        row = rows[node["cluster"] or node["node"]]
        row[0] += 1
        row[1] += node["summary"]["orphans"]
        row[2] += sum(f["severity"] == "critical" for f in node["findings"])
    return sorted(((who, *row) for who, row in rows.items()), key=lambda r: (-r[3], -r[2], r[0]))


def orphans():
    rows = defaultdict(int)
    for node in nodes:
        for entry in node["entries"]:
            if entry["verdict"] == "orphan":
                rows[node["cluster"], node["node"]] += 1
    return {(*who, count) for who, count in rows.items()}


def next_guest():
    found = {
        (node["node"], f["vmid"])
        for node in nodes
        for f in node["findings"]
        if f["check"] == "next-vmid-blocked"
    }
    return sorted(found)


def versions():
    rows = defaultdict(lambda: [0, 0])
    for node in nodes:
        row = rows[node["pve_version"]]
        row[0] += 1
        row[1] += any(f["severity"] in ("critical", "warning") for f in node["findings"])
    return sorted(((v, *row) for v, row in rows.items()), key=lambda r: (r[0] is None, r[0] or ""))


def twice():
    rows = defaultdict(list)
    for number, node in enumerate(nodes):
        for entry in node["entries"]:
            if node["cluster"] and entry["volume"] and (entry["open"] or 0) > 0:
                rows[node["cluster"], entry["volume"]].append((number, node["node"]))
    return sorted(
        (*which, len({number for number, _ in opened}), sorted({name for _, name in opened}))
        for which, opened in rows.items()
        if len({number for number, _ in opened}) > 1
    )


asked = [connection.sql(question).fetchall() for question in questions]
assert len(asked) == 5, len(asked)
assert asked[0] == where(), (asked[0], where())
assert {row[:3] for row in asked[1]} == orphans(), (asked[1], orphans())
assert asked[1] == sorted(asked[1], key=lambda r: (r[3] is None, -(r[3] or 0), last(r[0]), r[1]))
assert all(row[3] > 0 for row in asked[1])
assert [row[:2] for row in asked[2]] == next_guest(), (asked[2], next_guest())
assert asked[3] == versions(), (asked[3], versions())
assert asked[4] == twice(), (asked[4], twice())
for number, rows in enumerate(asked, 1):
    assert rows, f"question {number} has no answer: the bundles don't test it"
    print(number, rows[:3])
