// `npm run bench`: builds ocictl, then runs bench/bench.ts against the peers on PATH.
import { rm } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { buildDist, common } from './build.mjs';

const outdir = `.build-bench-${process.pid}`;
try {
  await buildDist();
  await build({ ...common, entryPoints: ['bench/bench.ts'], outdir });
  await import(pathToFileURL(`${common.absWorkingDir}/${outdir}/bench.js`).href);
} finally {
  await rm(`${common.absWorkingDir}/${outdir}`, { recursive: true, force: true });
}
