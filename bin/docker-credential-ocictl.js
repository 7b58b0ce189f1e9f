#!/usr/bin/env node
import { main } from '../dist/credential-helper.js';

// Only here is the exit status set: process.exit would cut off what is still on its way into a pipe.
process.exitCode = await main(process.argv.slice(2));
