// `npm run quickstart`: builds ocictl, then runs scripts/quickstart.ts, which shows the main job.
import { rm } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { buildDist, common } from './build.mjs';

const outdir = `.build-quickstart-${process.pid}`;
try {
  await buildDist();
  await build({ ...common, entryPoints: ['scripts/quickstart.ts'], outdir });
  await import(pathToFileURL(`${common.absWorkingDir}/${outdir}/quickstart.js`).href);
} finally {
  await rm(`${common.absWorkingDir}/${outdir}`, { recursive: true, force: true });
}
