/** Writes completions/ and man/, or with --check says which of their files are stale. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generatedFiles, generatedFolders } from './generated.ts';

const root = process.cwd();
const wanted = await generatedFiles(root);
const stale = [...(await changed()), ...(await leftOver())];

if (process.argv.includes('--check')) {
  if (stale.length > 0) {
    process.stderr.write(`stale: ${stale.join(', ')}\nrun: npm run generate\n`);
    process.exitCode = 1;
  }
} else {
  for (const path of stale) {
    const text = wanted.get(path);
    if (text === undefined) await rm(join(root, path));
    else {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    process.stdout.write(`${text === undefined ? 'removed' : 'wrote'} ${path}\n`);
  }
}

async function changed(): Promise<string[]> {
  const paths: string[] = [];
  for (const [path, text] of wanted) {
    if ((await readFile(join(root, path), 'utf8').catch(() => undefined)) !== text) paths.push(path);
  }
  return paths;
}

// Of commands that are gone.
async function leftOver(): Promise<string[]> {
  const paths: string[] = [];
  for (const folder of generatedFolders) {
    const names = await readdir(join(root, folder)).catch(() => []);
    paths.push(...names.map((name) => `${folder}/${name}`).filter((path) => !wanted.has(path)));
  }
  return paths;
}
