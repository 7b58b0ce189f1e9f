// Makes scripts of modules: CommonJS, in files that end with .cjs. Of those V8 gives out the code that it has compiled, which
// it does of no module; src/packaging/script-loader.ts keeps it for the next run.
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transform } from 'esbuild';

/** How esbuild gives one of Node's modules to an importer: as a copy of all its names, which costs a start a millisecond. */
const copied = /__toESM\((require_node_\w+\(\)), ?1\)/g;
const ownRequire = /^const require\s*=\s*process\.getBuiltinModule;\s*/;

/**
 * Converts the modules of some folders, and the imports of them everywhere else.
 *
 * @param outdir Holds all bundles.
 * @param folders Those in it whose modules become scripts.
 * @param options What all bundles have in common.
 */
export async function makeCommonJs(outdir, folders, { target, lineLimit }) {
  const rename = (text) =>
    folders.reduce(
      (changed, folder) =>
        changed.replace(new RegExp(`"(\\.{1,2}/(?:\\.\\./)*${folder}/[^"]+)\\.js"`, 'g'), '"$1.cjs"'),
      text,
    );
  for (const name of (await readdir(outdir, { recursive: true })).sort()) {
    if (!name.endsWith('.js')) continue;
    const file = join(outdir, name);
    const text = rename(await readFile(file, 'utf8'));
    if (!folders.some((folder) => name.startsWith(folder))) {
      await writeFile(file, text);
      continue;
    }
    const { code } = await transform(
      text
        .replace(ownRequire, '')
        .replace(copied, '$1')
        .replace(/"(\.\/[^"/]+)\.js"/g, '"$1.cjs"')
        .replaceAll('import.meta.url', 'require("node:url").pathToFileURL(__filename).href'),
      {
        format: 'cjs',
        // Lists the names for importers that are modules, which the library is.
        platform: name.startsWith('vendor') ? 'node' : 'neutral',
        target,
        lineLimit,
        minifySyntax: true,
        minifyWhitespace: true,
        supported: { 'dynamic-import': false },
      },
    );
    const script = name.startsWith('vendor') ? code : lighter(code);
    await writeFile(file.replace(/\.js$/, '.cjs'), script);
    await rm(file);
  }
}

/** @returns A hash of all scripts in some folders. */
export async function hashOf(outdir, folders) {
  const hash = createHash('sha256');
  for (const folder of folders) {
    for (const name of (await readdir(join(outdir, folder))).sort())
      hash.update(name).update(await readFile(join(outdir, folder, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * esbuild copies what a script exports twice, once in the script and once where it is loaded late, for importers that ask for a
 * default. Ours never do.
 */
function lighter(code) {
  const plain = code
    .replace(/module\.exports\s*=\s*__toCommonJS\(\s*([\w$]+)\s*\);/, 'module.exports=$1;')
    .replace(/__toESM\(\s*(require\(\s*"\.{1,2}\/[^"]+"\s*\))\s*\)/g, '$1')
    // Our functions have no use for `this`.
    .replace(/\bimport_chunk_([0-9A-Z]{8})\b/g, 'c$1')
    .replace(/\b(return|await|of|in|throw|yield|case|typeof|void|else)\(0,\s*(c[0-9A-Z]{8}\.[\w$]+)\)\(/g, '$1 $2(')
    .replace(/(?<![\w$\])}])\(0,\s*(c[0-9A-Z]{8}\.[\w$]+)\)\(/g, '$1(');
  const [prelude] = /^[\s\S]*?__toCommonJS=[^;]*;/.exec(plain) ?? [];
  if (prelude === undefined) throw new Error(`a script does not begin as it should: ${plain.slice(0, 200)}`);
  const rest = plainExports(plain.slice(prelude.length));
  return /\b__(?:toESM|copyProps|create|getOwnProp|defProp)/.test(rest) ? prelude + rest : rest;
}

const exportTable = /var ([\w$]+)=\{\};\s*__export\(\1,\s*\{([^{}]*)\}\);\s*module\.exports=\1;/;

/**
 * esbuild makes a function of every name that a script exports, for names whose values change. Ours never do: the values are given at the
 * end, which costs a start less, and each use of one later.
 */
function plainExports(code) {
  const [whole, , list] = exportTable.exec(code) ?? [];
  if (whole === undefined) return code;
  const names = list
    .replace(/\s+/g, '')
    .split(',')
    .filter((each) => each !== '');
  const pairs = names.map((each) => /^([\w$]+):\(\)=>([\w$]+(?:\.[\w$]+)?)$/.exec(each));
  if (pairs.includes(null)) throw new Error(`a script exports something else: ${list.slice(0, 200)}`);
  if (code.includes('__esm(')) throw new Error('a script has modules that give their values later');
  const values = pairs.map(([, name, value]) => (name === value ? name : `${name}:${value}`));
  return `${code.replace(whole, () => '')}\nmodule.exports={${values.join(',')}};`;
}
