import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ocictl, spawnServe } from '../support/command.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

/** Parts of Node that cost milliseconds and that nothing here needs. */
const heavy = ['internal/deps/undici/undici', 'internal/http2/core'];

describe('a command that asks a registry', () => {
  it("loads neither Node's own copy of undici nor HTTP/2", async (t) => {
    const directory = await temporaryDirectory(t);
    const hook = join(directory, 'hook.cjs');
    await writeFile(hook, `process.on('exit', () => process._rawDebug(JSON.stringify(process.moduleLoadList)));`);
    const { host } = await spawnServe(t, ['--memory']);
    const { stdout, stderr } = await ocictl(t, ['digest', `${host}/team/app:1`], {
      env: { NODE_OPTIONS: `--require=${hook}` },
    });
    assert.equal(stdout, '');
    assert.match(stderr, /NativeModule net/);
    assert.match(stderr, /team\/app/);
    for (const name of heavy) assert.ok(!stderr.includes(`NativeModule ${name}"`), name);
  });
});
