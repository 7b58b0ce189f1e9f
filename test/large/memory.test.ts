import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { openFilesystemDriver } from '../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../src/storage/storage.ts';
import { spawnOcictl, spawnServe } from '../support/command.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { randomLayer } from '../support/layer.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { peakBytes, watchUse } from './process-use.ts';
import { roomyDirectory } from './room.ts';

const MB = 1_000_000;
const peakLimitBytes = 120 * MB;

describe('the memory that a pull and a copy take', {
  skip: process.platform !== 'linux' && 'reads /proc',
  timeout: 300_000,
}, () => {
  for (const [count, megabytes] of [
    [5, 200],
    [10, 100],
    [1, 1000],
  ] as const) {
    it(`stays below 120 MB for ${count} × ${megabytes} MB`, async (t) => {
      const root = await temporaryDirectory(t, await roomyDirectory());
      const layers = [];
      for (let i = 0; i < count; i += 1) layers.push(await randomLayer(megabytes * MB, `layer ${i} of ${count}`));
      const registry = createStorage({ driver: await openFilesystemDriver({ root }) });
      await pushImage(registry, parseRepositoryName('team/large'), parseTag('1'), await buildImage({ layers }));
      const server = await spawnServe(t, ['--root', root]);
      const store = await temporaryDirectory(t, await roomyDirectory());
      const destination = await spawnServe(t, ['--root', await temporaryDirectory(t, await roomyDirectory())]);
      const image = `${server.host}/team/large:1`;
      for (const words of [
        ['pull', image],
        ['copy', image, `${destination.host}/team/large:1`],
      ]) {
        const running = await spawnOcictl(t, [...words, '-q'], { env: { OCICTL_ROOT: store } });
        const { peak } = await watchUse(running);
        const { exitCode, stderr } = await running.result;
        t.diagnostic(`${words[0]} took ${Math.round(peak / MB)} MB at most`);
        assert.equal(exitCode, 0, stderr);
        assert.ok(peak > 0 && peak <= peakLimitBytes, `${words[0]}: ${peak / MB} MB`);
      }
      const served = await peakBytes(server.child.pid);
      t.diagnostic(`the server took ${Math.round((served ?? 0) / MB)} MB`);
    });
  }
});
