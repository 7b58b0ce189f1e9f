import assert from 'node:assert/strict';
import { readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeArtifact } from '../../../src/artifacts/push/artifact.ts';
import { filePart } from '../../../src/artifacts/push/part.ts';
import { titleOf } from '../../../src/artifacts/push/title.ts';
import { digestBytes } from '../../../src/model/digest.ts';
import { OciError } from '../../../src/model/errors.ts';
import { readContent } from '../../../src/registry/content.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';

describe('a file of an artifact', () => {
  const changes: Readonly<Record<string, (file: string) => Promise<void>>> = {
    'is written again': (file) => writeFile(file, 'other'),
    'is cut off': (file) => truncate(file, 2),
    'is touched': (file) => utimes(file, 1, 1),
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`is not sent if it ${what} after it was hashed`, async (t) => {
      const file = join(await temporaryDirectory(t), 'file');
      await writeFile(file, 'hello');
      const { source } = await filePart(file, 'a/b', {});
      await change(file);
      await assert.rejects(source.open(0), { code: 'DIGEST_MISMATCH', message: `${file} changed while it was pushed` });
    });

    it(`fails to be sent if it ${what} meanwhile`, async (t) => {
      const file = join(await temporaryDirectory(t), 'file');
      await writeFile(file, 'hello');
      const { source } = await filePart(file, 'a/b', {});
      const content = await source.open(0);
      await change(file);
      await assert.rejects(readContent(content, 100), { code: 'DIGEST_MISMATCH' });
    });
  }

  it('is read from an offset', async (t) => {
    const file = join(await temporaryDirectory(t), 'file');
    await writeFile(file, 'hello');
    const { source, descriptor } = await filePart(file, 'a/b', {});
    assert.equal(descriptor.digest, await digestBytes(Buffer.from('hello')));
    assert.equal(Buffer.from(await readContent(await source.open(3), 100)).toString(), 'lo');
  });

  it('that is gone is told', async (t) => {
    const file = join(await temporaryDirectory(t), 'file');
    await writeFile(file, 'hello');
    const { source } = await filePart(file, 'a/b', {});
    await rm(file);
    await assert.rejects(source.open(0), { code: 'USAGE', message: `there is no file ${file}` });
  });
});

describe('the title of a path', () => {
  it('has no more than it needs', () => {
    for (const [path, title] of [
      ['./a//b/', 'a/b'],
      ['a/../b', 'b'],
      ['.', '.'],
      ['a b/é', 'a b/é'],
    ] as const) {
      assert.equal(titleOf(path), title);
    }
    for (const path of ['..', '../a', 'a/../../b', '/a']) {
      assert.throws(() => titleOf(path), { code: 'USAGE' }, path);
    }
  });
});

describe('an artifact', () => {
  it('does not read on if its subject is not there, and leaves nothing behind', async (t) => {
    const directory = await temporaryDirectory(t);
    const endless = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      for (;;) {
        yield Buffer.alloc(1024);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const subject = async (): Promise<never> => {
      throw new OciError('MANIFEST_UNKNOWN', 'not there');
    };
    await assert.rejects(makeArtifact([{ content: endless() }], { subject }), { code: 'MANIFEST_UNKNOWN' });
    assert.deepEqual(await readdir(directory), []);
  });
});
