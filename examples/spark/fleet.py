#!/usr/bin/env python3
"""Analyzes a fleet's bundles on Spark and writes its tables as Parquet.

Each bundle becomes facts where Spark reads it (map); the facts of a cluster meet in one place and are
analyzed there (reduce). dmaudit does both.
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

import pyarrow
import pyarrow.compute
import pyarrow.parquet
from pyspark import SparkFiles, StorageLevel
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

TABLES = ("nodes", "entries", "guests", "findings")
REJECTED = "rejected"

# What a dmaudit that is done exits with; the second says that it rejected an input.
DONE, SOME_REJECTED = 0, 3


class Dmaudit:
    """How dmaudit is run; goes to the workers."""

    def __init__(self, program, config, options):
        self.program, self.config = Path(program).name, config and Path(config).name
        # Spark runs a task for each core.
        self.options = ["--threads", "1", *options]

    def run(self, what, *arguments, **streams):
        """What dmaudit printed, and what it rejected. Anything else that goes wrong ends the task."""
        command = [SparkFiles.get(self.program), *arguments, *self.options]
        if self.config:
            command += ["--config", SparkFiles.get(self.config)]
        run = subprocess.run(command, stderr=subprocess.PIPE, **streams)
        said = run.stderr.decode(errors="replace").splitlines()
        if run.returncode not in (DONE, SOME_REJECTED):
            raise RuntimeError(f"dmaudit ended with {run.returncode} on {what}: {' '.join(said)}")
        begin = "dmaudit: rejected "
        return run.stdout, [line.removeprefix(begin) for line in said if line.startswith(begin)]

    def facts(self, bundle):
        """The facts in a bundle as (group, line), and why there are none as (None, message)."""
        path, content = bundle
        name = path.removeprefix("file:")
        lines, rejected = self.run(
            name, "facts", "-", "--stdin-name", name, input=bytes(content), stdout=subprocess.PIPE
        )
        yield from ((None, message.encode()) for message in rejected)
        yield from ((group(line), line) for line in lines.splitlines(keepends=True))

    def tables(self, grouped):
        """A group's tables as (table, Parquet file), and what was rejected as (REJECTED, message)."""
        key, lines = grouped
        if key is None:
            yield from ((REJECTED, message) for message in lines)
            return
        what = f"the facts of {' '.join(key)}"
        with tempfile.TemporaryDirectory(prefix="dmaudit-") as folder:
            facts = Path(folder, "group.dmfacts")
            with facts.open("wb") as out:
                out.writelines(lines)
            _, rejected = self.run(
                what, "analyze", facts, "--parquet", folder, stdout=subprocess.DEVNULL
            )
            for message in rejected:
                yield REJECTED, message.replace(str(facts), what, 1).encode()
            for table in TABLES:
                yield table, with_ids_of(key, Path(folder, f"{table}.parquet"))


def group(line):
    """Which facts must meet: those of a cluster; in no cluster, those of a node, old and new ones."""
    signature = json.loads(line)["signature"]
    if signature["cluster"] is None:
        return "node", signature["node"]
    return "cluster", signature["cluster"]


def with_ids_of(key, file):
    """A Parquet file whose ids, unique in the group that it is of, are unique in the fleet."""
    table = pyarrow.parquet.read_table(file)
    column = table.schema.get_field_index("id")
    ids = pyarrow.compute.binary_join_element_wise(*key, table["id"], "/")
    table = table.set_column(column, table.schema.field(column), ids)
    out = io.BytesIO()
    # The only unit of times that Spark takes.
    pyarrow.parquet.write_table(table, out, coerce_timestamps="us")
    return out.getvalue()


def rows(batches):
    """The rows of Parquet files."""
    for batch in batches:
        for file in batch.column("content"):
            yield from pyarrow.parquet.read_table(io.BytesIO(file.as_py())).to_batches()


def arguments():
    parser = argparse.ArgumentParser(
        description="Analyzes a fleet's bundles on Spark and writes its tables as Parquet.",
        epilog="What is rejected is printed. Exit status: 0 all inputs are in the tables; 3 some were rejected.",
    )
    parser.add_argument("bundles", help="bundles and facts, as Spark names files: /srv/bundles/*/*.zip")
    parser.add_argument("output", help="folder for the tables, as Spark names it; they must not be there yet")
    parser.add_argument("--dmaudit", required=True, metavar="FILE", help="the program, brought to the workers")
    parser.add_argument("--config", metavar="FILE", help="a dmaudit.toml, brought to the workers")
    parser.add_argument("--now", metavar="TIME", help="take this for the current time (RFC 3339)")
    parser.add_argument("--partitions", type=int, metavar="N", help="read the bundles in so many tasks or more")
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a limit on each input, as dmaudit's options name it: max-total=256M",
    )
    return parser.parse_args()


def main():
    args = arguments()
    # One time for all groups, as in one run.
    now = args.now or datetime.now(timezone.utc).isoformat()
    dmaudit = Dmaudit(args.dmaudit, args.config, ["--now", now, *(f"--{limit}" for limit in args.limit)])
    spark = (
        SparkSession.builder.appName("dmaudit fleet")
        # Tasks get equal shares of the bytes; else small bundles would all be one task's.
        .config("spark.files.openCostInBytes", 0)
        # As dmaudit writes times.
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MILLIS")
        .getOrCreate()
    )
    context = spark.sparkContext
    for file in filter(None, (args.dmaudit, args.config)):
        context.addFile(file)
    # Tables without rows tell the columns; what is wrong with the program or an option shows here.
    try:
        columns = dict(dmaudit.tables((("no", "bundles"), ())))
    except (OSError, RuntimeError) as error:
        sys.exit(f"nothing was read: {error}")

    facts = context.binaryFiles(args.bundles, args.partitions).flatMap(dmaudit.facts)
    tables = facts.groupByKey().flatMap(dmaudit.tables).toDF("name string, content binary")
    # Written one after the other, and made once.
    tables.persist(StorageLevel.DISK_ONLY)
    for name in TABLES:
        schema = from_arrow_schema(pyarrow.parquet.read_schema(io.BytesIO(columns[name])))
        files = tables.filter(tables.name == name).select("content")
        files.mapInArrow(rows, schema).write.parquet(f"{args.output}/{name}.parquet")
    rejected = tables.filter(tables.name == REJECTED).collect()
    for message in sorted(row.content.decode() for row in rejected):
        print("rejected", message)
    spark.stop()
    sys.exit(SOME_REJECTED if rejected else DONE)


if __name__ == "__main__":
    main()
