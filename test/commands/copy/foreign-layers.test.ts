import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { buildImage } from '../../support/images.ts';
import { buildLayer } from '../../support/layer.ts';
import { writeLayout } from '../../support/layout.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox, temporaryDirectory } from '../../support/sandbox.ts';

const mediaType = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
const app = parseRepositoryName('app');

async function startLayout(t: TestContext) {
  const layer = await buildLayer({ files: { licence: 'not for everybody' } });
  const foreign = { ...layer, descriptor: { ...layer.descriptor, mediaType } };
  const image = await buildImage({ layers: [{ files: { own: 'own' } }, foreign] });
  const layout = await temporaryDirectory(t);
  await writeLayout(layout, '1', image);
  return { name: `oci:${layout}:1`, digest: layer.descriptor.digest };
}

describe('layers that only their owner may give away', () => {
  for (const allowed of [false, true]) {
    it(`are ${allowed ? 'pushed where' : 'not pushed unless'} allow-nondistributable-artifacts names the registry`, async (t) => {
      const { name, digest } = await startLayout(t);
      const server = await startServe(t);
      const { daemonJson } = await sandbox(t);
      const registries = allowed ? ['127.0.0.0/8'] : ['10.0.0.0/8', 'registry.example.com'];
      await writeFile(daemonJson, JSON.stringify({ 'allow-nondistributable-artifacts': registries }));
      const there = () =>
        server.registry.statBlob(app, digest).then(
          () => true,
          () => false,
        );
      const copied = await ocictl(t, ['copy', '-q', name, `${server.host}/app:1`]);
      assert.equal(copied.exitCode, 0, copied.stderr);
      assert.equal(await there(), allowed);

      const other = parseRepositoryName('other');
      await ocictl(t, ['copy', '-q', name, `store:${server.host}/other:1`]);
      const pushed = await ocictl(t, ['push', `${server.host}/other:1`]);
      assert.equal(pushed.exitCode, 0, pushed.stderr);
      assert.equal(/Skipped foreign layer/.test(pushed.stdout), !allowed);
      const found = await server.registry.statBlob(other, digest).then(
        () => true,
        () => false,
      );
      assert.equal(found, allowed);
    });
  }
});
