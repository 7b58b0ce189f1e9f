import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { newProcessId } from '../../../src/files/process-id.ts';
import { createDirectoryFiles } from '../../../src/layout/directory/directory-files.ts';
import { IndexFile } from '../../../src/layout/directory/index-file.ts';
import { LayoutLock } from '../../../src/layout/directory/lock.ts';
import { WorkDirectory } from '../../../src/layout/directory/work-directory.ts';
import { layoutRepository as repo } from '../../../src/layout/layout.ts';
import { isOciError } from '../../../src/model/errors.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { all } from '../../contract/contract.ts';
import { type Running, start } from '../../support/process.ts';
import { latest, newLayout, push, readEntries, type TestLayout, uniqueImage } from '../layouts.ts';

const child = fileURLToPath(import.meta.url).replace(/processes\.test(\.[jt]s)$/, 'tag-child$1');

function tagging(t: TestContext, { directory }: TestLayout, prefix: string, count: string): Running {
  const env = { PATH: process.env['PATH'] ?? '' };
  return start(t, process.execPath, [child, directory, prefix, count], { env });
}

describe('several processes on one layout', () => {
  it('lose no tag of each other', async (t) => {
    const layout = await newLayout(t);
    await push(layout, await uniqueImage(), latest);
    const children = ['a', 'b', 'c'].map((prefix) => tagging(t, layout, prefix, '30'));
    for (const { exitCode, stderr } of await Promise.all(children.map(({ result }) => result))) {
      assert.equal(exitCode, 0, stderr);
    }
    assert.equal((await all(layout.registry.tags(repo))).length, 91);
    assert.equal((await readEntries(layout.directory)).length, 91);
    assert.deepEqual((await readdir(layout.directory)).sort(), ['blobs', 'index.json', 'oci-layout']);
  });

  it('leave the index whole when they are killed while they write it, and the lock to others', async (t) => {
    const layout = await newLayout(t);
    await push(layout, await uniqueImage(), latest);
    for (const delayMs of [0, 3, 7]) {
      const killed = tagging(t, layout, 'k', 'forever');
      await killed.waitFor(/tagged 1\n/);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      killed.child.kill('SIGKILL');
      assert.equal((await killed.result).signal, 'SIGKILL');
      const startedMs = performance.now();
      const { digest } = await push(layout, await uniqueImage(), latest);
      assert.ok(performance.now() - startedMs < 5000, 'it did not wait for the dead');
      assert.equal((await layout.registry.statManifest(repo, latest)).digest, digest);
    }
  });
});

describe('the lock of a layout', () => {
  const machine = newProcessId().split('-')[1];
  const deadPid = spawnSync(process.execPath, ['-e', '0']).pid;

  for (const [what, content, ageMs] of [
    ['whose holder is dead', `${deadPid}-${machine}-0123456789ab`, 0],
    ['of another machine that is silent', '1-aaaaaaaaaaaa-0123456789ab', 60_000],
    ['of another boot, from the future', '1-aaaaaaaaaaaa-0123456789abcdef', -3_600_000],
    ['that was never finished', '', 60_000],
  ] as const) {
    it(`is taken over where it is one ${what}`, async (t) => {
      const layout = await newLayout(t);
      const file = join(layout.directory, '.ocictl', 'lock');
      await mkdir(join(layout.directory, '.ocictl'));
      await writeFile(file, content);
      const then = new Date(Date.now() - ageMs);
      await utimes(file, then, then);
      const image = await uniqueImage();
      const tags = ['a', 'b', 'c'].map(parseTag);
      await Promise.all(tags.map((tag) => push(layout, image, tag)));
      assert.deepEqual(await all(layout.registry.tags(repo)), tags);
      assert.deepEqual((await readdir(layout.directory)).sort(), ['blobs', 'index.json', 'oci-layout']);
    });
  }

  for (const [what, make] of [
    ['a pipe', (file: string) => void spawnSync('mkfifo', [file])],
    ['a link to a device without end', (file: string) => symlink('/dev/zero', file)],
    ['a directory', (file: string) => mkdir(file)],
  ] as const) {
    it(`is not read where it is ${what}`, { skip: process.platform === 'win32', timeout: 10_000 }, async (t) => {
      const layout = await newLayout(t);
      await mkdir(join(layout.directory, '.ocictl'));
      const file = join(layout.directory, '.ocictl', 'lock');
      await make(file);
      const pushing = push(layout, await uniqueImage(), latest);
      const told = (error: unknown) => isOciError(error, 'STORAGE_DAMAGED') && error.message.includes(file);
      await assert.rejects(pushing, told);
    });
  }

  it('is waited for while its holder lives, as long as the signal allows', async (t) => {
    const layout = await newLayout(t);
    const image = await uniqueImage();
    const file = join(layout.directory, '.ocictl', 'lock');
    await push(layout, image);
    await mkdir(join(layout.directory, '.ocictl'));
    await writeFile(file, newProcessId());
    const reason = new Error('waited enough');
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 100);
    const pushing = layout.registry.pushManifest(repo, image.manifest, { tags: [latest], signal: stop.signal });
    await assert.rejects(pushing, (error) => error === reason);
    assert.deepEqual(await readEntries(layout.directory), []);
  });

  it('is noticed to be taken over before anything is changed', async (t) => {
    const { directory } = await newLayout(t);
    const work = new WorkDirectory(directory);
    const index = new IndexFile(createDirectoryFiles(directory), work);
    const file = join(work.path, 'lock');
    const changing = new LayoutLock(work).exclusively(async (held) => {
      await held.check();
      await writeFile(file, newProcessId());
      await index.create(held);
    });
    await assert.rejects(changing, (error) => isOciError(error, 'UNAVAILABLE') && error.message.includes(file));
    assert.deepEqual(await readdir(work.path), ['lock'], 'it is left to who has it now');
  });
});
