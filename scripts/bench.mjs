// `npm run bench`: builds ocictl, then runs bench/bench.ts against the peers on PATH.
import { rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { buildDist, common } from './build.mjs';

const outdir = `.build-bench-${process.pid}`;
// Also where a signal ends it.
process.on('exit', () => rmSync(`${common.absWorkingDir}/${outdir}`, { recursive: true, force: true }));
await buildDist();
await build({ ...common, entryPoints: ['bench/bench.ts'], outdir });
await import(pathToFileURL(`${common.absWorkingDir}/${outdir}/bench.js`).href);
