import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { openFilesystemDriver } from '../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../src/storage/storage.ts';
import { spawnOcictl, spawnServe } from '../support/command.ts';
import { buildArtifact, buildImage, pushImage } from '../support/images.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { watchUse } from './process-use.ts';

const MB = 1_000_000;
/** Measured: 13 MB for a thousand, 22 for three thousand; with everything held until the end it was 45 and 66. */
const mostGrowth = 30 * MB;

describe('the memory of discover', {
  skip: process.platform !== 'linux' && 'reads /proc',
  timeout: 300_000,
}, () => {
  it('hardly grows with the number of referrers', async (t) => {
    const root = await temporaryDirectory(t);
    const registry = createStorage({ driver: await openFilesystemDriver({ root }) });
    const peaks: number[] = [];
    const server = await spawnServe(t, ['--root', root]);
    for (const count of [10, 3000]) {
      const repo = parseRepositoryName(`team/app${count}`);
      const image = await buildImage({ layers: [] });
      await pushImage(registry, repo, parseTag('1'), image);
      for (let n = 0; n < count; n += 1) {
        const annotations = { n: String(n) };
        const built = await buildArtifact({ artifactType: 'a/sbom', subject: image.descriptor, annotations });
        await pushImage(registry, repo, undefined, built);
      }
      const running = await spawnOcictl(t, ['discover', `${server.host}/${repo}:1`]);
      const { peak } = await watchUse(running);
      const { stdout, exitCode, stderr } = await running.result;
      assert.equal(exitCode, 0, stderr);
      assert.equal(stdout.split('\n').length, count + 2);
      t.diagnostic(`${count} referrers took ${Math.round(peak / MB)} MB at most`);
      peaks.push(peak);
    }
    const [few = 0, many = 0] = peaks;
    assert.ok(many - few <= mostGrowth, `${(many - few) / MB} MB more`);
  });
});
