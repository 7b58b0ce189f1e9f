import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { buildIndex, pushImage } from '../../support/images.ts';
import { startServe } from '../../support/registries.ts';
import { app, imageFor, one } from '../copy/places.ts';

describe('ocictl index list', () => {
  it('prints a line for each entry', async (t) => {
    const [amd64, windows] = [await imageFor('amd64'), await imageFor('arm64')];
    const child = {
      ...windows,
      descriptor: {
        ...windows.descriptor,
        platform: { os: 'windows', architecture: 'arm64', osVersion: '10.0.1' },
        annotations: { a: '1', b: 'x\ty' },
      },
    };
    const index = await buildIndex([amd64, child]);
    const { registry, host } = await startServe(t);
    await pushImage(registry, app, one, index);
    const { exitCode, stdout, stderr } = await ocictl(t, ['index', 'list', `${host}/team/app:1`]);
    assert.equal(exitCode, 0, stderr);
    const { digest, size, mediaType } = amd64.descriptor;
    const lines = stdout.split('\n');
    assert.equal(lines[0], [digest, size, 'linux/amd64', mediaType, '-'].join('\t'));
    assert.equal(lines[1]?.split('\t')[4], 'a=1,b=x\\u{9}y');
    const json = JSON.parse((await ocictl(t, ['index', 'list', '--json', `${host}/team/app:1`])).stdout);
    assert.equal(json.digest, index.descriptor.digest);
    assert.deepEqual(json.manifests[1].platform, { architecture: 'arm64', os: 'windows', 'os.version': '10.0.1' });
    assert.equal(json.manifests[0].reference, `${host}/team/app@${digest}`);
  });

  it('refuses what is no index', async (t) => {
    const { registry, host } = await startServe(t);
    await pushImage(registry, app, parseTag('2'), await imageFor('amd64'));
    const { exitCode, stdout, stderr } = await ocictl(t, ['index', 'list', `${host}/team/app:2`]);
    assert.deepEqual([exitCode, stdout], [1, '']);
    assert.match(stderr, /is no index: it has the type "application\/vnd\.oci\.image\.manifest/);
  });
});
