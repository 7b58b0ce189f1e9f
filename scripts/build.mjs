// Builds dist/: the command line and the library in the same files, with a lazily loaded script for each command.
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { dropStubs, fewFiles } from './chunks.mjs';
import { hashOf, makeCommonJs } from './commonjs.mjs';
import { joinScripts } from './script-files.mjs';
import { shortenLocals } from './shorten.mjs';
import { placeVendor, vendorImports } from './vendor.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What programs import: `ocictl` is index, `ocictl/server` is server. */
export const libraryEntries = ['index', 'server', 'storage', 'docker'];

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
        export { default as Pool } from 'undici/lib/dispatcher/pool.js';`,
      resolveDir: root,
    }));
    // Its parser comes in two forms, each a twentieth of the package. The one that every processor runs takes no longer for a request.
    builder.onResolve({ filter: /llhttp_simd-wasm\.js$/ }, ({ resolveDir }) => ({
      path: join(resolveDir, '..', 'llhttp', 'llhttp-wasm.js'),
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
    builder.onLoad({ filter: /^no-programs$/, namespace: 'none' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/** Of the 86 spinners of cli-spinners, those that `terminal/progress/spinner.ts` names. */
const fewSpinners = {
  name: 'few-spinners',
  setup(builder) {
    builder.onLoad({ filter: /[/\\]cli-spinners[/\\]spinners\.json$/ }, async ({ path }) => {
      const { dots, line } = JSON.parse(await readFile(path, 'utf8'));
      return { contents: JSON.stringify({ dots, line }), loader: 'json' };
    });
  },
};

/**
 * Node's own modules are loaded when something of them is first used. An `import` would load them at the start, and read all they
 * export, of which some loads more: of node:fs the streams, of node:http Node's own copy of undici. HTTP/2, which undici
 * loads and does not speak here, costs 6 to 12 ms.
 */
const lateBuiltins = (files) => ({
  name: 'late-builtins',
  async setup(builder) {
    const names = await importedNames(files ?? (await sources()));
    builder.onResolve({ filter: /^node:/ }, ({ path, kind, importer }) =>
      kind === 'import-statement' && /[/\\]src[/\\]/.test(importer) ? { path, namespace: 'late' } : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => ({
      contents: `
        let loaded;
        const load = () => (loaded ??= process.getBuiltinModule('${path}'));
        module.exports = { ${[...names.get(path)].map((name) => `get ${name}() { return load().${name}; }`).join(', ')} };`,
    }));
    builder.onResolve({ filter: /^node:http2$/ }, () => ({ path: 'http2', namespace: 'none' }));
    builder.onLoad({ filter: /^http2$/, namespace: 'none' }, () => ({
      contents: 'module.exports = { constants: {} };',
    }));
  },
});

const readDirectly = ['readFile', 'readdir', 'stat', 'lstat', 'readlink'];

/**
 * The command line reads settings, certificates and credentials directly: small files, before which it can do nothing else.
 * node:fs/promises loads streams and readline and starts threads, which takes 3 ms. A program that imports the library has other things
 * to do meanwhile.
 */
export const directReads = {
  name: 'direct-reads',
  async setup(builder) {
    const names = await importedNames(await sources());
    builder.onResolve({ filter: /^node:fs\/promises$/ }, ({ path, importer }) =>
      /[/\\]src[/\\](?:config|certs|credentials)[/\\]/.test(importer) ? { path, namespace: 'direct' } : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: 'direct' }, ({ path }) => {
      const calls = [...names.get(path)].map((name) => {
        const late = `process.getBuiltinModule('node:fs/promises').${name}(...values)`;
        const direct = `process.getBuiltinModule('node:fs').${name}Sync(...values)`;
        const call = readDirectly.includes(name) ? `directReads.areOn ? ${direct} : ${late}` : late;
        return `export async function ${name}(...values) { return ${call}; }`;
      });
      const module = join(root, 'src', 'packaging', 'direct-reads.ts');
      return {
        contents: `import { directReads } from ${JSON.stringify(module)};\n${calls.join('\n')}`,
        resolveDir: root,
      };
    });
  },
};

async function sources() {
  const folder = join(root, 'src');
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name));
}

/** What files of ours import of each of Node's modules. */
async function importedNames(files) {
  const names = new Map();
  for (const name of files) {
    const text = await readFile(name, 'utf8');
    if (/^import (?!type |\{).* from 'node:/m.test(text))
      throw new Error(`${name}: import what is used of node: by name`);
    for (const [, list, module] of text.matchAll(builtinImport)) {
      const values = list.split(',').map((word) => word.trim().split(' ')[0]);
      names.set(
        module,
        new Set([...(names.get(module) ?? []), ...values.filter((word) => word !== '' && word !== 'type')]),
      );
    }
  }
  return names;
}

const builtinImport = /^import \{([^}]*)\} from '(node:[^']+)';/gm;

const bundled = new Set();
const noteBundled = {
  name: 'note-bundled',
  setup(builder) {
    builder.onEnd(({ metafile }) => {
      for (const { inputs } of Object.values(metafile?.outputs ?? {})) {
        for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
          const [found] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? [];
          if (found !== undefined && bytesInOutput > 0) bundled.add(found);
        }
      }
    });
  },
};

/** The directories of the packages of which something was bundled since the process began, from the root. */
export const bundledPackages = () => [...bundled].sort();

/** What every bundle shares, those of scripts too. Packages are bundled in: one file is read where a package's many would be. */
export const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  splitting: true,
  legalComments: 'none',
  // Names stay: stack traces that can be read matter more than the last kilobyte.
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 320,
  sourcemap: false,
  logLevel: 'warning',
  plugins: [noteBundled, undiciPool, noPrograms, fewSpinners, lateBuiltins()],
  metafile: true,
  // What CommonJS packages require is bundled, all but Node's own modules.
  banner: { js: 'const require = process.getBuiltinModule;' },
};

/** The bundles of dist/, which find large packages in dist/vendor. */
const shipped = { ...common, plugins: [vendorImports, ...common.plugins] };

/**
 * What programs import lies beside the command line, which has most of it. Each entry names what it gives of one script: an OciError
 * of one is an OciError of the others.
 *
 * @returns The names that each entry gives, by its name.
 */
async function libraryNames() {
  const entries = libraryEntries.map((entry) => `src/${entry}.ts`);
  const { metafile } = await build({ ...shipped, entryPoints: entries, outdir: root, write: false, metafile: true });
  return new Map(
    Object.values(metafile.outputs).flatMap(({ entryPoint, exports }) =>
      entries.includes(entryPoint) ? [[basename(entryPoint, '.ts'), exports]] : [],
    ),
  );
}

/** @param names What {@link libraryNames} says. */
const wholeLibrary = (names) => ({
  name: 'whole-library',
  setup(builder) {
    const owners = new Map([...names].flatMap(([entry, exports]) => exports.map((name) => [name, entry])));
    const list = libraryEntries.map((entry) => {
      const own = names.get(entry).filter((name) => owners.get(name) === entry);
      return `export { ${own.join(', ')} } from './src/${entry}.ts';`;
    });
    builder.onResolve({ filter: /^whole-library$/ }, ({ path }) => ({ path, namespace: path }));
    builder.onLoad({ filter: /.*/, namespace: 'whole-library' }, () => ({
      contents: list.join('\n'),
      resolveDir: root,
    }));
  },
});

/** The entry, which no code is kept of: so it is small, and knows of Node's modules only what it uses. */
async function buildEntry(outdir, scripts) {
  const options = {
    ...common,
    entryPoints: { installed: 'src/program/installed.ts' },
    outdir,
    // A script is loaded sooner than a module: Node's loader of modules takes 2 ms, and 5 in Node 20.
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    banner: {},
    splitting: false,
    minify: true,
    // The way to the rest of the command line in the sources.
    external: ['./cli.ts'],
    define: { scripts: JSON.stringify(scripts) },
  };
  const { metafile } = await build({ ...options, write: false });
  const files = Object.keys(metafile.inputs).filter((name) => name.endsWith('.ts'));
  const plugins = [undiciPool, noPrograms, lateBuiltins(files.map((name) => join(root, name)))];
  await build({ ...options, plugins });
}

/**
 * @param target Replaced by what is built.
 * @returns The directories of the packages that are bundled, from the root.
 */
export async function buildDist(target = join(root, 'dist')) {
  // Built aside and renamed: whoever runs ocictl meanwhile finds the old build or the new one, and a failed build
  // leaves the old.
  const aside = join(dirname(target), `.build-dist-${process.pid}`);
  try {
    await build({
      ...shipped,
      entryPoints: { 'credential-helper': 'src/program/credential-helper.ts' },
      outdir: aside,
      chunkNames: 'credential-helper/[name]-[hash]',
    });
    const names = await libraryNames();
    const library = libraryEntries.map((entry) => join(root, 'src', `${entry}.ts`));
    const main = join(aside, 'main');
    await build({
      ...shipped,
      entryPoints: { cli: 'src/program/cli.ts', library: 'whole-library' },
      outdir: main,
      plugins: [wholeLibrary(names), directReads, ...shipped.plugins, fewFiles(join(root, 'src'), library)],
    });
    const placeOf = await dropStubs(main);
    await shortenLocals(aside, common);
    await placeVendor(aside, join(root, 'src'), common);
    await makeCommonJs(aside, ['main', 'vendor'], common);
    const scriptOf = (name) => placeOf(`${name}.js`).replace(/\.js$/, '.cjs');
    const partOf = await joinScripts(main, { cli: scriptOf('cli'), library: scriptOf('library') });
    const { file, part } = partOf(scriptOf('library'));
    for (const [entry, exports] of names) {
      const text = `import scripts from './main/${file}';\nexport const { ${exports.join(', ')} } = scripts.${part}();\n`;
      await writeFile(join(aside, `${entry}.js`), text);
    }
    const cli = partOf(scriptOf('cli'));
    const hash = await hashOf(aside, ['main', 'vendor']);
    await buildEntry(aside, { cli: { file: `main/${cli.file}`, part: cli.part }, hash });
    await rm(target, { recursive: true, force: true });
    await rename(aside, target);
    return bundledPackages();
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildDist();
