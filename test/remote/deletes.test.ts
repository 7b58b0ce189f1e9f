import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestBytes } from '../../src/model/digest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parseTag } from '../../src/model/reference/reference.ts';
import { json } from '../support/fake-server.ts';
import { fails, fakeRegistry, repo } from './fake-registry.ts';

const subject = { mediaType: mediaTypes.ociManifest, digest: await digestBytes(Buffer.from('subject')), size: 7 };

describe('deletes at a remote registry', () => {
  const tag = parseTag('old');

  for (const status of [200, 202, 204]) {
    it(`are done with a ${status}`, async (t) => {
      const { registry, server } = await fakeRegistry(t, (_, response) => response.writeHead(status).end());
      await registry.deleteTag(repo, tag);
      await registry.deleteBlob(repo, subject.digest);
      assert.deepEqual(server.lines, [
        'DELETE /v2/team/app/manifests/old',
        `DELETE /v2/team/app/blobs/${subject.digest}`,
      ]);
    });
  }

  it('that are turned off say so', async (t) => {
    const { registry } = await fakeRegistry(t, ({ method }, response) =>
      response.writeHead(method === 'DELETE' ? 405 : 404).end(),
    );
    await assert.rejects(
      registry.deleteBlob(repo, subject.digest),
      fails('UNSUPPORTED', /does not delete/, /deletes are disabled/),
    );
    await assert.rejects(registry.deleteTag(repo, tag), fails('UNSUPPORTED', /./, /by its digest/));
  });

  it('of a tag alone are not known to docker-registry 2.8', async (t) => {
    const errors = [{ code: 'DIGEST_INVALID', message: 'provided digest did not match' }];
    const { registry } = await fakeRegistry(t, (_, response) => json(response, 400, { errors }));
    await assert.rejects(registry.deleteTag(repo, tag), fails('UNSUPPORTED', /./, /by its digest/));
  });

  it('of what is not there say so', async (t) => {
    const { registry } = await fakeRegistry(t, (_, response) => response.writeHead(404).end());
    await assert.rejects(registry.deleteTag(repo, tag), fails('MANIFEST_UNKNOWN'));
    await assert.rejects(registry.deleteManifest(repo, subject.digest), fails('MANIFEST_UNKNOWN'));
    await assert.rejects(registry.deleteBlob(repo, subject.digest), fails('BLOB_UNKNOWN'));
  });
});

describe('a ping', () => {
  it('tells the challenges of a 401, without answering them', async (t) => {
    const { registry, server } = await fakeRegistry(t, (_, response) =>
      response
        .writeHead(
          401,
          [
            ['WWW-Authenticate', 'Bearer realm="https://auth.example/token",service="s"'],
            ['WWW-Authenticate', 'Basic realm="r"'],
            ['Docker-Distribution-API-Version', 'registry/2.0'],
          ].flat(),
        )
        .end(),
    );
    const result = await registry.ping();
    assert.equal(result.authorized, false);
    assert.equal(result.apiVersion, 'registry/2.0');
    assert.deepEqual(
      result.challenges.map(({ scheme }) => scheme),
      ['bearer', 'basic'],
    );
    assert.deepEqual(server.lines, ['GET /v2/']);
  });

  it('fails where there is no registry', async (t) => {
    const { registry } = await fakeRegistry(t, (_, response) => response.writeHead(404).end('<html>'));
    await assert.rejects(registry.ping(), fails('PROTOCOL', /does not answer as a registry/));
  });
});
