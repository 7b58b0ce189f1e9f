import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHostFacts } from '../../src/host-facts/host-facts.ts';
import { digestBytes } from '../../src/model/digest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { bytesSource } from '../../src/registry/content.ts';
import { type Answer, json } from '../support/fake-server.ts';
import { fakeRegistry, repo } from './fake-registry.ts';

const mountFrom = parseRepositoryName('team/base');
const tag = parseTag('1');
const bytes = Buffer.alloc(3 * 1024 * 1024, 'x');
const blob = { mediaType: 'a/b', digest: await digestBytes(bytes), size: bytes.length };
const source = bytesSource(blob, bytes);
const config = { mediaType: mediaTypes.ociConfig, digest: blob.digest, size: blob.size };
const manifest = Buffer.from(
  JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] }),
);

/** Two clients, one after the other, that share what is known of a host. */
async function twoRuns(t: Parameters<typeof fakeRegistry>[0], answer: Answer) {
  const facts = createHostFacts().of(new URL('https://registry.example.com'));
  const runs = [await fakeRegistry(t, answer, { facts }), await fakeRegistry(t, answer, { facts })] as const;
  return { facts, first: runs[0], second: runs[1] };
}

describe('what a client learns of a registry', () => {
  it('is that its HEAD does not answer as GET does: later runs use GET at once', async (t) => {
    const { facts, first, second } = await twoRuns(t, ({ method }, response) =>
      method === 'HEAD'
        ? response.writeHead(405).end()
        : response.writeHead(200, { 'content-type': mediaTypes.ociManifest }).end(manifest),
    );
    await first.registry.statManifest(repo, tag);
    assert.equal(facts.known.heads, false);
    await second.registry.statManifest(repo, tag);
    assert.deepEqual(
      [first, second].map(({ server }) => server.requests.map(({ method }) => method)),
      [['HEAD', 'GET'], ['GET']],
    );
  });

  it('is not that HEAD is useless, where it failed for the moment or rightly', async (t) => {
    let status = 503;
    let isThere = true;
    const { facts, first } = await twoRuns(t, ({ method }, response) => {
      if (method === 'HEAD' || !isThere) return response.writeHead(status).end();
      response.writeHead(200, { 'content-type': mediaTypes.ociManifest }).end(manifest);
    });
    await first.registry.statManifest(repo, tag);
    // The manifest came between the two requests, or one of several backends lacks it.
    for (status of [401, 403, 404]) {
      await first.registry.statManifest(repo, tag).catch(() => {});
      assert.equal(facts.known.heads, undefined);
    }
    status = 404;
    isThere = false;
    await assert.rejects(first.registry.statManifest(repo, tag));
    assert.equal(facts.known.heads, undefined);
  });

  it('is whether it mounts: where it does not, blobs are looked up first', async (t) => {
    let mounts = false;
    const { facts, first, second } = await twoRuns(t, ({ method, query }, response) => {
      if (method === 'HEAD') return response.writeHead(mounts ? 404 : 200).end();
      response.writeHead(mounts && query.has('mount') ? 201 : 202, { location: '/session' }).end();
    });
    const push = (run: typeof first) => run.registry.pushBlob(repo, blob, source, { mountFrom, mountFirst: true });
    await push(first);
    assert.equal(facts.known.mounts, false);
    assert.equal((await push(second)).outcome, 'exists');
    assert.deepEqual(
      second.server.requests.map(({ method }) => method),
      ['HEAD'],
    );
    // A wrong fact is corrected by the next mount.
    mounts = true;
    assert.equal((await push(second)).outcome, 'mounted');
    assert.equal(facts.known.mounts, true);
  });

  it('is the largest body that it takes: later runs send larger blobs in such pieces', async (t) => {
    const most = 2 * 1024 * 1024;
    let held = 0;
    const { facts, first, second } = await twoRuns(t, ({ method, headers }, response) => {
      const length = Number(headers['content-length'] ?? 0);
      if (length > most) return json(response, 413, {});
      if (method === 'HEAD' || method === 'DELETE') return response.writeHead(404).end();
      if (method === 'POST') held = 0;
      if (method === 'PATCH') held += length;
      response
        .writeHead(method === 'PUT' ? 201 : 202, { location: '/session', range: `0-${Math.max(held - 1, 0)}` })
        .end();
    });
    await first.registry.pushBlob(repo, blob, source);
    const learned = facts.known.maxBodyBytes ?? 0;
    assert.ok(learned > 0 && learned <= most, `${learned}`);
    await second.registry.pushBlob(repo, blob, source);
    const sent = second.server.requests.map(({ method }) => method).filter((method) => method !== 'HEAD');
    assert.deepEqual([sent[0], sent.at(-1)], ['POST', 'PUT']);
    assert.ok(
      sent.slice(1, -1).every((method) => method === 'PATCH'),
      sent.join(),
    );
  });
});
