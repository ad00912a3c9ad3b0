// Counts the values of each column of the tables in /pfs/tables.
mod table;

use std::collections::HashSet;
use std::fmt::Write;
use std::{fs, io};

fn columns(text: &str) -> String {
    let mut records = table::records(text);
    let names = records.next().unwrap_or_default();
    let mut values = vec![0; names.len()];
    let mut different = vec![HashSet::new(); names.len()];
    for record in records {
        for (number, value) in record.into_iter().enumerate().take(names.len()) {
            if !value.is_empty() {
                values[number] += 1;
                different[number].insert(value);
            }
        }
    }
    let mut lines = String::new();
    for (number, name) in names.iter().enumerate() {
        writeln!(lines, "{name}\t{}\t{}", values[number], different[number].len()).expect("a string takes all");
    }
    lines
}

fn main() -> io::Result<()> {
    for entry in fs::read_dir("/pfs/tables")? {
        let entry = entry?;
        let text = fs::read_to_string(entry.path())?;
        fs::write(std::path::Path::new("/pfs/out").join(entry.file_name()), columns(&text))?;
    }
    Ok(())
}
