// Builds dist/: one entry for the command line, one for the library, one lazily loaded chunk per command.
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Of undici only the pool and what connects: its index also loads fetch, WebSocket, caches and mocks, more than half a megabyte of code
 * that would cost every pull 20 ms and 15 MB.
 */
const undiciPool = {
  name: 'undici-pool',
  setup(builder) {
    builder.onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'pool' }));
    builder.onLoad({ filter: /.*/, namespace: 'pool' }, () => ({
      contents: `
        export { default as Pool } from 'undici/lib/dispatcher/pool.js';
        export { default as buildConnector } from 'undici/lib/core/connect.js';
        export { default as errors } from 'undici/lib/core/errors.js';`,
      resolveDir: root,
    }));
  },
};

/**
 * commander looks for and starts subcommands that are programs; ours are none, and what it imports for them costs 8 ms.
 * (Of node:fs that is its streams, which everybody else has from node:fs/promises when a file needs them.)
 */
const noPrograms = {
  name: 'commander-without-programs',
  setup(builder) {
    builder.onResolve({ filter: /^(node:)?(child_process|fs)$/ }, ({ importer }) =>
      importer.includes('/node_modules/commander/') ? { path: 'no-programs', namespace: 'none' } : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/**
 * Modules of Node that take milliseconds to load and that most commands import but few call: loaded at the first call.
 */
const lazyBuiltins = {
  'node:crypto': ['createHash', 'createPublicKey', 'randomBytes', 'randomUUID', 'verify'],
  'node:net': ['BlockList', 'isIP', 'isIPv4', 'isIPv6'],
};

const lazyBuiltin = {
  name: 'lazy-builtin',
  setup(builder) {
    builder.onResolve({ filter: /^node:(crypto|net)$/ }, ({ path, importer }) =>
      /[/\\]src[/\\](model|config|storage|credentials)[/\\]/.test(importer) ? { path, namespace: 'lazy' } : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({
      contents: `
        const load = (name) => process.getBuiltinModule('${path}')[name];
        const lazy = (name) => new Proxy(function () {}, {
          apply: (_target, _self, args) => load(name)(...args),
          construct: (_target, args) => new (load(name))(...args),
        });
        ${lazyBuiltins[path].map((name) => `export const ${name} = lazy('${name}');`).join('\n')}`,
    }));
  },
};

/**
 * `import` of node:http reads all it exports, and from Node 22 on two of these load Node's own copy of undici: 30 ms. HTTP/2,
 * which undici loads and we never speak, costs it 6 to 12 ms more.
 */
const lightHttp = {
  name: 'light-http',
  setup(builder) {
    builder.onResolve({ filter: /^node:http$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: 'http', namespace: 'light' } : undefined,
    );
    builder.onResolve({ filter: /^node:http2$/ }, () => ({ path: 'http2', namespace: 'light' }));
    builder.onLoad({ filter: /^http$/, namespace: 'light' }, () => ({
      contents: `export const { createServer, request, STATUS_CODES } = process.getBuiltinModule('node:http');`,
    }));
    builder.onLoad({ filter: /^http2$/, namespace: 'light' }, () => ({
      contents: 'module.exports = { constants: {} };',
    }));
  },
};

/**
 * Lets every module that is loaded late import what the command line has loaded by then. esbuild makes a chunk for each
 * set of entries that share modules: so all that is common lies in one, where it would be thirty files of a few lines.
 */
const oneCommonChunk = {
  name: 'one-common-chunk',
  async setup(builder) {
    const late = await lateModules(join(root, 'src'));
    builder.onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, async ({ path }) => {
      const contents = await readFile(path, 'utf8');
      const cli = JSON.stringify(join(root, 'src', 'cli.ts'));
      return { contents: late.has(path) ? `import ${cli};\n${contents}` : contents, loader: 'ts' };
    });
  },
};

/** The files that some file imports with `import()`. */
async function lateModules(folder) {
  const late = new Set();
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.ts')) continue;
    const file = join(folder, name);
    for (const [, target] of (await readFile(file, 'utf8')).matchAll(/import\('(\.[^']+)'\)/g)) {
      late.add(resolve(dirname(file), target));
    }
  }
  return late;
}

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
  plugins: [undiciPool, noPrograms, lazyBuiltin, lightHttp],
  // CommonJS packages inside an ES module want a require of their own.
  banner: { js: "import { createRequire as __cr } from 'node:module';\nconst require = __cr(import.meta.url);" },
};

export async function buildDist() {
  // Built aside and renamed: whoever runs ocictl meanwhile finds the old build or the new one, and a failed build
  // leaves the old.
  const aside = `${root}/.build-dist-${process.pid}`;
  try {
    // Apart, or every module that both use would be a file of its own, and the command would open thirty of them.
    for (const entry of ['main', 'index', 'credential-helper']) {
      await build({
        ...common,
        entryPoints: { [entry]: `src/${entry}.ts` },
        outdir: aside,
        chunkNames: `${entry}/[name]-[hash]`,
        plugins: entry === 'main' ? [...common.plugins, oneCommonChunk] : common.plugins,
      });
    }
    await rm(`${root}/dist`, { recursive: true, force: true });
    await rename(aside, `${root}/dist`);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildDist();
