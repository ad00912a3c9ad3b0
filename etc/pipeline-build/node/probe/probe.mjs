// The probe of `pachbuild builder test`; docs/authoring-builders.md says what it does.
import fs from "node:fs";

const [kind, ...words] = process.argv.slice(2);
if (kind === "arguments") {
  fs.writeFileSync("/pfs/out/arguments", words.map((word) => word + "\0").join(""));
} else if (kind === "exit") {
  process.exit(Number(words[0]));
} else {
  process.kill(process.pid, Number(words[0]));
  setTimeout(() => {}, 10000);
}
