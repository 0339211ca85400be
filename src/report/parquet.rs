//! The [tables](super::tables) as Apache Parquet, for DuckDB, DataFusion,
//! Spark and all else that reads it.
//!
//! Texts are as in `report.json`, lists are lists, times are UTC milliseconds,
//! and what is unknown is null. Compression is Snappy, which every reader
//! knows.

use std::io::Write;
use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Int64Builder, ListBuilder, StringBuilder,
    TimestampMillisecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use chrono::DateTime;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::tables::{Kind, Row, Table, Value};
use super::view;

/// Encoded bytes of a table that wait in memory for their row group: enough
/// for columns to be worth it, and not more with more nodes.
const ROW_GROUP_BYTES: usize = 8 << 20;

/// Rows of each table, in the tables' order.
pub type Batches = [RecordBatch; 4];

/// A node's rows of each table.
///
/// # Errors
///
/// None in practice.
pub fn of_node(node: &view::Node) -> Result<Batches, ArrowError> {
    Table::each(|table| batch(table, &table.rows(node)))
}

/// A cluster's rows of each table.
///
/// # Errors
///
/// None in practice.
pub fn of_cluster(cluster: &view::Cluster) -> Result<Batches, ArrowError> {
    Table::each(|table| batch(table, &table.rows_of_cluster(cluster)))
}

/// A table's columns as Arrow names them.
pub fn schema(table: Table) -> SchemaRef {
    let field = |(name, kind): &(&str, Kind)| {
        let kind = match kind {
            Kind::Text => DataType::Utf8,
            Kind::Time => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            Kind::Number => DataType::Int64,
            Kind::Flag => DataType::Boolean,
            Kind::List => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
        };
        Field::new(*name, kind, true)
    };
    let fields: Vec<Field> = table.columns().iter().map(field).collect();
    Arc::new(Schema::new(fields))
}

fn batch(table: Table, rows: &[Row<'_>]) -> Result<RecordBatch, ArrowError> {
    let columns = table.columns().iter().enumerate();
    let columns = columns
        .map(|(index, (_, kind))| column(*kind, rows.iter().map(|row| row.get(index))))
        .collect();
    RecordBatch::try_new(schema(table), columns)
}

/// A column's cells; one that is not of the column's kind is unknown.
fn column<'a>(kind: Kind, cells: impl Iterator<Item = Option<&'a Value<'a>>>) -> ArrayRef {
    match kind {
        Kind::Text => built(StringBuilder::new(), cells, |builder, cell| {
            builder.append_option(match cell {
                Some(Value::Text(text)) => Some(text),
                _ => None,
            });
        }),
        Kind::Time => {
            let builder = TimestampMillisecondBuilder::new().with_timezone("UTC");
            built(builder, cells, |builder, cell| {
                builder.append_option(match cell {
                    Some(Value::Text(text)) => DateTime::parse_from_rfc3339(text)
                        .ok()
                        .map(|time| time.timestamp_millis()),
                    _ => None,
                });
            })
        }
        Kind::Number => built(Int64Builder::new(), cells, |builder, cell| {
            builder.append_option(match cell {
                Some(Value::Number(number)) => Some(*number),
                _ => None,
            });
        }),
        Kind::Flag => built(BooleanBuilder::new(), cells, |builder, cell| {
            builder.append_option(match cell {
                Some(Value::Flag(flag)) => Some(*flag),
                _ => None,
            });
        }),
        Kind::List => {
            let builder = ListBuilder::new(StringBuilder::new());
            built(builder, cells, |builder, cell| match cell {
                Some(Value::List(texts)) => builder.append_value(texts.iter().map(Some)),
                _ => builder.append_null(),
            })
        }
    }
}

fn built<'a, B: ArrayBuilder>(
    mut builder: B,
    cells: impl Iterator<Item = Option<&'a Value<'a>>>,
    append: impl Fn(&mut B, Option<&Value<'a>>),
) -> ArrayRef {
    cells.for_each(|cell| append(&mut builder, cell));
    ArrayBuilder::finish(&mut builder)
}

/// A file of one table.
pub struct File<W: Write + Send>(ArrowWriter<W>);

impl<W: Write + Send> File<W> {
    /// Begins a file. It says which dmaudit wrote it, and when.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn begin(
        table: Table,
        out: W,
        version: &str,
        analyzed_at: &str,
    ) -> Result<Self, ParquetError> {
        let about = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_key_value_metadata(Some(vec![
                about("dmaudit.table", table.name()),
                about("dmaudit.version", version),
                about("dmaudit.analyzed_at", analyzed_at),
            ]))
            .build();
        ArrowWriter::try_new(out, schema(table), Some(properties)).map(Self)
    }

    /// Adds rows.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), ParquetError> {
        self.0.write(rows)?;
        match self.0.in_progress_size() {
            0..ROW_GROUP_BYTES => Ok(()),
            _ => self.0.flush(),
        }
    }

    /// What it is written to.
    pub fn out(&self) -> &W {
        self.0.inner()
    }

    /// Writes what is left.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn end(self) -> Result<W, ParquetError> {
        self.0.into_inner()
    }
}
