// Shortens the names inside functions, which makes the package a fifteenth smaller. Names of functions, classes and methods stay, so
// that stack traces can be read.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transform } from 'esbuild';

/** @param options What all bundles have in common. */
export async function shortenLocals(folder, { target, lineLimit }) {
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.js')) continue;
    const file = join(folder, name);
    const text = await readFile(file, 'utf8');
    // esbuild would shorten the names of a module as well. It leaves those alone that a call of eval could refer to.
    const { code } = await transform(`${text}\n;eval("");`, {
      minifyIdentifiers: true,
      minifyWhitespace: true,
      legalComments: 'none',
      target,
      lineLimit,
    });
    if (!evaluation.test(code)) throw new Error(`${name} does not end as it should`);
    await writeFile(file, code.replace(evaluation, ';\n'));
  }
}

const evaluation = /[;\s]*\beval\(\s*""\s*\)[;\s]*$/;
