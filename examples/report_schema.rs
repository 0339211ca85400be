//! Prints the JSON Schema of report.json:
//! `cargo run --features schema --example report_schema > docs/report.schema.json`

fn main() -> Result<(), serde_json::Error> {
    let schema = serde_json::to_string_pretty(&dmaudit::report::json::schema::schema())?;
    println!("{schema}");
    Ok(())
}
