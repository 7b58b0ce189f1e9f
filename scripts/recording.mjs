// `npm run recording`: runs scripts/recording.ts, which films a pull on a real terminal for the README. Needs tmux.
import { rm } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { buildDist, common } from './build.mjs';

const outdir = `.build-recording-${process.pid}`;
try {
  process.chdir(common.absWorkingDir);
  await buildDist();
  await build({ ...common, entryPoints: ['scripts/recording.ts'], outdir });
  await import(pathToFileURL(`${common.absWorkingDir}/${outdir}/recording.js`).href);
} finally {
  await rm(`${common.absWorkingDir}/${outdir}`, { recursive: true, force: true });
}
