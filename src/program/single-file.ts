/** The entry of the single file: `docker-credential-ocictl` if it is called by a link of that name, otherwise `ocictl`. */
import { basename } from 'node:path';
import * as parts from '../packaging/single-file-parts.ts';
import { main as answerHelperCall } from './credential-helper.ts';
import { main } from './main.ts';

const words = process.argv.slice(2);
const isHelper = basename(process.argv0).startsWith('docker-credential-ocictl');
const status = isHelper
  ? answerHelperCall(words)
  : main(words, undefined, () => parts.loadScript('cli') as typeof import('./cli.ts'));

// Set the exit status only here: process.exit would cut off output that a pipe has not taken yet.
void status.then((code) => {
  process.exitCode = code;
  // All is written by now, and a host name that is still being looked up would keep the shell waiting.
  if (words[0] === '__complete') process.exit();
});
