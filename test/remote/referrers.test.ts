import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestBytes } from '../../src/model/digest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { all } from '../contract/contract.ts';
import { type Answer, json } from '../support/fake-server.ts';
import { fails, fakeRegistry, repo } from './fake-registry.ts';

const next = (target: string): Record<string, string> => ({ link: `<${target}>; rel="next"` });
const config = { mediaType: mediaTypes.ociConfig, digest: await digestBytes(Buffer.from('{}')), size: 2 };
const subject = { mediaType: mediaTypes.ociManifest, digest: await digestBytes(Buffer.from('subject')), size: 7 };
const artifact = Buffer.from(
  JSON.stringify({
    mediaType: mediaTypes.ociManifest,
    artifactType: 'a/sbom',
    config,
    layers: [],
    subject,
    annotations: { k: 'v' },
  }),
);
const artifactDigest = await digestBytes(artifact);
const entry = { mediaType: mediaTypes.ociManifest, digest: artifactDigest, size: artifact.length };
const fallback = subject.digest.replace(':', '-');

function index(...manifests: readonly unknown[]): unknown {
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
}

describe('referrers at a remote registry', () => {
  const [one, two] = [
    { ...entry, artifactType: 'a/one' },
    { ...entry, digest: config.digest, artifactType: 'a/two' },
  ];

  it('are filtered here where the registry did not', async (t) => {
    const { registry, server } = await fakeRegistry(t, (_, response) =>
      json(response, 200, index(two, one, null, two)),
    );
    assert.deepEqual(await all(registry.referrers(repo, subject.digest, { artifactType: 'a/two' })), [two]);
    assert.equal(server.requests[0]?.query.get('artifactType'), 'a/two');
    assert.deepEqual(await all(registry.referrers(repo, subject.digest)), [one, two]);
    assert.deepEqual(await all(registry.referrers(repo, subject.digest, { after: one.digest, limit: 1 })), [two]);
  });

  it('are all taken where the registry did, and put in order over all pages', async (t) => {
    const applied = { 'oci-filters-applied': 'artifactType' };
    const { registry } = await fakeRegistry(t, ({ query }, response) =>
      query.has('page')
        ? json(response, 200, index({ ...entry }), applied)
        : json(response, 200, index(two), { ...applied, ...next('?page=2') }),
    );
    assert.deepEqual(await all(registry.referrers(repo, subject.digest, { artifactType: 'a/x' })), [entry, two]);
  });

  it('are refused when there is no end to them', async (t) => {
    const page = JSON.stringify(index({ ...one, annotations: { k: 'v'.repeat(4_000_000) } }));
    const { registry, server } = await fakeRegistry(t, ({ nth }, r) =>
      r.writeHead(200, next(`?page=${nth}`)).end(page),
    );
    await assert.rejects(all(registry.referrers(repo, subject.digest)), fails('TOO_LARGE', /no end to the list/));
    assert.equal(server.requests.length, 17);
  });

  it('come from the tag where the registry knows nothing of them', async (t) => {
    const tagged: Answer = ({ path }, response) =>
      path.endsWith(`/manifests/${fallback}`)
        ? json(response, 200, index(one, two), { 'content-type': mediaTypes.ociIndex })
        : response.writeHead(404).end();
    const { registry } = await fakeRegistry(t, tagged);
    assert.deepEqual(await all(registry.referrers(repo, subject.digest, { artifactType: 'a/one' })), [one]);
    const nothing = await fakeRegistry(t, (_, response) => response.writeHead(404).end());
    assert.deepEqual(await all(nothing.registry.referrers(repo, subject.digest)), []);
  });
});

/** A registry without the referrers API, with one repository. */
function oldRegistry(manifests: Map<string, { bytes: Buffer; type: string }>): Answer {
  return async ({ method, path, body, headers }, response) => {
    const reference = /\/manifests\/(.+)$/.exec(path)?.[1];
    if (reference === undefined) return response.writeHead(404).end();
    if (method === 'PUT') {
      manifests.set(reference, { bytes: body, type: headers['content-type'] ?? '' });
      return response.writeHead(201).end();
    }
    const found = manifests.get(reference);
    if (!found) return response.writeHead(404).end();
    if (method === 'DELETE') {
      manifests.delete(reference);
      return response.writeHead(202).end();
    }
    response.writeHead(200, { 'content-type': found.type, 'content-length': found.bytes.length }).end(found.bytes);
  };
}

describe('a manifest that speaks about another, at a registry without the referrers API', () => {
  it('is put into the list under the tag, once, and taken out when it is deleted', async (t) => {
    const manifests = new Map<string, { bytes: Buffer; type: string }>();
    const { registry } = await fakeRegistry(t, oldRegistry(manifests));
    const raw = { mediaType: mediaTypes.ociManifest, bytes: artifact };
    const second = { ...raw, bytes: Buffer.concat([artifact, Buffer.from('\n')]) };
    await Promise.all([registry.pushManifest(repo, raw), registry.pushManifest(repo, second)]);
    await registry.pushManifest(repo, raw);
    const expected = { ...entry, artifactType: 'a/sbom', annotations: { k: 'v' } };
    const listed = await all(registry.referrers(repo, subject.digest));
    assert.equal(listed.length, 2);
    assert.deepEqual(
      listed.find(({ digest }) => digest === artifactDigest),
      expected,
    );
    await registry.deleteManifest(repo, artifactDigest);
    const left = await all(registry.referrers(repo, subject.digest));
    assert.deepEqual(
      left.map(({ digest }) => digest),
      [await digestBytes(second.bytes)],
    );
  });

  it('is left to a registry that says it lists it', async (t) => {
    const { registry, server } = await fakeRegistry(t, (_, response) =>
      response.writeHead(201, { 'oci-subject': subject.digest }).end(),
    );
    await registry.pushManifest(repo, { mediaType: mediaTypes.ociManifest, bytes: artifact });
    assert.equal(server.requests.length, 1);
  });
});
