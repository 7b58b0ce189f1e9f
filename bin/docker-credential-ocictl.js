#!/usr/bin/env node
'use strict';

import('../dist/credential-helper.js')
  .then(({ main }) => main(process.argv.slice(2)))
  .then((status) => {
    // Only here is the exit status set: process.exit would cut off what is still on its way into a pipe.
    process.exitCode = status;
  });
