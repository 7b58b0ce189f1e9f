import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { isOciError, type OciError } from '../../src/model/errors.ts';
import { parseTag } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { deadAddress } from '../support/network/ports.ts';
import { alpine, open } from './opened.ts';
import { startRecorder } from './recorder.ts';

const nope = parseTag('nope');
const cannotReach = /and Docker Hub cannot be reached \(127\.0\.0\.1:\d+: connection refused\)$/;

/** Docker Hub is unreachable, and the mirrors are what the test gives. */
async function failure(
  t: TestContext,
  mirrors: readonly string[],
  ask: (registry: Registry) => Promise<unknown> = (registry) => registry.getManifest(alpine.path, nope),
): Promise<{ readonly error: OciError; readonly notes: readonly string[] }> {
  const notes: string[] = [];
  const { service } = await open(t, {
    daemon: { 'registry-mirrors': mirrors },
    defaultRegistry: `http://${await deadAddress()}`,
    limits: { headersTimeoutMs: 200 },
    onFallback: ({ text }) => notes.push(text),
  });
  const registry = await service.open(alpine, 'pull');
  const error: unknown = await ask(registry).catch((caught: unknown) => caught);
  return { error: isOciError(error) ? error : assert.fail(`it did not fail: ${String(error)}`), notes };
}

async function silentServer(t: TestContext): Promise<string> {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('an image that a mirror does not serve, while Docker Hub is unreachable', () => {
  const answers = [
    { status: 404, says: 'has no library/alpine:nope', advice: /^check the spelling; Docker Hub may have it: / },
    { status: 401, says: 'denies access to library/alpine:nope (401)', advice: /^log in .*; Docker Hub may have it: / },
    { status: 403, says: 'denies access to library/alpine:nope (403)', advice: /^log in .*; Docker Hub may have it: / },
    { status: 429, says: 'allows no more requests for now', advice: /^wait, .*; Docker Hub may have it: / },
    { status: 500, says: 'fails with status 500', advice: /^check that the registry runs/ },
    { status: 503, says: 'fails with status 503', advice: /^check that the registry runs/ },
  ] as const;
  for (const { status, says, advice } of answers) {
    it(`fails with NETWORK, and one sentence says that the mirror answered ${status} and that Docker Hub is unreachable`, async (t) => {
      const mirror = await startRecorder(t, { status });
      const { error, notes } = await failure(t, [mirror.url]);
      assert.deepEqual([error.code, error.status, error.retryable], ['NETWORK', undefined, true]);
      assert.ok(error.message.startsWith(`mirror ${mirror.host} ${says}, and Docker Hub`), error.message);
      assert.match(error.message, cannotReach);
      assert.match(error.hint ?? '', advice);
      assert.deepEqual(notes, [`mirror ${mirror.host} ${says}, trying Docker Hub`]);
    });
  }

  it('names a mirror that is silent with the reason', async (t) => {
    const url = await silentServer(t);
    const { error } = await failure(t, [url]);
    const host = new URL(url).host;
    assert.match(
      error.message,
      new RegExp(`^mirror ${host} cannot be reached \\(no answer came in time: [^)]+\\), and`),
    );
    assert.match(error.message, cannotReach);
  });

  it('names a mirror that refuses connections with the reason', async (t) => {
    const host = await deadAddress();
    const { error } = await failure(t, [`http://${host}`]);
    assert.match(error.message, new RegExp(`^mirror ${host} cannot be reached \\(connection refused\\), and`));
  });

  it('begins with the mirror that knew most, and names each mirror once', async (t) => {
    const [broken, empty] = [await startRecorder(t, { status: 503 }), await startRecorder(t, { status: 404 })];
    const dead = await deadAddress();
    const { error, notes } = await failure(t, [`http://${dead}`, broken.url, empty.url]);
    const told = [
      `mirror ${empty.host} has no library/alpine:nope`,
      `mirror ${broken.host} fails with status 503`,
      `mirror ${dead} cannot be reached (connection refused)`,
    ];
    assert.ok(error.message.startsWith(`${told.join(', ')}, and Docker Hub cannot be reached`), error.message);
    assert.equal(notes.length, 3);
    assert.match(error.hint ?? '', /^check the spelling; Docker Hub may have it: /);
  });

  it('fails with the same code when Docker Hub was found unreachable before', async (t) => {
    const mirror = await startRecorder(t, { status: 404 });
    const { error } = await failure(t, [mirror.url], async (registry) => {
      await registry.getManifest(alpine.path, parseTag('other')).catch(() => {});
      return registry.getManifest(alpine.path, nope);
    });
    assert.equal(error.code, 'NETWORK');
    assert.match(error.message, /^mirror \S+ has no library\/alpine:nope, and Docker Hub cannot be reached/);
  });

  it('names the repository if its tags are listed', async (t) => {
    const mirror = await startRecorder(t, { status: 404 });
    const { error } = await failure(t, [mirror.url], async (registry) => {
      for await (const _ of registry.tags(alpine.path)) assert.fail('there are no tags');
    });
    assert.ok(error.message.startsWith(`mirror ${mirror.host} has no repository library/alpine, and`), error.message);
  });
});

describe('an image that no mirror serves, where Docker Hub answers', () => {
  it('fails with the answer of Docker Hub, then names the mirror', async (t) => {
    const [mirror, hub] = [await startRecorder(t, { status: 503 }), await startRecorder(t, { status: 404 })];
    const { service } = await open(t, { daemon: { 'registry-mirrors': [mirror.url] }, defaultRegistry: hub.url });
    const registry = await service.open(alpine, 'pull');
    await assert.rejects(registry.getManifest(alpine.path, nope), (error: OciError) => {
      assert.deepEqual([error.code, error.status], ['MANIFEST_UNKNOWN', 404]);
      assert.match(error.message, /^manifest for alpine:nope not found: /);
      assert.ok(error.message.endsWith(`; mirror ${mirror.host} fails with status 503`), error.message);
      assert.match(error.hint ?? '', /^check the spelling/);
      return true;
    });
  });

  it('fails with 503 of Docker Hub in one sentence, if that is its answer', async (t) => {
    const [mirror, hub] = [await startRecorder(t, { status: 404 }), await startRecorder(t, { status: 503 })];
    const { service } = await open(t, { daemon: { 'registry-mirrors': [mirror.url] }, defaultRegistry: hub.url });
    const registry = await service.open(alpine, 'pull');
    await assert.rejects(registry.getManifest(alpine.path, nope), (error: OciError) => {
      assert.deepEqual([error.code, error.status], ['UNAVAILABLE', 503]);
      const says = `mirror ${mirror.host} has no library/alpine:nope, and Docker Hub fails with status 503`;
      assert.equal(error.message, says);
      return true;
    });
  });
});
