import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inDirectory, makeDirectory, writeNew } from '../../src/files/durable.ts';
import { hasErrno } from '../../src/files/file-errors.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

describe('writing into a directory that may be missing', () => {
  it('makes it, with its parents, and uses one that is there', async (t) => {
    const directory = join(await temporaryDirectory(t), 'a', 'b');
    for (const name of ['first', 'second']) {
      const file = join(directory, name);
      await inDirectory(directory, () => writeNew(file, Buffer.from(name)));
      assert.equal(await readFile(file, 'utf8'), name);
    }
  });

  it('fails with the reason if a file is in its place', async (t) => {
    const directory = join(await temporaryDirectory(t), 'taken');
    await writeNew(directory, Buffer.from('x'));
    const write = inDirectory(directory, () => writeNew(join(directory, 'file'), Buffer.from('y')));
    await assert.rejects(write, (error) => hasErrno(error, 'ENOTDIR'));
  });
});

describe('making a directory', () => {
  it('makes its parents, and minds nothing that is there', async (t) => {
    const directory = join(await temporaryDirectory(t), 'a', 'b', 'c');
    await Promise.all([makeDirectory(directory), makeDirectory(directory)]);
    await makeDirectory(directory);
    assert.ok((await stat(directory)).isDirectory());
  });

  it('fails, and does not try for ever, where a directory takes no entries', {
    skip: process.platform !== 'linux' && 'needs /proc',
    timeout: 5000,
  }, async () => {
    await assert.rejects(makeDirectory('/proc/ocictl-test/below'), (error) => hasErrno(error, 'ENOENT'));
    const write = () => stat('/proc/ocictl-test/below/file');
    await assert.rejects(inDirectory('/proc/ocictl-test/below', write), (error) => hasErrno(error, 'ENOENT'));
  });
});
