import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestBytes } from '../../src/model/digest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parseTag } from '../../src/model/reference/reference.ts';
import type { Answer } from '../support/fake-server.ts';
import { json } from '../support/fake-server.ts';
import { fails, fakeRegistry, repo } from './fake-registry.ts';

const latest = parseTag('latest');
const config = { mediaType: mediaTypes.ociConfig, digest: await digestBytes(Buffer.from('{}')), size: 2 };
const document = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] };
const bytes = Buffer.from(JSON.stringify(document));
const digest = await digestBytes(bytes);
const sha512 = await digestBytes(bytes, 'sha512');
const otherDigest = await digestBytes(Buffer.from('other'));

function serving(headers: Record<string, string> = {}, body: Uint8Array = bytes): Answer {
  return ({ method }, response) => {
    const type = { 'content-type': mediaTypes.ociManifest };
    response.writeHead(200, { ...type, 'content-length': String(body.length), ...headers });
    response.end(method === 'HEAD' ? undefined : body);
  };
}

describe('a manifest from a remote registry', () => {
  it('is found by HEAD alone', async (t) => {
    const { registry, server } = await fakeRegistry(t, serving({ 'docker-content-digest': digest }));
    const descriptor = await registry.statManifest(repo, latest);
    assert.deepEqual(descriptor, { mediaType: mediaTypes.ociManifest, digest, size: bytes.length });
    assert.deepEqual(server.lines, ['HEAD /v2/team/app/manifests/latest']);
    assert.match(server.requests[0]?.headers.accept ?? '', /image\.index\.v1\+json/);
    assert.doesNotMatch(server.requests[0]?.headers.accept ?? '', /distribution\.manifest\.v1/);
  });

  for (const [what, answer] of [
    [
      'is unsupported',
      (request, response, incoming) =>
        request.method === 'HEAD' ? response.writeHead(405).end() : ok(request, response, incoming),
    ],
    [
      'is a bad request',
      (request, response, incoming) =>
        request.method === 'HEAD' ? response.writeHead(400).end() : ok(request, response, incoming),
    ],
    ['lacks the digest', serving()],
    [
      'lacks the type',
      ({ method }, response) =>
        response
          .writeHead(200, { 'docker-content-digest': digest, 'content-length': bytes.length })
          .end(method === 'HEAD' ? undefined : bytes),
    ],
    [
      'lacks the length',
      (request, response, incoming) =>
        request.method === 'HEAD'
          ? response.writeHead(200, { 'content-type': mediaTypes.ociManifest, 'docker-content-digest': digest }).end()
          : ok(request, response, incoming),
    ],
  ] as readonly (readonly [string, Answer])[]) {
    it(`is got by GET where HEAD ${what}`, async (t) => {
      const { registry, server } = await fakeRegistry(t, answer);
      const descriptor = await registry.statManifest(repo, latest);
      assert.deepEqual(descriptor, { mediaType: mediaTypes.ociManifest, digest, size: bytes.length });
      assert.deepEqual(
        server.requests.map(({ method }) => method),
        ['HEAD', 'GET'],
      );
    });
  }

  it('is taken with parameters in its type, or without a type', async (t) => {
    const types = [
      { 'content-type': `${mediaTypes.ociManifest}; charset=utf-8` },
      { 'content-type': 'application/json' },
    ];
    for (const headers of types) {
      const { registry } = await fakeRegistry(t, serving(headers));
      assert.equal((await registry.getManifest(repo, latest)).mediaType, mediaTypes.ociManifest);
    }
  });

  it('is refused with a type that is none', async (t) => {
    for (const type of ['nonsense', 'a/b/c', '/json', 'a/', 'a b/c', 'a/b\u009b31m', 'a/"b"', `a/${'x'.repeat(128)}`]) {
      const { registry } = await fakeRegistry(t, serving({ 'content-type': type, 'docker-content-digest': digest }));
      for (const asked of [registry.getManifest(repo, latest), registry.statManifest(repo, latest)]) {
        await assert.rejects(asked, fails('PROTOCOL', /a Content-Type that is not a media type: refused$/), type);
      }
    }
    const { registry } = await fakeRegistry(
      t,
      serving({ 'content-type': 'Application/vnd.x_y-z.v1+json;v=1', 'docker-content-digest': digest }),
    );
    assert.equal((await registry.statManifest(repo, latest)).mediaType, 'application/vnd.x_y-z.v1+json');
  });

  it('is refused when it is another than asked for, whatever the header says', async (t) => {
    for (const headers of [{}, { 'docker-content-digest': otherDigest }]) {
      const { registry } = await fakeRegistry(t, serving(headers));
      await assert.rejects(registry.getManifest(repo, otherDigest), fails('DIGEST_MISMATCH'));
    }
  });

  it('is refused when its header names another digest', async (t) => {
    const { registry } = await fakeRegistry(t, serving({ 'docker-content-digest': otherDigest }));
    for (const reference of [latest, digest]) {
      await assert.rejects(registry.getManifest(repo, reference), fails('DIGEST_MISMATCH'));
    }
  });

  it('by sha512 is compared with its body, not with a header of another algorithm', async (t) => {
    const { registry } = await fakeRegistry(t, serving({ 'docker-content-digest': digest }));
    assert.equal((await registry.getManifest(repo, sha512)).descriptor.digest, sha512);
    assert.equal((await registry.statManifest(repo, sha512)).digest, sha512);
  });

  it('of 10 MB is not read', async (t) => {
    const { registry } = await fakeRegistry(t, serving({}, Buffer.alloc(10_000_000)));
    await assert.rejects(registry.getManifest(repo, latest), fails('TOO_LARGE', /larger than the 4194304 bytes/));
  });

  it('without an end is not read to it', async (t) => {
    const { registry } = await fakeRegistry(
      t,
      (_, response) => {
        response.writeHead(200, { 'content-type': mediaTypes.ociManifest });
        const timer = setInterval(() => response.write(Buffer.alloc(100_000, 0x20)), 1);
        response.on('close', () => clearInterval(timer));
      },
      { maxManifestBytes: 1_000_000 },
    );
    await assert.rejects(registry.getManifest(repo, latest), fails('TOO_LARGE', /larger than the 1000000 bytes/));
  });

  it('that is a web page is none', async (t) => {
    const { registry } = await fakeRegistry(t, serving({ 'content-type': 'text/html' }, Buffer.from('<html>')));
    await assert.rejects(registry.getManifest(repo, latest), fails('PROTOCOL', /a web page/));
  });

  it('that says it is an index and is sent as an image is refused', async (t) => {
    const index = Buffer.from(JSON.stringify({ mediaType: mediaTypes.ociIndex, manifests: [] }));
    const { registry } = await fakeRegistry(t, serving({}, index));
    await assert.rejects(registry.getManifest(repo, latest), fails('MANIFEST_INVALID'));
  });

  it('that has not changed is not sent', async (t) => {
    const { registry, server } = await fakeRegistry(t, (_, response) => response.writeHead(304).end());
    await assert.rejects(registry.getManifest(repo, latest, { ifNoneMatch: digest }), fails('NOT_MODIFIED'));
    assert.equal(server.requests[0]?.headers['if-none-match'], `"${digest}"`);
    for (const headers of [{}, { 'docker-content-digest': digest }]) {
      const deaf = await fakeRegistry(t, serving(headers));
      await assert.rejects(deaf.registry.getManifest(repo, latest, { ifNoneMatch: digest }), fails('NOT_MODIFIED'));
    }
  });

  it('that is unknown is said in the words scripts know', async (t) => {
    const errors = [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }];
    const answer: Answer = (_, response) => json(response, 404, { errors });
    const hub = await fakeRegistry(t, answer, { name: 'docker.io' });
    const text = /^manifest for team\/app:latest not found: manifest unknown$/;
    await assert.rejects(hub.registry.getManifest(repo, latest), fails('MANIFEST_UNKNOWN', text));
    const bare = await fakeRegistry(t, (_, response) => response.writeHead(404).end('<html>'), { name: 'r.example' });
    const other = /^manifest for r\.example\/team\/app@sha256:\w+ not found: manifest unknown: 404 from http:/;
    await assert.rejects(bare.registry.statManifest(repo, digest), fails('MANIFEST_UNKNOWN', other));
  });

  it('that is denied is said in the words scripts know', async (t) => {
    for (const status of [401, 403]) {
      const errors = [{ code: 'DENIED', message: 'requested access\u001b[31m is denied' }];
      const { registry } = await fakeRegistry(t, (_, response) => json(response, status, { errors }), {
        name: 'docker.io',
      });
      const text =
        /^pull access denied for team\/app, repository does not exist or may require 'ocictl login': requested access \[31m is denied$/;
      await assert.rejects(registry.getManifest(repo, latest), fails('DENIED', text, /'ocictl login'/));
    }
  });

  it('asked for too often says so', async (t) => {
    const errors = [{ code: 'TOOMANYREQUESTS', message: 'You have reached your pull rate limit' }];
    const { registry } = await fakeRegistry(t, (_, response) => json(response, 429, { errors }));
    const text = /^toomanyrequests: You have reached/;
    await assert.rejects(registry.getManifest(repo, latest), fails('TOOMANYREQUESTS', text, /ocictl login/));
  });

  it('carries warnings, which are told once and cannot write to the terminal', async (t) => {
    const warnings: string[] = [];
    const warning = '299 - "old \u0007 client", 299 - "and more"';
    const { registry } = await fakeRegistry(
      t,
      serving({ warning: Buffer.from(warning).toString('latin1').replace('\u0007', '') }),
      {
        onWarning: (text) => void warnings.push(text),
      },
    );
    await registry.getManifest(repo, latest);
    await registry.getManifest(repo, latest);
    assert.deepEqual(warnings, ['old  client', 'and more']);
  });

  it('whose body breaks is asked for again', async (t) => {
    const { registry, server } = await fakeRegistry(t, (request, response, incoming) => {
      if (request.nth > 0) return ok(request, response, incoming);
      response.writeHead(200, { 'content-type': mediaTypes.ociManifest, 'content-length': bytes.length });
      response.write(bytes.subarray(0, 7));
      setTimeout(() => response.destroy(), 20);
    });
    assert.equal((await registry.getManifest(repo, latest)).descriptor.digest, digest);
    assert.equal(server.lines.length, 2);
  });

  it('is asked for with the name of the registry a mirror stands in for', async (t) => {
    const { registry, server } = await fakeRegistry(t, serving(), { nsQuery: 'docker.io' });
    await registry.getManifest(repo, latest);
    assert.equal(server.requests[0]?.query.get('ns'), 'docker.io');
  });
});

describe('a manifest to a remote registry', () => {
  const raw = { mediaType: mediaTypes.ociManifest, bytes };

  it('is put under each tag, byte for byte', async (t) => {
    const { registry, server } = await fakeRegistry(t, (_, response) => response.writeHead(201).end());
    const tags = ['1', '2'].map(parseTag);
    assert.deepEqual(await registry.pushManifest(repo, raw, { tags }), {
      mediaType: raw.mediaType,
      digest,
      size: bytes.length,
    });
    assert.deepEqual(server.lines, ['PUT /v2/team/app/manifests/1', 'PUT /v2/team/app/manifests/2']);
    assert.deepEqual(server.requests[0]?.body, bytes);
    assert.equal(server.requests[0]?.headers['content-type'], raw.mediaType);
  });

  it('of sha512 goes under its digest, with the tags in one request where that works', async (t) => {
    const { registry, server } = await fakeRegistry(t, (_, response) =>
      response.writeHead(201, { 'oci-tag': '1' }).end(),
    );
    await registry.pushManifest(repo, raw, { tags: ['1', '2'].map(parseTag), digest: sha512 });
    assert.deepEqual(server.lines, [`PUT /v2/team/app/manifests/${sha512}`, 'PUT /v2/team/app/manifests/2']);
    assert.deepEqual(server.requests[0]?.query.getAll('tag'), ['1', '2']);
  });

  it('is compared with what the registry says it stored', async (t) => {
    const { registry } = await fakeRegistry(t, (_, r) =>
      r.writeHead(201, { 'docker-content-digest': otherDigest }).end(),
    );
    await assert.rejects(registry.pushManifest(repo, raw), fails('DIGEST_MISMATCH'));
  });

  it('is not put where its digest is not the one that was given', async (t) => {
    const { registry, server } = await fakeRegistry(t, (_, response) => response.writeHead(201).end());
    await assert.rejects(registry.pushManifest(repo, raw, { digest: otherDigest }), fails('DIGEST_MISMATCH'));
    assert.deepEqual(server.lines, []);
  });

  it('is put again after a 503', async (t) => {
    const { registry, server } = await fakeRegistry(t, ({ nth }, response) =>
      response.writeHead(nth === 0 ? 503 : 201).end(),
    );
    await registry.pushManifest(repo, raw);
    assert.equal(server.requests.length, 2);
  });

  it('is put again where the registry read a digest that another client was just writing', async (t) => {
    const errors = [{ code: 'DIGEST_INVALID', message: 'provided digest did not match uploaded content' }];
    const { registry, server } = await fakeRegistry(t, ({ nth }, response) =>
      nth < 2 ? json(response, 400, { errors }) : response.writeHead(201).end(),
    );
    await registry.pushManifest(repo, raw, { tags: [latest] });
    assert.equal(server.requests.length, 3);
    const { registry: strict, server: refusing } = await fakeRegistry(t, (_, response) =>
      json(response, 400, { errors }),
    );
    await assert.rejects(strict.pushManifest(repo, raw, { tags: [latest] }), fails('DIGEST_INVALID'));
    assert.equal(refusing.requests.length, 4);
    await assert.rejects(strict.pushManifest(repo, raw, { digest: sha512 }), fails('DIGEST_INVALID'));
    assert.equal(refusing.requests.length, 5, 'an algorithm that it does not know stays unknown');
  });

  it('that may not be put says so', async (t) => {
    const { registry } = await fakeRegistry(t, (_, response) =>
      json(response, 403, { errors: [{ code: 'DENIED', message: 'no' }] }),
    );
    await assert.rejects(
      registry.pushManifest(repo, raw),
      fails('DENIED', /^push access denied for .*team\/app: no$/, /ocictl login/),
    );
  });
});

const ok: Answer = (request, response, incoming) =>
  serving({ 'docker-content-digest': digest })(request, response, incoming);
