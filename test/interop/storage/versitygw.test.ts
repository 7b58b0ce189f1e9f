import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { distributionStorage, startVersitygw } from '../../support/programs/versitygw.ts';
import { needs, startDockerRegistry } from '../../support/programs.ts';
import { openRemote } from '../../support/remotes.ts';

const [repo, tag] = [parseRepositoryName('team/app'), parseTag('1')];

describe('the object store of the tests', () => {
  for (const distribution of [2, 3] as const) {
    it(`keeps what distribution ${distribution} stores, also behind a proxy that disturbs it`, async (t) => {
      if (!needs(t, 'versitygw', distribution === 2 ? 'docker-registry' : 'registry')) return;
      const gateway = await startVersitygw(t);
      const proxy = await startFaultProxy(t, gateway.url);
      const storage = distributionStorage({ ...gateway, url: proxy.url }, 'prefix');
      const { url } = await startDockerRegistry(t, { distribution, storage });
      const image = await buildImage({ layers: [{ files: { app: 'kept' } }] });
      proxy.fail({ method: 'PUT', status: 503, times: 1, body: '<Error><Code>SlowDown</Code></Error>' });
      await pushImage(openRemote(t, url), repo, tag, image);
      const descriptor = await openRemote(t, url).statManifest(repo, tag);
      assert.equal(descriptor.digest, image.descriptor.digest);
      assert.deepEqual(
        (await readdir(gateway.directory)).filter((name) => !name.startsWith('.')),
        ['prefix'],
      );
      const put = (await gateway.requests()).filter(({ operation }) => operation === 'PutObject');
      assert.ok(put.some(({ path }) => path.endsWith('/team/app/_manifests/tags/1/current/link')));
      assert.equal(proxy.requests.filter(({ status }) => status === 503).length, 1);
    });
  }
});
