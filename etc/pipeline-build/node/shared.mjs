// SPDX-License-Identifier: Apache-2.0
// What install.mjs and program.mjs share: the tools that install, how they are run, and the files of a source.

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

// How each tool installs: what is locked, for production or with what a build needs as well.
export const commands = {
  "package-lock.json": (cache, all) => npm(cache, all),
  "npm-shrinkwrap.json": (cache, all) => npm(cache, all),
  "yarn.lock": (cache, all, folder) => yarn(cache, all, folder),
  "pnpm-lock.yaml": (cache, all) => ["pnpm", "install", "--frozen-lockfile", ...(all ? [] : ["--prod"]),
    "--config.node-linker=hoisted", "--store-dir", path.join(cache, "pnpm")],
};

const npm = (cache, all) => ["npm", "ci", all ? "--include=dev" : "--omit=dev", "--no-audit", "--no-fund", "--no-update-notifier",
  "--loglevel=error", ...(process.env.npm_config_cache ? [] : ["--cache", path.join(cache, "npm")])];

function yarn(cache, all, folder) {
  if (/^__metadata:/m.test(fs.readFileSync(path.join(folder, "yarn.lock"), "utf8"))) return ["yarn", "install", "--immutable"];
  return ["yarn", "install", "--frozen-lockfile", "--non-interactive", "--no-progress", ...(all ? [] : ["--production"]),
    "--cache-folder", path.join(cache, "yarn")];
}

export function fail(what, hint, code = 65) {
  console.error(`error: ${what}`);
  if (hint) console.error(`hint: ${hint}`);
  process.exit(code);
}

// Returns how it failed, or null.
export function attempt(words, folder, environment = {}) {
  const result = spawnSync(words[0], words.slice(1), {
    cwd: folder, stdio: ["ignore", "inherit", hasUsage(words) ? "pipe" : "inherit"], encoding: "utf8", maxBuffer: Infinity,
    env: { ...process.env, YARN_NODE_LINKER: "node-modules", YARN_ENABLE_TELEMETRY: "0", CI: "true", ...environment },
  });
  process.stderr.write(withoutUsage(result.stderr ?? ""));
  if (result.error?.code === "ENOENT") fail(`${words[0]}: is not on PATH`, `install ${words[0]}, or build in an image that has it`, 69);
  if (result.error) fail(`${words[0]}: ${result.error.message}`, null, 69);
  if (result.status === 0) return null;
  return result.signal ? `was killed by ${result.signal}` : `exited with code ${result.status}`;
}

export function run(words, folder, environment = {}) {
  if (attempt(words, folder, environment) !== null) process.exit(1);
}

// npm ci ends an error with all of its options.
const hasUsage = ([tool, command]) => tool === "npm" && command === "ci";
const withoutUsage = (text) => text.replace(/^npm (?:error|ERR!) Clean install a project$[^]*/m, "");

// Every file below a folder, but for what is installed, as a path relative to it.
export function* filesBelow(folder, at = "") {
  const entries = fs.readdirSync(path.join(folder, at), { withFileTypes: true });
  for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    const name = path.join(at, entry.name);
    if (entry.name === "node_modules" || entry.name === ".git") continue;
    if (entry.isDirectory()) yield* filesBelow(folder, name);
    else yield name;
  }
}

export function readManifest(file, name) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch (error) {
    return fail(`${name}: invalid JSON: ${error.message}`);
  }
}
