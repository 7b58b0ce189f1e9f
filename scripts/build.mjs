// Builds dist/: one entry for the command line, one for the library, one lazily loaded chunk per command.
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

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
  // CommonJS packages inside an ES module want a require of their own.
  banner: { js: "import { createRequire as __cr } from 'node:module';\nconst require = __cr(import.meta.url);" },
};

export async function buildDist() {
  await rm(`${root}/dist`, { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: { main: 'src/main.ts', index: 'src/index.ts' },
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildDist();
