// Counts the values of each column of the tables in /pfs/tables.
import fs from "node:fs";
import path from "node:path";
import { parse } from "csv-parse/sync";

for (const name of fs.readdirSync("/pfs/tables")) {
  const [names, ...records] = parse(fs.readFileSync(path.join("/pfs/tables", name)), { relax_column_count: true });
  const lines = names.map((column, number) => {
    const values = records.map((record) => record[number]).filter((value) => value);
    return `${column}\t${values.length}\t${new Set(values).size}\n`;
  });
  fs.writeFileSync(path.join("/pfs/out", name), lines.join(""));
}
