import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fallbackTag } from '../../../src/registry/referrers.ts';
import { all } from '../../contract/contract.ts';
import { type Answer, json } from '../../support/fake-server.ts';
import { type Built, buildArtifact, buildImage } from '../../support/images.ts';
import { fails, fakeRegistry, repo } from '../fake-registry.ts';

const image = await buildImage({ layers: [] });
const subject = image.descriptor.digest;
const [ours, theirs] = [
  await buildArtifact({ artifactType: 'a/ours', subject: image.descriptor }),
  await buildArtifact({ artifactType: 'a/theirs', subject: image.descriptor }),
];
const type = 'application/vnd.oci.image.index.v1+json';

/** A registry that has one list, and calls back before it stores another. */
function listing(
  list: { text: string | undefined },
  onPut: (nth: number) => number | undefined = () => undefined,
): Answer {
  let puts = 0;
  return ({ method, path, body }, response) => {
    if (!path.endsWith(`/manifests/${fallbackTag(subject)}`)) {
      return response.writeHead(method === 'PUT' ? 201 : 404).end();
    }
    if (method === 'PUT') {
      puts += 1;
      const refused = onPut(puts);
      if (refused !== undefined)
        return json(response, refused, { errors: [{ code: 'UNSUPPORTED', message: 'no such tags' }] });
      list.text = body.toString();
      return response.writeHead(201).end();
    }
    if (list.text === undefined) return response.writeHead(404).end();
    return response
      .writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(list.text) })
      .end(list.text);
  };
}

const listOf = (...entries: readonly unknown[]): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: type, manifests: entries });
const digestsIn = (text: string | undefined): readonly string[] =>
  JSON.parse(text ?? '{}').manifests.map(({ digest }: { digest: string }) => digest);
const digestOf = ({ descriptor }: Built): string => descriptor.digest;

describe('a list of referrers that clients maintain', () => {
  it('keeps what others wrote into it, fields that are unknown here too', async (t) => {
    const foreign = { ...theirs.descriptor, x: { y: 1 }, platform: { os: 'unknown', architecture: 'unknown' } };
    const before = {
      schemaVersion: 2,
      mediaType: type,
      manifests: [foreign],
      annotations: { a: 'b' },
      z: [1],
    };
    const list = { text: JSON.stringify(before) };
    const { registry } = await fakeRegistry(t, listing(list));
    await registry.pushManifest(repo, ours.manifest);
    const { manifests, ...rest } = JSON.parse(list.text);
    assert.deepEqual(manifests.slice(0, 1), before.manifests);
    assert.equal(manifests[1].digest, digestOf(ours));
    assert.deepEqual(rest, { schemaVersion: 2, mediaType: type, annotations: { a: 'b' }, z: [1] });
  });

  it('is written again when another client overwrote it', async (t) => {
    const list: { text: string | undefined } = { text: undefined };
    const answer = listing(list);
    let lost = 0;
    const { registry } = await fakeRegistry(t, async (request, response, incoming) => {
      const isList = request.path.endsWith(fallbackTag(subject));
      // The other client had read the list before ours was in it.
      if (isList && request.method === 'GET' && digestsOrNone(list.text).includes(digestOf(ours)) && lost < 2) {
        lost += 1;
        list.text = listOf(theirs.descriptor);
      }
      return answer(request, response, incoming);
    });
    await registry.pushManifest(repo, ours.manifest);
    assert.equal(lost, 2);
    assert.deepEqual(digestsIn(list.text), [digestOf(theirs), digestOf(ours)]);
  });

  it('loses entries whose manifests are gone where the registry refuses a list with them', async (t) => {
    const gone = { ...theirs.descriptor, digest: image.descriptor.digest };
    const list: { text: string | undefined } = { text: listOf(gone, theirs.descriptor) };
    const answer = listing(list);
    const { registry } = await fakeRegistry(t, ({ method, path, body, ...request }, response, incoming) => {
      if (method === 'PUT' && path.endsWith(fallbackTag(subject)) && digestsIn(body.toString()).includes(gone.digest)) {
        return json(response, 400, {
          errors: [{ code: 'MANIFEST_BLOB_UNKNOWN', message: 'blob unknown to registry' }],
        });
      }
      const { mediaType, bytes } = theirs.manifest;
      if (method !== 'PUT' && path.endsWith(digestOf(theirs))) {
        response.writeHead(200, { 'content-type': mediaType, 'content-length': bytes.length });
        return response.end(method === 'HEAD' ? undefined : bytes);
      }
      return answer({ method, path, body, ...request }, response, incoming);
    });
    await registry.pushManifest(repo, ours.manifest);
    assert.deepEqual(digestsIn(list.text), [digestOf(theirs), digestOf(ours)]);
  });

  it('is given up when others overwrite it again and again', async (t) => {
    const list = { text: listOf(theirs.descriptor) };
    const answer = listing(list);
    const { registry } = await fakeRegistry(t, (request, response, incoming) => {
      if (request.method === 'GET') list.text = listOf(theirs.descriptor);
      return answer(request, response, incoming);
    });
    await assert.rejects(
      registry.pushManifest(repo, ours.manifest),
      fails('UNAVAILABLE', /was stored, but not listed/),
    );
  });

  it('tells what is stored when the registry refuses the tag', async (t) => {
    const list: { text: string | undefined } = { text: undefined };
    const { registry } = await fakeRegistry(
      t,
      listing(list, () => 405),
    );
    await assert.rejects(
      registry.pushManifest(repo, ours.manifest),
      fails('UNSUPPORTED', new RegExp(`^${digestOf(ours)} was stored, but not listed as referring to ${subject}: `)),
    );
  });

  it('is not written over something else under its tag, except the image itself', async (t) => {
    const other: Answer = ({ method, path }, response) => {
      if (method === 'PUT') return response.writeHead(201).end();
      if (!path.includes('/manifests/')) return response.writeHead(404).end();
      const { mediaType, bytes } = theirs.manifest;
      return response.writeHead(200, { 'content-type': mediaType, 'content-length': bytes.length }).end(bytes);
    };
    const { registry, server } = await fakeRegistry(t, other);
    await assert.rejects(
      registry.pushManifest(repo, ours.manifest),
      fails('MANIFEST_INVALID', /is not the index it should be/, /ocictl inspect/),
    );
    assert.equal(server.lines.filter((line) => line.startsWith('PUT')).length, 1);
    assert.deepEqual(await all(registry.referrers(repo, subject)), []);
  });
});

function digestsOrNone(text: string | undefined): readonly string[] {
  return text === undefined ? [] : digestsIn(text);
}
