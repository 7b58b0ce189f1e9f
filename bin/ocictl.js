#!/usr/bin/env node
// A script: Node takes longer to start with a module. The folder has a package.json that says so.
'use strict';

function load() {
  try {
    return require('../dist/installed.cjs');
  } catch (error) {
    // A checkout in which nothing was built yet; of a package it cannot be missing.
    if (error?.code !== 'MODULE_NOT_FOUND' || error.requireStack?.[0] !== __filename) throw error;
    process.stderr.write('error: ocictl is not built yet\nhint: run npm ci and npm run build in its checkout\n');
    return { main: async () => 1 };
  }
}

let isOver = false;
// Node ends well when nothing is left to wait for, even if the command is not done.
process.on('exit', (code) => {
  if (isOver || code !== 0) return;
  process.stderr.write('error: ocictl ended before it was done: this is a mistake in ocictl\n');
  process.exitCode = 1;
});

load()
  .main(process.argv.slice(2))
  .then((status) => {
    // Only here is the exit status set: process.exit would cut off what is still on its way into a pipe.
    process.exitCode = status;
    isOver = true;
    // All is over when Node says so: to take its heap apart as well would take milliseconds.
    process.once('exit', () => process.exit());
    // All is written by now, and a host name that is still being looked up would keep the shell waiting.
    if (process.argv[2] === '__complete') process.exit();
  });
