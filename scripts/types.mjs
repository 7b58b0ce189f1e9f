// Writes the declarations of the library: one .d.ts for each entry of package.json, and one for what several entries share.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { libraryEntries } from './build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Writes the declarations into a directory, in place of what is there. */
export async function buildTypes(outdir = join(root, 'dist', 'types')) {
  await rm(outdir, { recursive: true, force: true });
  await cp(await declarations(), outdir, { recursive: true });
}

/**
 * TypeScript writes declarations for every file, which is two hundred files with types that are no part of the library, so they are
 * rolled up. What several entries use is declared once, in shared.d.ts: of two declarations of a brand or a class, neither is the
 * other. Needs half a minute, and is therefore kept until a source changes.
 *
 * @returns The directory they are in.
 */
export async function declarations() {
  const kept = join(root, '.build', `types-${await sourcesHash()}`);
  if (
    await access(kept).then(
      () => true,
      () => false,
    )
  )
    return kept;
  await mkdir(join(root, '.build'), { recursive: true });
  const aside = await mkdtemp(join(root, '.build-types-'));
  try {
    const files = join(aside, 'files');
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    await run(process.execPath, [tsc, '-p', join(root, 'tsconfig.types.json'), '--outDir', files]);
    await rollUp(files, join(aside, 'rolled-up'));
    // Somebody else may have been faster.
    await rename(join(aside, 'rolled-up'), kept).catch(() => access(kept));
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  return kept;
}

async function rollUp(files, outdir) {
  const input = Object.fromEntries(libraryEntries.map((entry) => [entry, join(files, `${entry}.d.ts`)]));
  const bundle = await rollup({
    input,
    plugins: [tsSpecifiers(files), dts()],
    external: /^node:/,
    // Also what an entry uses and none exports is a warning, which would otherwise be a type without a name.
    onwarn: ({ message }) => {
      throw new Error(message);
    },
  });
  await bundle.write({
    dir: outdir,
    entryFileNames: '[name].d.ts',
    chunkFileNames: '[name].d.ts',
    minifyInternalExports: false,
    manualChunks: (id, { getModuleInfo }) =>
      Object.values(input).filter((entry) => reached(entry, getModuleInfo).has(id)).length > 1 ? 'shared' : undefined,
  });
  await bundle.close();
  for (const name of await readdir(outdir)) {
    const text = await readFile(join(outdir, name), 'utf8');
    // AbortSignal, URL and AsyncDisposable are those of @types/node.
    await writeFile(join(outdir, name), `/// <reference types="node" />\n${text}`);
  }
}

/** Our files import each other as `./x.ts`, and their declarations are `./x.d.ts`. */
function tsSpecifiers(folder) {
  return {
    name: 'ts-specifiers',
    resolveId(source, importer) {
      if (importer === undefined || !source.startsWith('.') || !importer.startsWith(folder)) return null;
      return join(importer, '..', source.replace(/(?<!\.d)\.ts$/, '.d.ts'));
    },
  };
}

/** The files that one leads to, itself among them. */
function reached(from, getModuleInfo, seen = new Set()) {
  if (seen.has(from)) return seen;
  seen.add(from);
  for (const id of getModuleInfo(from)?.importedIds ?? []) reached(id, getModuleInfo, seen);
  return seen;
}

async function sourcesHash() {
  const names = (await readdir(join(root, 'src'), { recursive: true })).filter((name) => name.endsWith('.ts')).sort();
  const hash = createHash('sha256').update(await readFile(fileURLToPath(import.meta.url)));
  for (const name of names) hash.update(name).update(await readFile(join(root, 'src', name)));
  return hash.digest('hex').slice(0, 16);
}

async function run(program, words) {
  const child = spawn(program, words, { cwd: root, stdio: 'inherit' });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${words[0]} ended with ${code}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildTypes(process.argv[2]);
