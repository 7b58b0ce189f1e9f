// Builds dist/: one entry for the command line, one for the library, one lazily loaded chunk per command.
import { rename, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Of undici only the pool: its index also loads fetch, WebSocket, caches and mocks, more than half a megabyte of code
 * that would cost every pull 20 ms and 15 MB.
 */
const undiciPool = {
  name: 'undici-pool',
  setup(builder) {
    builder.onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'pool' }));
    builder.onLoad({ filter: /.*/, namespace: 'pool' }, () => ({
      contents: `
        export { default as Pool } from 'undici/lib/dispatcher/pool.js';
        export { default as errors } from 'undici/lib/core/errors.js';`,
      resolveDir: root,
    }));
  },
};

/** commander starts child processes for subcommands that are programs; ours are none, and the module costs 5 ms. */
const noChildProcess = {
  name: 'commander-without-child-process',
  setup(builder) {
    builder.onResolve({ filter: /^(node:)?child_process$/ }, ({ importer }) =>
      importer.includes('/node_modules/commander/') ? { path: 'child_process', namespace: 'none' } : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/** What every bundle shares. Packages are bundled in: one file is read where a package's many would be. */
export const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  splitting: true,
  legalComments: 'none',
  // Readable stack traces matter more than the last kilobyte; white space costs nothing after the compile cache.
  minifySyntax: true,
  sourcemap: false,
  logLevel: 'warning',
  plugins: [undiciPool, noChildProcess],
  // CommonJS packages inside an ES module want a require of their own.
  banner: { js: "import { createRequire as __cr } from 'node:module';\nconst require = __cr(import.meta.url);" },
};

export async function buildDist() {
  // Built aside and renamed: whoever runs ocictl meanwhile finds the old build or the new one, and a failed build
  // leaves the old.
  const aside = `${root}/.build-dist-${process.pid}`;
  try {
    await build({
      ...common,
      entryPoints: { main: 'src/main.ts', index: 'src/index.ts' },
      outdir: aside,
      chunkNames: 'chunks/[name]-[hash]',
    });
    await rm(`${root}/dist`, { recursive: true, force: true });
    await rename(aside, `${root}/dist`);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildDist();
