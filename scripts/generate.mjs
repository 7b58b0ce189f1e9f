// `npm run generate` writes completions/ and man/ from the commands; with --check it fails where they are stale.
import { rm } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { common } from './build.mjs';

const outdir = `.build-generate-${process.pid}`;
try {
  process.chdir(common.absWorkingDir);
  await build({ ...common, entryPoints: ['scripts/generate.ts'], outdir });
  await import(pathToFileURL(`${common.absWorkingDir}/${outdir}/generate.js`).href);
} finally {
  await rm(`${common.absWorkingDir}/${outdir}`, { recursive: true, force: true });
}
