import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { newProcessId } from '../../../src/files/process-id.ts';
import { garbageCollector } from '../../../src/registry/extensions.ts';
import { filesBelow, openStore, repo, text, v2 } from '../stores.ts';

describe('a collection of abandoned uploads and downloads', () => {
  it('clears away uploads and partials of more than a week, and drafts of the dead, and nothing strange', async (t) => {
    const { root, registry } = await openStore(t);
    const [old, young] = [await registry.startUpload(repo), await registry.startUpload(repo)];
    for (const writer of [old, young]) {
      await writer.write(text('x'));
      await writer[Symbol.asyncDispose]();
    }
    const uploads = join(root, v2, 'repositories', repo, '_uploads');
    const hex = (seed: string): string => seed.repeat(64).slice(0, 64);
    const [stale, live, fresh] = ['a', 'b', 'c'].map((seed) => join(root, 'partial/sha256', hex(seed)));
    assert.ok(stale !== undefined && live !== undefined && fresh !== undefined);
    await mkdir(dirname(stale), { recursive: true });
    await mkdir(join(root, 'tmp'), { recursive: true });
    const ours = newProcessId();
    const dead = ours.replace(/^\d+/, String(spawnSync(process.execPath, ['--version']).pid));
    const files = {
      [join(uploads, old.id, 'data')]: 8,
      [join(uploads, old.id, 'startedat')]: 8,
      [join(uploads, young.id, 'startedat')]: 8,
      [stale]: 8,
      [`${stale}.${dead}`]: 8,
      [`${live}.${ours}`]: 8,
      [fresh]: 6,
      [join(root, 'tmp', `${dead}.1`)]: 2,
      [join(root, 'tmp', `${ours}.1`)]: 2,
      [join(root, 'tmp', 'strange')]: 8,
      [join(root, 'partial', '.DS_Store')]: 8,
      [join(root, 'partial/sha256', 'strange')]: 8,
    };
    await writeFile(`${live}.lock`, JSON.stringify({ holder: ours }));
    for (const [file, days] of Object.entries(files)) {
      if (!file.startsWith(uploads)) await writeFile(file, 'x');
      const then = new Date(Date.now() - days * 24 * 60 * 60 * 1_000);
      await utimes(file, then, then);
    }
    await mkdir(join(uploads, 'lost+found'));
    await writeFile(join(uploads, 'lost+found', 'data'), 'x');
    await utimes(join(uploads, 'lost+found', 'data'), new Date(0), new Date(0));
    await registry.extension(garbageCollector)?.collect();
    assert.deepEqual((await readdir(uploads)).sort(), [young.id, 'lost+found'].sort());
    const strays = ['.DS_Store', 'sha256/strange'].map((name) => join(root, 'partial', name));
    const left = [`${live}.${ours}`, `${live}.lock`, fresh, ...strays].map((file) => file.slice(root.length + 1));
    assert.deepEqual(await filesBelow(join(root, 'partial')), left.map((file) => file.slice('partial/'.length)).sort());
    assert.deepEqual(await filesBelow(join(root, 'tmp')), [`${ours}.1`, 'strange'].sort());
    assert.ok((await stat(join(uploads, young.id, 'data'))).size > 0);
  });
});
