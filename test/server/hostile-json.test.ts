import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { maxJsonDepth } from '../../src/model/json.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { ask, latest, makeManifest, repo, startServer } from './client.ts';

const path = `/v2/${repo}/manifests/${latest}`;

describe('a manifest that is meant to harm', () => {
  it('is not parsed where it nests deep', async (t) => {
    const server = await startServer(t);
    const parser = t.mock.method(JSON, 'parse');
    for (const type of [mediaTypes.ociManifest, mediaTypes.ociIndex, 'application/x-other', undefined]) {
      for (const body of ['['.repeat(2_000_000), `{"a":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`]) {
        const headers = type === undefined ? {} : { 'content-type': type };
        const { status, body: said } = await ask(server, 'PUT', path, { headers, body });
        assert.equal(status, 400);
        if (type === 'application/x-other') assert.match(said.toString(), /is not a JSON object/);
        else assert.match(said.toString(), new RegExp(`nested deeper than ${maxJsonDepth} levels`));
      }
    }
    assert.equal(parser.mock.callCount(), 0);
  });

  it('is parsed once on its way into the store, and once on its way out', async (t) => {
    const server = await startServer(t);
    const { bytes, mediaType } = await makeManifest(server.registry);
    const parser = t.mock.method(JSON, 'parse');
    for (const type of [mediaType, undefined, 'application/x-other']) {
      const before = parser.mock.callCount();
      const headers = type === undefined ? {} : { 'content-type': type };
      // Under a type of its own, it would be a disguised image.
      const { status } = await ask(server, 'PUT', path, { headers, body: bytes });
      assert.equal(status, type === 'application/x-other' ? 400 : 201);
      assert.equal(parser.mock.callCount() - before, 1);
    }
    const before = parser.mock.callCount();
    assert.equal((await ask(server, 'GET', path)).status, 200);
    assert.equal(parser.mock.callCount() - before, 1);
  });

  it('is refused with 400 whatever its fields are made of', async (t) => {
    const server = await startServer(t);
    const { bytes, mediaType } = await makeManifest(server.registry);
    const good = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
    const odd: readonly unknown[] = [
      { toString: 0 },
      { toString: { toString: 0 } },
      [{ toString: 0 }],
      { valueOf: 1, toString: 1 },
      { toJSON: 1 },
    ];
    const fields = ['mediaType', 'config', 'layers', 'annotations', 'subject', 'manifests', 'signatures'];
    for (const value of odd) {
      for (const field of fields) {
        const body = JSON.stringify({ ...good, [field]: value });
        const { status } = await ask(server, 'PUT', path, { headers: { 'content-type': mediaType }, body });
        assert.ok(status === 400 || (status === 201 && field === 'signatures'), `${field}: ${status}`);
      }
      const config = { ...(good['config'] as object) };
      for (const field of ['mediaType', 'digest', 'size', 'annotations', 'data', 'platform', 'urls']) {
        const body = JSON.stringify({ ...good, config: { ...config, [field]: value } });
        const { status } = await ask(server, 'PUT', path, { headers: { 'content-type': mediaType }, body });
        assert.ok(status === 400 || (status === 201 && field === 'platform'), `config.${field}: ${status}`);
      }
    }
    assert.ok(server.log.every(({ error }) => !(error instanceof TypeError)));
  });
});
