#!/usr/bin/env node
const built = await import('../dist/installed.js').catch((error) => {
  // A checkout in which nothing was built yet; of a package it cannot be missing.
  if (error?.code !== 'ERR_MODULE_NOT_FOUND' || !/module '[^']*installed\.js'/.test(error.message)) throw error;
  process.stderr.write('error: ocictl is not built yet\nhint: run npm ci and npm run build in its checkout\n');
});

// Only here is the exit status set: process.exit would cut off what is still on its way into a pipe.
process.exitCode = built ? await built.main(process.argv.slice(2)) : 1;
// All is written by now, and a host name that is still being looked up would keep the shell waiting.
if (process.argv[2] === '__complete') process.exit();
