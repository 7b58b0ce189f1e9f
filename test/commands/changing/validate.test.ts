import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { buildBlob, buildLayer } from '../../support/layer.ts';
import { app, buildDemoIndex, one } from '../copy/places.ts';
import { startChanging } from './changed.ts';

describe('ocictl validate', () => {
  it('finds nothing wrong with what is right, in every place', async (t) => {
    const { registry, name, proxy } = await startChanging(t);
    await pushImage(registry, app, one, (await buildDemoIndex()).index);
    for (const place of ['oci:dir:1', 'oci-archive:a.tar', 'store:kept:1']) {
      assert.equal((await ocictl(t, ['copy', '-q', `${name}:1`, place])).exitCode, 0);
    }
    await ocictl(t, ['pull', '-q', '--platform', 'linux/arm64', `${name}:1`]);
    for (const place of [`${name}:1`, 'oci:dir:1', 'oci-archive:a.tar', 'store:kept:1', `store:${name}:1`]) {
      const { exitCode, stdout, stderr } = await ocictl(t, ['validate', place]);
      assert.equal(exitCode, 0, `${stdout}${stderr}`);
      assert.match(stdout, /^Valid: /);
    }
    const from = proxy.requests.length;
    assert.equal((await ocictl(t, ['validate', '--fast', '-q', `${name}:1`])).stdout, '');
    const read = proxy.requests.slice(from).filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'));
    assert.equal(read.length, 3, 'the configs alone');
  });

  it('names each fault', async (t) => {
    const { registry, name } = await startChanging(t);
    const good = await buildLayer({ files: { a: 'a' } });
    const other = await buildLayer({ files: { b: 'b' } });
    const text = await buildBlob('no tar archive', mediaTypes.ociLayer);
    const wrongDiffId = await buildImage({
      layers: [
        { ...good, diffId: other.diffId },
        { ...text, diffId: text.descriptor.digest },
      ],
    });
    const gone = await buildImage({ layers: [other], platform: { os: 'linux', architecture: 'arm64' } });
    const misnamed = { ...gone, descriptor: { ...gone.descriptor, platform: { os: 'linux', architecture: 's390x' } } };
    await pushImage(registry, app, one, await buildIndex([wrongDiffId, misnamed]));
    await registry.deleteBlob(app, other.descriptor.digest);
    const { exitCode, stdout, stderr } = await ocictl(t, ['validate', `${name}:1`]);
    assert.equal(exitCode, 7, stderr);
    const said = [
      /unpacks to sha256:\w+, and the config says/,
      /is no tar archive/,
      /unknown|no blob|not/,
      /is for linux\/arm64, and its index says linux\/s390x/,
    ];
    const lines = stdout.trimEnd().split('\n');
    assert.equal(lines.length, said.length, stdout);
    for (const one of said)
      assert.ok(
        lines.some((line) => one.test(line)),
        `${one}\n${stdout}`,
      );
    assert.match(stderr, /has 4 faults/);
    const json = await ocictl(t, ['validate', '--fast', '--json', `${name}:1`]);
    const { valid, faults } = JSON.parse(json.stdout);
    assert.deepEqual([json.exitCode, valid, faults.length], [7, false, 2]);
    assert.equal((await ocictl(t, ['validate', `${name}:none`])).exitCode, 3);
    assert.ok(parseTag('1'));
  });
});
