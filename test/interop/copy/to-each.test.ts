/** One source and several destinations, with docker-registry on both sides and skopeo as the judge. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { app, one } from '../../commands/copy/places.ts';
import { ocictl } from '../../support/command.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { blobsIn, buildImage, pushImage } from '../../support/images.ts';
import { randomLayer } from '../../support/layer.ts';
import { needs, skopeo, startDockerRegistry } from '../../support/programs.ts';
import { openRemote } from '../../support/remotes.ts';

async function largeImage() {
  const layers = [await randomLayer(24_000_000, 'large'), await randomLayer(6_000_000, 'middle')];
  return await buildImage({ layers: [...layers, await randomLayer(5_000, 'small')] });
}

describe('copy to several destinations', { concurrency: false }, () => {
  it('reads docker-registry once for three places, and each is what skopeo expects', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo')) return;
    const [from, first, second] = [
      await startDockerRegistry(t),
      await startDockerRegistry(t),
      await startDockerRegistry(t),
    ];
    const image = await largeImage();
    await pushImage(openRemote(t, from.url), app, one, image);
    const proxy = await startFaultProxy(t, from.url);
    const words = [`${first.host}/team/app:1`, `${second.host}/team/app:1`, 'oci:dir:1'];
    const { exitCode, stdout, stderr } = await ocictl(t, ['copy', `${proxy.host}/team/app:1`, ...words]);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, `${words.join('\n')}\n`);
    const bytes = blobsIn(image).reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    assert.equal(proxy.sentBytes(/\/blobs\//), bytes);
    for (const name of [`docker://${first.host}/team/app:1`, `docker://${second.host}/team/app:1`, 'oci:dir:1']) {
      const { stdout: raw } = await skopeo(t, ['inspect', '--tls-verify=false', '--raw', name]);
      assert.equal(raw, Buffer.from(image.manifest.bytes).toString());
      await skopeo(t, ['copy', '--src-tls-verify=false', name, `dir:${name.replaceAll(/[^a-z0-9]/g, '-')}`]);
    }
  });

  it('goes on without a registry that stands still, which gets the rest from another one later', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const [from, fast, slow] = [
      await startDockerRegistry(t),
      await startDockerRegistry(t),
      await startDockerRegistry(t, { accessLog: true }),
    ];
    const image = await largeImage();
    await pushImage(openRemote(t, from.url), app, one, image);
    const proxy = await startFaultProxy(t, from.url);
    const pid = slow.pid ?? 0;
    const words = [`${proxy.host}/team/app:1`, `${slow.host}/team/app:1`, `${fast.host}/team/app:1`];
    const there = openRemote(t, fast.url);
    process.kill(pid, 'SIGSTOP');
    const running = ocictl(t, ['copy', ...words], { ownProcess: true, timeoutMs: 120_000 });
    try {
      while (!(await there.statManifest(app, one, { mayBeAbsent: true }).catch(() => undefined))) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    const { exitCode, stdout, stderr } = await running;
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, `${words.slice(1).join('\n')}\n`);
    const bytes = blobsIn(image).reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    assert.equal(proxy.sentBytes(/\/blobs\//), bytes);
  });
});
