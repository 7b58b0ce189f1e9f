// Makes the folder that is published: `npm run pack:npm`, then `npm publish .build/package`.
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDist } from './build.mjs';
import { licenceTexts } from './licences.mjs';
import { fitDocuments } from './packed-docs.mjs';
import { buildTypes } from './types.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Beside what users read: how it is built; the reference of the library, which editors show from the declarations; and that of the
 * commands, which the man pages and --help have.
 */
const leftOut = ['architecture.md', 'dependencies.md', 'performance.md', 'commands.md', 'api', 'pull.svg'];

/** Where the published folder is made; another path for tests, which run beside others that use `dist`. */
const published = join(root, '.build', 'package');

/**
 * Installed packages would never be run where they are bundled: `dependencies` holds what is not. All that is bundled has its
 * licence go along.
 *
 * @returns The folder, which is replaced.
 */
export async function makePackage(folder = published) {
  const aside = `${folder}-${process.pid}`;
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { recursive: true });
  try {
    const bundled = await buildDist(join(aside, 'dist'));
    await buildTypes(join(aside, 'dist', 'types'));
    for (const name of ['bin', 'completions', 'examples', 'man', 'CHANGELOG.md', 'LICENSE', 'README.md']) {
      await cp(join(root, name), join(aside, name), { recursive: true });
    }
    await mkdir(join(aside, 'docs'));
    for (const name of await readdir(join(root, 'docs'))) {
      if (!leftOut.includes(name)) await cp(join(root, 'docs', name), join(aside, 'docs', name), { recursive: true });
    }
    await fitDocuments(aside);
    await writeFile(join(aside, 'THIRD-PARTY-LICENCES.txt'), await licenceTexts(root, bundled));
    const manifest = await publishedManifest(bundled, await readdir(join(root, 'man')));
    await writeFile(join(aside, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
    await rm(folder, { recursive: true, force: true });
    await rename(aside, folder);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  return folder;
}

/** package.json without what only a checkout has a use for. */
async function publishedManifest(bundled, manPages) {
  const {
    private: _private,
    scripts: _scripts,
    devDependencies: _devDependencies,
    files: _files,
    directories: _directories,
    dependencies,
    ...kept
  } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const left = Object.entries(dependencies).filter(([name]) => !bundled.includes(`node_modules/${name}`));
  return {
    ...kept,
    // npm links these where `man` finds them.
    man: manPages.sort().map((name) => `man/${name}`),
    ...(left.length > 0 && { dependencies: Object.fromEntries(left) }),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  process.stdout.write(`${await makePackage(folder && resolve(folder))}\n`);
}
