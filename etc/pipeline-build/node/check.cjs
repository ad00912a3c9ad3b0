// SPDX-License-Identifier: Apache-2.0
// Usage: node --experimental-vm-modules --no-warnings check.cjs SOURCE FILE…
// Compiles each file as Node would and runs none; prints FILE:LINE: FAULT for those that are wrong. What a build script compiles
// may be in another language than its name says, so such a source is left to its compiler.
// CommonJS, since the loader of modules costs a tenth of Node's start, in each build of an edit.

"use strict";

const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const packages = new Map(); // the package.json that counts in a folder

function packageOf(folder, source) {
  if (!packages.has(folder)) {
    const file = path.join(folder, "package.json");
    if (fs.existsSync(file)) packages.set(folder, JSON.parse(fs.readFileSync(file, "utf8")));
    else packages.set(folder, folder === source || folder === "/" ? {} : packageOf(path.dirname(folder), source));
  }
  return packages.get(folder);
}

// Quick, and wrong at most about modules that newer versions of Node recognise by themselves.
function compiles(file, source) {
  const code = fs.readFileSync(file, "utf8").replace(/^#!/, "//");
  const type = file.endsWith(".mjs") ? "module" : file.endsWith(".cjs") ? "commonjs" : packageOf(path.dirname(file), source).type;
  try {
    if (type === "module") new vm.SourceTextModule(code, { identifier: file });
    else vm.compileFunction(code, ["exports", "require", "module", "__filename", "__dirname"], { filename: file });
    return true;
  } catch {
    return false;
  }
}

// Node's own word on a file, and where the fault is.
function faultIn(file) {
  const { spawnSync } = require("node:child_process");
  const { status, stderr } = spawnSync(process.execPath, ["--check", file], { encoding: "utf8" });
  if (status === 0) return null;
  const line = /:(\d+)$/m.exec(stderr)?.[1] ?? 1;
  return `${file}:${line}: ${/^SyntaxError(?: \[\w+\])?: (.*)$/m.exec(stderr)?.[1] ?? "cannot be compiled"}`;
}

function faultsOf([source, ...files]) {
  try {
    if (packageOf(source, source).scripts?.build) return [];
  } catch (error) {
    return [`${path.join(source, "package.json")}:1: ${error.message}`];
  }
  return files.filter((file) => !compiles(file, source)).map(faultIn).filter((fault) => fault !== null);
}

const faults = faultsOf(process.argv.slice(2));
for (const fault of faults) console.log(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
