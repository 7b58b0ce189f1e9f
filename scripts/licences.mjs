// The licences of what is bundled, whose texts have to go along with it.
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** @param directories Of packages, from the root. @throws Where a package has no licence text. */
export async function licenceTexts(root, directories) {
  const parts = new Map();
  for (const directory of directories) {
    const { name, version, license } = JSON.parse(await readFile(join(root, directory, 'package.json'), 'utf8'));
    const texts = [];
    for (const file of (await readdir(join(root, directory))).sort()) {
      if (!/^(?:licen[cs]e|notice|copying)/i.test(basename(file))) continue;
      texts.push((await readFile(join(root, directory, file), 'utf8')).trim());
    }
    if (texts.length === 0) throw new Error(`${name} ${version} is bundled and has no licence text`);
    parts.set(`${name} ${version} (${license})`, texts.join('\n\n'));
  }
  // Many texts differ in nothing but the packages they are for.
  const holders = new Map();
  for (const [title, text] of parts) holders.set(text, [...(holders.get(text) ?? []), title]);
  const line = '-'.repeat(80);
  const chapters = [...holders].map(([text, titles]) => `${line}\n${titles.join('\n')}\n${line}\n\n${text}\n`);
  return `ocictl contains parts of these packages, each under its own licence.\n\n${chapters.join('\n')}`;
}
