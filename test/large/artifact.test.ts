import assert from 'node:assert/strict';
import { mkdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { spawnOcictl, spawnServe } from '../support/command.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { watchUse } from './process-use.ts';
import { roomyDirectory } from './room.ts';

const MB = 1_000_000;
const bytes = 2048 * 1024 * 1024;
/** Measured: 63 MB to push a file, 66 to pull it. */
const peakLimitBytes = 120 * MB;

describe('the memory that artifact push and artifact pull take', {
  skip: process.platform !== 'linux' && 'reads /proc',
  timeout: 600_000,
}, () => {
  it('stays below 120 MB for a file of 2 GB, alone and in a directory', async (t) => {
    const directory = await temporaryDirectory(t, await roomyDirectory());
    const { host } = await spawnServe(t, ['--root', await temporaryDirectory(t, await roomyDirectory())]);
    await mkdir(join(directory, 'model'));
    for (const name of ['huge.bin', 'model/weights.bin']) {
      await writeFile(join(directory, name), '');
      await truncate(join(directory, name), bytes);
    }
    for (const [i, path] of ['huge.bin', 'model'].entries()) {
      const reference = `${host}/team/huge:${i}`;
      for (const words of [
        ['artifact', 'push', '-q', reference, path],
        ['artifact', 'pull', '-q', '-o', 'out', reference],
      ]) {
        const running = await spawnOcictl(t, words, { cwd: directory, timeoutMs: 300_000, env: { TMPDIR: directory } });
        const { peak } = await watchUse(running);
        const { exitCode, stderr } = await running.result;
        t.diagnostic(`${words.slice(0, 2).join(' ')} of ${path} took ${Math.round(peak / MB)} MB at most`);
        assert.equal(exitCode, 0, stderr);
        assert.ok(peak > 0 && peak <= peakLimitBytes, `${words[1]}: ${peak / MB} MB`);
      }
      const pulled = path === 'model' ? 'model/weights.bin' : path;
      assert.equal((await stat(join(directory, 'out', pulled))).size, bytes);
      await rm(join(directory, 'out'), { recursive: true });
    }
  });
});
