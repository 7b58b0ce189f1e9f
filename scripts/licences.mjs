// The licences of what is bundled, whose texts have to go along with it.
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/**
 * @param directories Of packages, from the root.
 * @throws Where a package has no licence text, and no other of its repository has one of the same licence.
 */
export async function licenceTexts(root, directories) {
  const parts = new Map();
  const [ofRepository, without] = [new Map(), []];
  for (const directory of directories) {
    const text = await readFile(join(root, directory, 'package.json'), 'utf8');
    const { name, version, license, repository } = JSON.parse(text);
    const [title, from] = [`${name} ${version} (${license})`, `${license} ${repository?.url ?? repository}`];
    const texts = [];
    for (const file of (await readdir(join(root, directory))).sort()) {
      if (!/^(?:licen[cs]e|notice|copying)/i.test(basename(file))) continue;
      texts.push((await readFile(join(root, directory, file), 'utf8')).trim());
    }
    if (texts.length === 0) without.push([title, from]);
    else {
      parts.set(title, texts.join('\n\n'));
      ofRepository.set(from, texts.join('\n\n'));
    }
  }
  for (const [title, from] of without) {
    if (!ofRepository.has(from)) throw new Error(`${title} is bundled and has no licence text`);
    parts.set(title, ofRepository.get(from));
  }
  // Many texts differ in nothing but the packages they are for.
  const holders = new Map();
  for (const [title, text] of parts) holders.set(text, [...(holders.get(text) ?? []), title]);
  const line = '-'.repeat(80);
  const chapters = [...holders].map(([text, titles]) => `${line}\n${titles.join('\n')}\n${line}\n\n${text}\n`);
  return `ocictl contains parts of these packages, each under its own licence.\n\n${chapters.join('\n')}`;
}
