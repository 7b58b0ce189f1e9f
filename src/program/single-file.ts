/** What the single file without Node runs: `docker-credential-ocictl` where a link of that name leads to it, or else `ocictl`. */
import { basename } from 'node:path';
import * as parts from '../packaging/single-file-parts.ts';
import { main as answerHelperCall } from './credential-helper.ts';
import { main } from './main.ts';

const words = process.argv.slice(2);
const isHelper = basename(process.argv0).startsWith('docker-credential-ocictl');
const status = isHelper
  ? answerHelperCall(words)
  : main(words, undefined, () => parts.loadScript('cli') as typeof import('./cli.ts'));

// Only here is the exit status set: process.exit would cut off what is still on its way into a pipe.
void status.then((code) => {
  process.exitCode = code;
});
