//! The job of `examples/spark` on Spark's local cluster, whose executors are
//! processes of their own: the tables are those of one `dmaudit analyze`.

#![cfg(feature = "parquet")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../examples/fleet_gen/fleet/mod.rs"]
mod fleet;
#[path = "parquet/rows.rs"]
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rows::rows;
use serde_json::Value;

const DMAUDIT: &str = env!("CARGO_BIN_EXE_dmaudit");
const NOW: &str = "2026-11-24T12:00:00Z";
const CONFIG: &str = r#"
[thresholds]
thin_pool_high = 40

[[ignore]]
check = "orphan-guest-gone"
node = "pve*"
reason = "evidence for ticket 4711"
until = 2027-01-31

[[label]]
bundle = "*/b/*"
customer = "Customer B"
"#;

/// What a run prints on one of its streams.
fn printed(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Runs the job. `DMAUDIT_TEST_PYTHON` is a Python that has the package
/// `pyspark` with its extra `sql`.
fn spark(work: &Path, master: &str, conf: &[String], arguments: &[&str]) -> Output {
    let python = std::env::var("DMAUDIT_TEST_PYTHON").expect("DMAUDIT_TEST_PYTHON");
    let package = Command::new(&python)
        .args(["-c", "import pyspark; print(pyspark.__path__[0])"])
        .output()
        .unwrap();
    assert!(package.status.success(), "{package:?}");
    // Executors work in a folder of Spark's home: here, not in the package.
    let home = work.join("spark");
    fs::create_dir(&home).unwrap();
    for part in ["bin", "jars", "python"] {
        let package = Path::new(printed(&package.stdout).trim());
        symlink(package.join(part), home.join(part)).unwrap();
    }
    Command::new(home.join("bin/spark-submit"))
        .args(["--master", master, "--conf", "spark.ui.enabled=false"])
        .args(conf.iter().flat_map(|one| ["--conf", one]))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/spark/fleet.py"))
        .args(arguments)
        .args(["--dmaudit", DMAUDIT, "--now", NOW])
        .env("SPARK_HOME", &home)
        .env("PYSPARK_PYTHON", &python)
        .env("SPARK_LOCAL_IP", "127.0.0.1")
        .current_dir(work)
        .output()
        .unwrap()
}

/// The bundle as it would have been a day before.
fn older(bundle: &Path) {
    let mut from = zip::ZipArchive::new(File::open(bundle).unwrap()).unwrap();
    let mut to = zip::ZipWriter::new(File::create(bundle.with_extension("older.zip")).unwrap());
    for index in 0..from.len() {
        let mut member = from.by_index(index).unwrap();
        let name = member.name().unwrap().into_owned();
        if !name.ends_with("/manifest.json") {
            to.raw_copy_file(member).unwrap();
            continue;
        }
        let mut manifest = String::new();
        member.read_to_string(&mut manifest).unwrap();
        let options = zip::write::SimpleFileOptions::default();
        to.start_file(name, options).unwrap();
        let manifest = manifest.replace("2026-11-23T", "2026-11-22T");
        to.write_all(manifest.as_bytes()).unwrap();
    }
    to.finish().unwrap();
}

/// Bundles of customers who don't know of each other: `a` and `b` both have a
/// cluster `site0000` of `pve1` to `pve4`, and `c` and `d` a node `pve-0000`
/// in none; `pve1` is in other clusters, too. Some nodes have an older bundle,
/// one bundle came as facts, and one is broken.
fn bundles(folder: &Path) {
    for (customer, nodes, seed) in [("a", 7, 21), ("b", 4, 1), ("c", 1, 1), ("d", 1, 2)] {
        let rates = fleet::PROBLEMS.iter().map(|name| ((*name).to_owned(), 0.5));
        let plan = fleet::Plan {
            nodes,
            entries: 30,
            seed,
            rates: rates.collect(),
        };
        let folder = folder.join(customer);
        fs::create_dir(&folder).unwrap();
        fleet::generate(&folder, &plan).unwrap();
    }
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    fs::create_dir_all(folder.join("e/samples")).unwrap();
    for node in ["pve1", "pve2", "solo"] {
        let bundle = format!("dmaudit-{node}-20261123T183645Z.zip");
        fs::copy(
            samples.join(&bundle),
            folder.join("e/samples").join(&bundle),
        )
        .unwrap();
    }
    let of = |node: &str| folder.join(format!("{node}-20261123T183645Z.zip"));
    older(&of("a/site0000/dmaudit-pve1"));
    older(&of("d/single0000/dmaudit-pve-0000"));
    let made = Command::new(DMAUDIT)
        .args(["facts", "--now", NOW, "--config"])
        .arg(folder.join("dmaudit.toml"))
        .arg("-o")
        .arg(folder.join("b/site0000/elsewhere.dmfacts"))
        .arg(of("b/site0000/dmaudit-pve2"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    fs::remove_file(of("b/site0000/dmaudit-pve2")).unwrap();
    let whole = fs::read(of("a/site0001/dmaudit-pve2")).unwrap();
    let broken = folder.join("a/site0001/broken copy, 50%.zip");
    fs::write(broken, &whole[..whole.len() / 2]).unwrap();
}

/// The lines that say what was rejected.
fn rejected<'a>(lines: &'a str, begin: &str) -> Vec<&'a str> {
    let said = lines.lines();
    let mut said: Vec<&str> = said.filter_map(|line| line.strip_prefix(begin)).collect();
    said.sort_unstable();
    said
}

/// Each node's id, by its bundle.
fn ids(folder: &Path) -> BTreeMap<String, Value> {
    let rows = rows(folder, "nodes");
    let count = rows.len();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let unique: BTreeSet<String> = rows.iter().map(|row| text(&row["id"])).collect();
    assert_eq!(unique.len(), count, "{unique:?}");
    let ids = rows
        .iter()
        .map(|row| (text(&row["bundle"]), row["id"].clone()));
    ids.collect()
}

/// The executors that ran tasks, by what Spark recorded.
fn executors(events: &Path) -> BTreeSet<String> {
    let mut logs = fs::read_dir(events).unwrap();
    let log = fs::read_to_string(logs.next().unwrap().unwrap().path()).unwrap();
    let events = log.lines().map(|line| serde_json::from_str(line).unwrap());
    events
        .filter(|event: &Value| event["Event"] == "SparkListenerTaskEnd")
        .map(|event| event["Task Info"]["Executor ID"].to_string())
        .collect()
}

#[test]
#[ignore = "needs Spark"]
fn a_cluster_of_executors_writes_the_tables_that_one_process_writes() {
    let work = tempfile::tempdir().unwrap();
    let [fleet, events, one, many] =
        ["fleet", "events", "one", "many"].map(|name| work.path().join(name));
    for folder in [&fleet, &events] {
        fs::create_dir(folder).unwrap();
    }
    let config = fleet.join("dmaudit.toml");
    fs::write(&config, CONFIG).unwrap();
    bundles(&fleet);

    let direct = Command::new(DMAUDIT)
        .args(["analyze", "--now", NOW])
        .args([Path::new("--config"), &config, Path::new("--parquet"), &one])
        .arg(&fleet)
        .output()
        .unwrap();
    assert_eq!(direct.status.code(), Some(3), "{direct:?}");
    let conf = [
        format!("spark.eventLog.dir={}", events.display()),
        "spark.eventLog.enabled=true".into(),
        "spark.eventLog.rolling.enabled=false".into(),
        "spark.eventLog.compress=false".into(),
        // Where musl is installed, Spark's Snappy takes the library for it, which Java can't load.
        "spark.sql.parquet.compression.codec=uncompressed".into(),
        // Both executors are there before the first task is given away.
        "spark.scheduler.minRegisteredResourcesRatio=1".into(),
        "spark.scheduler.maxRegisteredResourcesWaitingTime=300s".into(),
    ];
    let arguments = [
        &format!("{}/*/*/*", fleet.display()),
        many.to_str().unwrap(),
        "--config",
        config.to_str().unwrap(),
        "--partitions",
        "4",
    ];
    let job = spark(work.path(), "local-cluster[2,1,1024]", &conf, &arguments);
    let log = printed(&job.stderr);
    assert_eq!(job.status.code(), Some(3), "{log}");
    assert_eq!(executors(&events).len(), 2, "{log}");

    let said = rejected(printed(&direct.stderr), "dmaudit: rejected ");
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(rejected(printed(&job.stdout), "rejected "), said);

    let (ids_of_one, ids_of_many) = (ids(&one), ids(&many));
    assert_eq!(ids_of_one.len(), 16, "{ids_of_one:?}");
    let same: BTreeMap<&str, &Value> = ids_of_many
        .iter()
        .map(|(bundle, id)| (id.as_str().unwrap(), &ids_of_one[bundle]))
        .collect();
    for table in ["nodes", "entries", "guests", "findings"] {
        let sorted = |rows: Vec<Value>| {
            let mut rows: Vec<String> = rows.iter().map(Value::to_string).collect();
            rows.sort_unstable();
            rows
        };
        let mut written = rows(&many, table);
        for row in &mut written {
            if let Some(id) = row["id"].as_str() {
                row["id"] = same[id].clone();
            }
        }
        let expected = sorted(rows(&one, table));
        let written = sorted(written);
        assert!(expected.len() >= 16, "{table}: {expected:?}");
        for (written, expected) in written.iter().zip(&expected) {
            assert_eq!(written, expected, "{table}");
        }
        assert_eq!(written.len(), expected.len(), "{table}");
    }
    // All that could differ is in the fleet.
    let (nodes, findings) = (rows(&one, "nodes"), rows(&one, "findings"));
    let labelled = nodes.iter().filter(|row| !row["customer"].is_null());
    assert_eq!(labelled.count(), 4);
    assert!(findings.iter().any(|row| row["id"].is_null()));
    assert!(findings.iter().any(|row| !row["ignored_reason"].is_null()));
}

#[test]
#[ignore = "needs Spark"]
fn a_configuration_that_is_wrong_is_named_before_a_bundle_is_read() {
    let work = tempfile::tempdir().unwrap();
    let config: PathBuf = work.path().join("dmaudit.toml");
    fs::write(&config, "[thresholds]\nthin_pool_hgih = 1\n").unwrap();
    let arguments = [
        "no-such-bundles",
        "tables",
        "--config",
        config.to_str().unwrap(),
    ];
    let job = spark(work.path(), "local[1]", &[], &arguments);
    assert_eq!(job.status.code(), Some(1), "{job:?}");
    // What the job prints, on whichever stream, spark-submit prints to standard output.
    let said = printed(&job.stdout);
    assert!(said.contains("nothing was read: "), "{said}");
    assert!(
        said.contains("dmaudit.toml: line 2: ") && said.contains("thin_pool_hgih"),
        "{said}"
    );
}
