// SPDX-License-Identifier: Apache-2.0
// Usage: node program.mjs SOURCE WORK FOLDER CACHE PROGRAM
//
// Runs the build script of package.json in WORK, a copy of the source that is kept from build to build, and puts all that is
// there then into FOLDER, but for installed packages.

import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { attempt, commands, fail, filesBelow, readManifest, run } from "./shared.mjs";

const some = (table) => table !== undefined && Object.keys(table).length > 0;

// What the packages for the build are made of: another lock, or other manifests, and they are installed anew.
function digestOf(work, lock) {
  const hash = crypto.createHash("sha256").update(process.version);
  for (const name of filesBelow(work)) {
    if (name !== lock && path.basename(name) !== "package.json") continue;
    hash.update(`\0${name}\0`).update(fs.readFileSync(path.join(work, name)));
  }
  return hash.digest("hex");
}

function install(work, lock, cache) {
  const note = path.join(work, "node_modules", ".pachbuild");
  const digest = digestOf(work, lock);
  if (fs.existsSync(note) && fs.readFileSync(note, "utf8") === digest) return;
  run(commands[lock](cache, true, work), work);
  fs.mkdirSync(path.dirname(note), { recursive: true });
  fs.writeFileSync(note, digest);
}

// What an earlier build has made is not there for this one.
function removeMade(source, work) {
  for (const name of [...filesBelow(work)]) {
    if (!fs.existsSync(path.join(source, name))) fs.rmSync(path.join(work, name));
  }
}

function copyAll(work, folder) {
  for (const name of filesBelow(work)) {
    const target = path.join(folder, name);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.rmSync(target, { force: true });
    fs.copyFileSync(path.join(work, name), target);
  }
}

function main([source, work, folder, cache, program]) {
  const manifest = readManifest(path.join(source, "package.json"), "package.json");
  const lock = Object.keys(commands).find((name) => fs.existsSync(path.join(source, name)));
  if (!lock && some(manifest.devDependencies)) {
    fail("package.json: has devDependencies, but nothing locks their versions",
      "run npm install --package-lock-only, and commit package-lock.json");
  }
  removeMade(source, work);
  if (lock) install(work, lock, cache);
  const failure = attempt([lock ? commands[lock](cache, true, work)[0] : "npm", "run", "build"], work);
  if (failure !== null) { // in builder.toml the words of compilers come before these
    console.error(`package.json: script build ${failure}`);
    process.exit(1);
  }
  copyAll(work, folder);
  if (!fs.existsSync(path.join(folder, program))) {
    fail(`package.json: main is ${program}, which its build script does not create`, "correct main, or the build script");
  }
}

main(process.argv.slice(2));
