// SPDX-License-Identifier: Apache-2.0
// Usage: node install.mjs SOURCE FOLDER CACHE LOCK
//
// Installs into FOLDER/node_modules what a program needs to run, exactly as LOCK says: by npm, yarn or pnpm. FOLDER gets the
// manifests of the source for this time only, without their own scripts: the program itself is not there.

import fs from "node:fs";
import path from "node:path";
import { commands, filesBelow, readManifest, run } from "./shared.mjs";

const settings = (name) => /^(\.npmrc|\.yarnrc.*|pnpm-workspace\.yaml|\.pnpmfile\.cjs)$/.test(name) || name.startsWith(".yarn/");

function copyManifests(source, folder, lock) {
  const copied = [];
  const locked = fs.readFileSync(path.join(source, lock), "utf8");
  const archive = (name) => /\.(tgz|tar\.gz)$/.test(name) && locked.includes(name);
  for (const name of filesBelow(source)) {
    const manifest = path.basename(name) === "package.json";
    if (!manifest && name !== lock && !settings(name) && !archive(name)) continue;
    const target = path.join(folder, name);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    if (manifest) fs.writeFileSync(target, withoutScripts(path.join(source, name), name));
    else fs.copyFileSync(path.join(source, name), target);
    copied.push(target);
  }
  return copied;
}

function withoutScripts(file, name) {
  const manifest = readManifest(file, name);
  delete manifest.scripts;
  return JSON.stringify(manifest);
}

// What node-gyp leaves beside a module, and notes of the tools, have paths and times of this build in them.
function removeLeftovers(modules) {
  for (const name of [".modules.yaml", ".pnpm-workspace-state.json", ".pnpm-workspace-state-v1.json", ".yarn-integrity",
    ".yarn-state.yml", ".cache"]) fs.rmSync(path.join(modules, name), { recursive: true, force: true });
  for (const entry of fs.readdirSync(modules, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const folder = path.join(modules, entry.name);
    if (entry.name.startsWith("@") || entry.name === ".pnpm") removeLeftovers(folder);
    if (fs.existsSync(path.join(folder, "binding.gyp"))) removeObjects(path.join(folder, "build"));
    if (fs.existsSync(path.join(folder, "node_modules"))) removeLeftovers(path.join(folder, "node_modules"));
  }
}

function removeObjects(build) {
  if (!fs.existsSync(build)) return;
  for (const name of fs.readdirSync(build)) if (name !== "Release") fs.rmSync(path.join(build, name), { recursive: true });
  const release = path.join(build, "Release");
  if (!fs.existsSync(release)) return;
  for (const name of fs.readdirSync(release)) {
    if (!name.endsWith(".node") && !/\.so(\.|$)/.test(name)) fs.rmSync(path.join(release, name), { recursive: true });
  }
}

// A workspace is a folder of the source, which is laid over this one later; only what was installed into it stays.
function removeEmpty(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name === "node_modules") continue;
    const path_ = path.join(folder, entry.name);
    removeEmpty(path_);
    if (fs.readdirSync(path_).length === 0) fs.rmdirSync(path_);
  }
}

function main([source, folder, cache, lock]) {
  if (lock.endsWith(".json")) readManifest(path.join(source, lock), lock);
  fs.mkdirSync(folder, { recursive: true });
  const copied = copyManifests(source, folder, lock);
  const same = `-g0 -ffile-prefix-map=${folder}=.`;
  run(commands[lock](cache, false, folder), folder, {
    CFLAGS: `${process.env.CFLAGS ?? ""} ${same}`, CXXFLAGS: `${process.env.CXXFLAGS ?? ""} ${same}`,
  });
  for (const file of copied) fs.rmSync(file, { force: true });
  for (const modules of [folder, ...workspacesOf(folder)].map((place) => path.join(place, "node_modules"))) {
    if (fs.existsSync(modules)) removeLeftovers(modules);
  }
  removeEmpty(folder);
}

// Folders of the source into which something was installed.
function* workspacesOf(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name === "node_modules") continue;
    yield path.join(folder, entry.name);
    yield* workspacesOf(path.join(folder, entry.name));
  }
}

main(process.argv.slice(2));
