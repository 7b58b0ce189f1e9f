import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { layoutRepository, openLayout } from '../../../src/layout/layout.ts';
import { ocictl } from '../../support/command.ts';
import { pushImage } from '../../support/images.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, assertWhole, buildDemoIndex, one, startPlace } from './places.ts';

describe('ocictl copy --platform with several platforms', () => {
  it('copies several platforms of an index into a layout and the store, the index unchanged', async (t) => {
    const from = await startPlace(t);
    const { index, amd64, arm64, riscv64 } = await buildDemoIndex();
    await pushImage(from.registry, app, one, index);
    const name = `${from.host}/team/app:1`;
    for (const words of [['linux/amd64,linux/arm64'], ['linux/arm64', '--platform', 'linux/amd64']]) {
      const { exitCode, stderr } = await ocictl(t, ['copy', name, 'oci:some:1', '--platform', ...words]);
      assert.equal(exitCode, 0, stderr);
      assert.doesNotMatch(stderr, /lacks/);
    }
    const registry = await openLayout({ directory: join((await sandbox(t)).home, 'some'), readOnly: true });
    assert.equal((await registry.statManifest(layoutRepository, one)).digest, index.descriptor.digest);
    for (const image of [amd64, arm64]) await assertWhole(registry, layoutRepository, image);
    await assert.rejects(registry.statManifest(layoutRepository, riscv64.descriptor.digest));
    const missing = await ocictl(t, ['copy', name, 'store:app', '--platform', 'linux/amd64,linux/s390x']);
    assert.deepEqual([missing.exitCode, missing.stdout], [3, '']);
  });

  it('copies several platforms to no registry, whose index would lack images, before it asks anybody', async (t) => {
    const from = await startPlace(t);
    const words = ['copy', `${from.host}/team/app:1`, 'registry.invalid/app', '--platform', 'linux/amd64,linux/arm64'];
    const { exitCode, stderr } = await ocictl(t, words);
    assert.equal(exitCode, 2);
    assert.match(stderr, /not to a registry\nhint: .*name one platform, or leave --platform out/);
    assert.equal(from.proxy.requests.length, 0);
  });
});
