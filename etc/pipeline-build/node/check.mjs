// SPDX-License-Identifier: Apache-2.0
// Usage: node --experimental-vm-modules --no-warnings check.mjs SOURCE FILE…
// Compiles each file as Node would and runs none; prints FILE:LINE: FAULT for those that are wrong. What a build script compiles
// may be in another language than its name says, so such a source is left to its compiler.

import fs from "node:fs";
import path from "node:path";
import vm from "node:vm";

const packages = new Map(); // the package.json that counts in a folder

function packageOf(folder, source) {
  if (!packages.has(folder)) {
    const file = path.join(folder, "package.json");
    const above = folder === source || path.dirname(folder) === folder ? {} : null;
    packages.set(folder, fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : above ?? packageOf(path.dirname(folder), source));
  }
  return packages.get(folder);
}

const asModule = (code, file) => new vm.SourceTextModule(code, { identifier: file });
const asScript = (code, file) =>
  vm.compileFunction(code, ["exports", "require", "module", "__filename", "__dirname"], { filename: file });

function compile(file, source) {
  const code = fs.readFileSync(file, "utf8").replace(/^#!/, "//");
  const type = file.endsWith(".mjs") ? "module" : file.endsWith(".cjs") ? "commonjs" : packageOf(path.dirname(file), source).type;
  if (type === "module") return asModule(code, file);
  try {
    return asScript(code, file);
  } catch (error) {
    // Newer versions of Node find out by themselves that a file is a module.
    if (type === "commonjs" || process.features.require_module === undefined) throw error;
    try {
      return asModule(code, file);
    } catch {
      throw error;
    }
  }
}

function main([source, ...files]) {
  let faults = 0;
  try {
    if (packageOf(source, source).scripts?.build) return 0;
  } catch (error) {
    console.log(`${path.join(source, "package.json")}:1: ${error.message}`);
    return 1;
  }
  for (const file of files) {
    try {
      compile(file, source);
    } catch (error) {
      const line = /:(\d+)$/.exec(error.stack.split("\n")[0])?.[1] ?? 1;
      console.log(`${file}:${line}: ${error.message}`);
      faults += 1;
    }
  }
  return faults === 0 ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
