// Large packages: a file of each in dist/vendor, where each bundle would have its own copy.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { build } from 'esbuild';

/** Those whose copy would count, and all of them loaded when something needs them. */
const shared = ['bcryptjs', 'fzstd', 'jose', 'smol-toml', 'socks', 'tar-stream', 'undici', 'yaml'];

/** Leaves the imports of shared packages to {@link placeVendor}. */
export const vendorImports = {
  name: 'vendor-imports',
  setup(builder) {
    builder.onResolve({ filter: new RegExp(`^(${shared.join('|')})$`) }, ({ path, importer }) =>
      /[/\\]src[/\\]/.test(importer) ? { path: `vendor:${path}`, external: true } : undefined,
    );
  },
};

/**
 * Builds the shared packages, as far as our modules use them, and points the bundles to them.
 *
 * @param outdir Holds the bundles; they go into its folder `vendor`.
 * @param source Our modules.
 * @param options What all bundles have in common, without `vendorImports`.
 */
export async function placeVendor(outdir, source, options) {
  const used = await usedNames(source);
  await build({
    ...options,
    plugins: [usedOf(used, options.absWorkingDir), ...options.plugins],
    entryPoints: Object.fromEntries(shared.map((name) => [name, `used:${name}`])),
    outdir: join(outdir, 'vendor'),
    minify: true,
    // What a library's errors are called is a part of its interface.
    keepNames: true,
  });
  for (const name of await readdir(outdir, { recursive: true })) {
    if (!name.endsWith('.js')) continue;
    const depth = name.split(sep).length - 1;
    const file = join(outdir, name);
    const text = await readFile(file, 'utf8');
    const placed = text.replace(
      /"vendor:([\w.-]+)"/g,
      (_, vendored) => `"${depth === 0 ? './' : '../'.repeat(depth)}vendor/${vendored}.js"`,
    );
    if (placed !== text) await writeFile(file, placed);
  }
}

/** An entry for each package that gives what is used of it. */
function usedOf(used, resolveDir) {
  return {
    name: 'used-of-packages',
    setup(builder) {
      builder.onResolve({ filter: /^used:/ }, ({ path }) => ({ path: path.slice('used:'.length), namespace: 'used' }));
      builder.onLoad({ filter: /.*/, namespace: 'used' }, ({ path }) => {
        const names = used.get(path);
        if (!names) throw new Error(`${relative('.', path)} is not used any more: take it out of scripts/vendor.mjs`);
        return { contents: `export { ${[...names].join(', ')} } from '${path}';`, resolveDir };
      });
    },
  };
}

/** What our modules import of each shared package, early or late. */
async function usedNames(folder) {
  const names = new Map();
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.ts')) continue;
    const text = await readFile(join(folder, name), 'utf8');
    for (const pattern of imports) {
      for (const [, list, module] of text.matchAll(pattern)) {
        const values = list.split(',').map((word) => word.trim().split(/[ :]/)[0]);
        const known = names.get(module) ?? new Set();
        for (const value of values) if (value !== '' && value !== 'type') known.add(value);
        names.set(module, known);
      }
    }
  }
  return names;
}

const imports = [/^import \{([^}]*)\} from '([^'.][^']*)';/gm, /\{([^{}]*)\} = await import\('([^'.][^']*)'\)/g];
