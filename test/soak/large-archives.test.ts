import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { entryBytes, tarOf } from '../support/archives/tar.ts';
import { ocictl } from '../support/command.ts';
import { sandbox } from '../support/sandbox.ts';

describe('an archive past the limits of what is kept of it in memory', () => {
  it('is refused for its million of entries, with status 7', async (t) => {
    const { home } = await sandbox(t);
    const one = entryBytes({ name: 'a' });
    await writeFile(join(home, 'x.tar'), Buffer.alloc(1_000_000 * one.length, one));
    const { exitCode, stderr } = await ocictl(t, ['digest', 'oci-archive:x.tar']);
    assert.equal(exitCode, 7);
    assert.match(stderr, /^error: x.tar has more than 200000 entries\nhint: /);
  });

  it('is refused for its names', async (t) => {
    const { home } = await sandbox(t);
    const names = Array.from({ length: 9000 }, (_, i) => ({ name: 'a', pax: { path: `${i}${'x'.repeat(4000)}` } }));
    await writeFile(join(home, 'x.tar'), tarOf(names));
    const { exitCode, stderr } = await ocictl(t, ['digest', 'oci-archive:x.tar']);
    assert.equal(exitCode, 7);
    assert.match(stderr, /^error: x.tar has names of more than 33554432 bytes in all\nhint: /);
  });
});
