//! The rows of Parquet files.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Value, json};

/// The rows of a table in `folder`: of one file, or of the parts in a folder
/// of its name, as Spark writes them.
pub fn rows(folder: &Path, table: &str) -> Vec<Value> {
    let path = folder.join(format!("{table}.parquet"));
    let mut parts = vec![path.clone()];
    if path.is_dir() {
        let inside = fs::read_dir(&path).unwrap();
        parts = inside.map(|entry| entry.unwrap().path()).collect();
        parts.retain(|part| part.extension().is_some_and(|ext| ext == "parquet"));
    }
    parts.into_iter().flat_map(rows_of_file).collect()
}

fn rows_of_file(path: PathBuf) -> Vec<Value> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| {
        let row = row.unwrap();
        let cells = row.get_column_iter();
        cells
            .map(|(name, field)| (name.clone(), value(field)))
            .collect()
    })
    .collect()
}

fn value(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Str(text) => json!(text),
        Field::Long(number) | Field::TimestampMillis(number) => json!(number),
        Field::Bool(flag) => json!(flag),
        Field::ListInternal(list) => list.elements().iter().map(value).collect(),
        other => panic!("no column is of this kind: {other:?}"),
    }
}
