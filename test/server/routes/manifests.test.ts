import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestBytes } from '../../../src/model/digest.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { ask, codeOf, latest, makeManifest, putBlob, repo, startServer } from '../client.ts';

const path = (reference: string): string => `/v2/${repo}/manifests/${reference}`;
const typed = { 'content-type': mediaTypes.ociManifest };

describe('a manifest over HTTP', () => {
  it('comes back byte for byte, by tag and by digest', async (t) => {
    const server = await startServer(t);
    const { bytes, descriptor } = await makeManifest(server.registry);
    const pushed = await ask(server, 'PUT', path('latest'), { headers: typed, body: bytes });
    assert.equal(pushed.status, 201);
    assert.equal(pushed.headers.location, path(descriptor.digest));
    assert.equal(pushed.headers['docker-content-digest'], descriptor.digest);
    assert.equal(pushed.body.length, 0);
    for (const reference of ['latest', descriptor.digest, descriptor.digest.replace(':', '%3A')]) {
      const got = await ask(server, 'GET', path(reference));
      assert.equal(got.status, 200);
      assert.deepEqual(got.body, bytes);
      const head = await ask(server, 'HEAD', path(reference));
      assert.equal(head.status, 200);
      assert.equal(head.body.length, 0);
      for (const { headers } of [got, head]) {
        assert.equal(headers['content-type'], mediaTypes.ociManifest);
        assert.equal(headers['content-length'], String(bytes.length));
        assert.equal(headers['docker-content-digest'], descriptor.digest);
        assert.equal(headers.etag, `"${descriptor.digest}"`);
      }
    }
  });

  it('is not sent to a client that has it', async (t) => {
    const server = await startServer(t);
    const manifest = await makeManifest(server.registry);
    await server.registry.pushManifest(repo, manifest, { tags: [latest] });
    const tag = `"${manifest.descriptor.digest}"`;
    const other = `"sha256:${'0'.repeat(64)}"`;
    for (const known of [tag, `W/${tag}`, `${other}, ${tag}`, '*']) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await ask(server, method, path('latest'), { headers: { 'if-none-match': known } });
        assert.equal(answer.status, 304, `${method} ${known}`);
        assert.equal(answer.body.length, 0);
        assert.equal(answer.headers.etag, tag);
      }
    }
    const changed = await ask(server, 'GET', path('latest'), { headers: { 'if-none-match': other } });
    assert.equal(changed.status, 200);
  });

  it('is a JSON object under a type of applications: anything else is refused', async (t) => {
    const server = await startServer(t);
    for (const [type, body] of [
      ['text/plain', 'garbage'],
      ['text/plain', '{"mediaType":"text/plain"}'],
      ['application/octet-stream', 'garbage'],
      ['application/vnd.example.thing+json', '["an array"]'],
      ['image/png', '{}'],
    ] as const) {
      const refused = await ask(server, 'PUT', path('latest'), { headers: { 'content-type': type }, body });
      assert.deepEqual([refused.status, codeOf(refused)], [400, 'MANIFEST_INVALID'], type);
    }
    for (const body of ['{"mediaType":"application/vnd.example.thing+json"}', '{"n":1}']) {
      const headers = { 'content-type': 'application/vnd.example.thing+json' };
      assert.equal((await ask(server, 'PUT', path('latest'), { headers, body })).status, 201);
    }
  });

  it('that is not there is 404', async (t) => {
    const server = await startServer(t);
    const absent = await ask(server, 'GET', path('latest'));
    assert.equal(absent.status, 404);
    assert.match(String(codeOf(absent)), /^(?:NAME|MANIFEST)_UNKNOWN$/);
    await server.registry.pushManifest(repo, await makeManifest(server.registry), { tags: [latest] });
    const unknown = await ask(server, 'GET', path('other'));
    assert.equal(unknown.status, 404);
    assert.equal(codeOf(unknown), 'MANIFEST_UNKNOWN');
    assert.equal((await ask(server, 'HEAD', path(`sha256:${'0'.repeat(64)}`))).status, 404);
  });

  it('pushed by digest may be tagged in the same request', async (t) => {
    const server = await startServer(t);
    const { bytes, descriptor } = await makeManifest(server.registry);
    const query = `${path(descriptor.digest)}?tag=one&tag=two`;
    const pushed = await ask(server, 'PUT', query, { headers: typed, body: bytes });
    assert.equal(pushed.status, 201);
    assert.equal(pushed.headers['oci-tag'], 'one, two');
    for (const tag of ['one', 'two']) {
      assert.equal((await server.registry.statManifest(repo, parseTag(tag))).digest, descriptor.digest);
    }
    const bad = await ask(server, 'PUT', `${path(descriptor.digest)}?tag=-bad`, { headers: typed, body: bytes });
    assert.equal(codeOf(bad), 'TAG_INVALID');
  });

  it('pushed under a digest that is not its own is 400, and is not kept', async (t) => {
    const server = await startServer(t);
    const { bytes } = await makeManifest(server.registry);
    const wrong = path(`sha256:${'0'.repeat(64)}`);
    for (const place of [wrong, path('sha256:bad')]) {
      const answer = await ask(server, 'PUT', place, { headers: typed, body: bytes });
      assert.equal(answer.status, 400);
      assert.equal(codeOf(answer), 'DIGEST_INVALID');
    }
    assert.equal((await ask(server, 'GET', wrong)).status, 404);
  });

  it('keeps the algorithm of the digest it is pushed under', async (t) => {
    const server = await startServer(t);
    const { bytes } = await makeManifest(server.registry);
    const digest = await digestBytes(bytes, 'sha512');
    const pushed = await ask(server, 'PUT', path(digest), { headers: typed, body: bytes });
    assert.equal(pushed.headers['docker-content-digest'], digest);
    assert.deepEqual((await ask(server, 'GET', path(digest))).body, bytes);
  });

  it('names its subject in the answer, and is found from there', async (t) => {
    const server = await startServer(t);
    const subject = { mediaType: mediaTypes.ociManifest, digest: `sha256:${'5'.repeat(64)}`, size: 7 };
    const { bytes, descriptor } = await makeManifest(server.registry, { subject, artifactType: 'a/b' });
    const pushed = await ask(server, 'PUT', path('signed'), { headers: typed, body: bytes });
    assert.equal(pushed.status, 201);
    assert.equal(pushed.headers['oci-subject'], subject.digest);
    const index = (await ask(server, 'GET', `/v2/${repo}/referrers/${subject.digest}`)).json();
    assert.deepEqual((index['manifests'] as { digest: string }[])[0]?.digest, descriptor.digest);
  });

  it('is refused if a blob that it names is missing, if it is malformed or has no type', async (t) => {
    const server = await startServer(t);
    const layer = { mediaType: mediaTypes.ociLayer, digest: `sha256:${'9'.repeat(64)}`, size: 9 };
    const missing = await makeManifest(server.registry, { layers: [layer] });
    const { bytes } = await makeManifest(server.registry);
    const cases: readonly (readonly [string, Uint8Array | string, string])[] = [
      [mediaTypes.ociManifest, missing.bytes, 'MANIFEST_BLOB_UNKNOWN'],
      [mediaTypes.ociManifest, '{', 'MANIFEST_INVALID'],
      [mediaTypes.ociManifest, '', 'MANIFEST_INVALID'],
      [mediaTypes.ociManifest, '[]', 'MANIFEST_INVALID'],
      [mediaTypes.ociIndex, bytes, 'MANIFEST_INVALID'],
      ['no type', bytes, 'MANIFEST_INVALID'],
      ['', '{}', 'MANIFEST_INVALID'],
    ];
    for (const [type, body, code] of cases) {
      const answer = await ask(server, 'PUT', path('latest'), { headers: { 'content-type': type }, body });
      assert.equal(answer.status, 400, `${type} ${code}`);
      assert.equal(codeOf(answer), code);
    }
    assert.equal((await ask(server, 'GET', path('latest'))).status, 404);
  });

  it('may come without a Content-Type or with parameters on it', async (t) => {
    const server = await startServer(t);
    const { bytes } = await makeManifest(server.registry);
    for (const headers of [{}, { 'content-type': `${mediaTypes.ociManifest}; charset=utf-8` }]) {
      assert.equal((await ask(server, 'PUT', path('latest'), { headers, body: bytes })).status, 201);
      assert.equal((await ask(server, 'HEAD', path('latest'))).headers['content-type'], mediaTypes.ociManifest);
    }
  });

  it('of 4 MB fits; past the limit it is 413, whether the length was announced or not', async (t) => {
    const server = await startServer(t);
    const padded = async (size: number): Promise<Uint8Array> =>
      (await makeManifest(server.registry, { annotations: { pad: 'x'.repeat(size) } })).bytes;
    const large = await padded(4_000_000);
    assert.equal((await ask(server, 'PUT', path('large'), { headers: typed, body: large })).status, 201);
    const small = await startServer(t, { maxManifestBytes: 1000 });
    const larger = await padded(2000);
    for (const headers of [typed, { ...typed, 'transfer-encoding': 'chunked' }]) {
      const answer = await ask(small, 'PUT', path('larger'), { headers, body: larger });
      assert.equal(answer.status, 413);
      assert.equal(codeOf(answer), 'SIZE_INVALID');
    }
  });

  it('is deleted by digest with its tags, by tag alone', async (t) => {
    const server = await startServer(t);
    const { bytes, descriptor } = await makeManifest(server.registry);
    for (const tag of ['one', 'two']) await ask(server, 'PUT', path(tag), { headers: typed, body: bytes });
    assert.equal((await ask(server, 'DELETE', path('one'))).status, 202);
    assert.equal((await ask(server, 'GET', path('one'))).status, 404);
    assert.equal((await ask(server, 'GET', path('two'))).status, 200);
    assert.equal((await ask(server, 'DELETE', path(descriptor.digest))).status, 202);
    for (const reference of ['two', descriptor.digest]) {
      assert.equal((await ask(server, 'GET', path(reference))).status, 404);
      assert.equal((await ask(server, 'DELETE', path(reference))).status, 404);
    }
  });

  it('cannot be deleted where deletes are off', async (t) => {
    const server = await startServer(t, { deletes: false });
    const manifest = await makeManifest(server.registry);
    await server.registry.pushManifest(repo, manifest, { tags: [latest] });
    const blob = await putBlob(server.registry, Buffer.from('x'));
    for (const place of [path('latest'), path(manifest.descriptor.digest), `/v2/${repo}/blobs/${blob.digest}`]) {
      const answer = await ask(server, 'DELETE', place);
      assert.equal(answer.status, 405);
      assert.equal(codeOf(answer), 'UNSUPPORTED');
      assert.equal((await ask(server, 'GET', place)).status, 200);
    }
  });
});
