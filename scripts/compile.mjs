// Compiles the tests and what they import into .build, without looking at types: `npm run lint` does, in ten times the time.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

const entryPoints = ['src', 'test', 'scripts', 'bench', 'examples'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
);

/** Every file stays a file of its own, and imports the others by the names that they have when compiled. */
const filesApart = {
  name: 'files-apart',
  setup(builder) {
    builder.onResolve({ filter: /^\./ }, ({ kind, path }) =>
      kind === 'entry-point' ? undefined : { path: path.replace(/\.ts$/, '.js'), external: true },
    );
    // tsconfig.json names its sources, for types alone.
    builder.onResolve({ filter: /^ocictl(?:\/|$)/ }, ({ path }) => ({ path, external: true }));
  },
};

// tsc believes of what it has written that it lies there still.
rmSync(join(root, '.build', 'tsbuildinfo'), { force: true });
await build({
  absWorkingDir: root,
  entryPoints,
  outdir: '.build',
  outbase: '.',
  bundle: true,
  packages: 'external',
  plugins: [filesApart],
  treeShaking: false,
  platform: 'node',
  format: 'esm',
  target: 'es2023',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
});
