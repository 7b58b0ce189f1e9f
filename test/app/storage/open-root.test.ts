import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { openRoot } from '../../../src/app/storage/open-root.ts';
import { isOciError } from '../../../src/model/errors.ts';

// A directory needs none of them.
const parts = {
  settings: () => assert.fail('settings were read'),
  warn: (text: string) => assert.fail(text),
  onOpen: () => assert.fail('a connection was opened'),
};

describe('what --root names', () => {
  let parent = '';
  before(async () => {
    parent = await mkdtemp(join(tmpdir(), 'ocictl-root-'));
  });
  after(() => rm(parent, { recursive: true, force: true }));

  it('is a directory, which is made, as a path or as a file URL', async () => {
    for (const [name, write] of [
      ['plain', (path: string) => path],
      ['a b', (path: string) => pathToFileURL(path).href],
    ] as const) {
      const path = join(parent, name);
      const word = write(path);
      const root = await openRoot(word, parts);
      assert.deepEqual([root.name, root.directory, root.driver.readOnly], [word, path, false]);
      assert.equal((await stat(path)).isDirectory(), true);
    }
  });

  it('must be a registry’s where leftovers are deleted', async () => {
    const path = join(parent, 'photos');
    await mkdir(path);
    await assert.rejects(openRoot(pathToFileURL(path).href, parts, { existing: true }), /holds no registry/);
    await mkdir(join(path, 'docker/registry/v2'), { recursive: true });
    assert.equal((await openRoot(path, parts, { existing: true, readOnly: true })).driver.readOnly, true);
    await assert.rejects(openRoot(join(path, 'docker/registry'), parts, { existing: true }), (error) => {
      return isOciError(error, 'STORAGE') && error.hint === `did you mean --root ${path}?`;
    });
    await assert.rejects(openRoot(join(parent, 'nowhere'), parts, { existing: true }), /there is no directory/);
  });

  for (const [word, reason] of [
    ['gopher://store/images', /"gopher:\/\/" names no kind of store/],
    ['file://elsewhere/images', /is no file URL of this machine/],
  ] as const) {
    it(`is not ${word}`, async () => {
      await assert.rejects(openRoot(word, parts), (error) => isOciError(error, 'USAGE') && reason.test(error.message));
    });
  }
});
