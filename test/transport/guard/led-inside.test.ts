/** With real names and addresses: a registry on a public address of a machine that also has private ones. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { digestBytes } from '../../../src/model/digest.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { bytesSource } from '../../../src/registry/content.ts';
import { type OpenRemoteOptions, openRemote, type RemoteRegistry } from '../../../src/remote/open.ts';
import { type Answer, type FakeServer, json, startFakeServer } from '../../support/fake-server.ts';
import { inOwnNetwork, metadata, outside, startNames } from '../../support/network/own-network.ts';
import { atEnd } from '../../support/sandbox.ts';
import { fails } from '../open.ts';

const repo = parseRepositoryName('team/app');
const bytes = Buffer.alloc(2 * 1024 * 1024, 'layer');
const digest = await digestBytes(bytes);
const blob = { mediaType: 'application/octet-stream', digest, size: bytes.length };
const source = bytesSource(blob, bytes);
const refused = fails('PROTOCOL', /leads to .*, inside this network/);

const portOf = ({ url }: FakeServer): string => new URL(url).port;
const serves: Answer = (_, response) => response.end(bytes);

async function start(
  t: TestContext,
  answer: Answer,
  { name = outside, at = outside, ...options }: Partial<OpenRemoteOptions> & { name?: string; at?: string } = {},
): Promise<{ server: FakeServer; registry: RemoteRegistry }> {
  const server = await startFakeServer(t, answer, { address: at });
  const retry = { attempts: 2, wait: async () => {} };
  const registry = openRemote({ url: `http://${name}:${portOf(server)}/`, retry, ...options });
  atEnd(t, () => registry.close());
  return { server, registry };
}

async function read(registry: RemoteRegistry, more: { readonly urls?: readonly string[] } = {}): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const content = await registry.getBlob(repo, { ...blob, ...more });
  await content.drainTo({ write: async (chunk) => void chunks.push(Buffer.from(chunk)) });
  return Buffer.concat(chunks);
}

inOwnNetwork(import.meta.url, () => {
  describe('a registry on a public address', () => {
    const insides = { 'this machine': '127.0.0.1', 'the metadata of a cloud': metadata } as const;
    for (const [what, address] of Object.entries(insides)) {
      it(`has its token server, redirects of reads and writes, uploads and foreign layers refused at ${what}, by address and by name`, async (t) => {
        const inside = await startFakeServer(t, serves, { address });
        await startNames(t, (name) => (name === 'inside.example' ? [address] : undefined));
        for (const host of [`${address}:${portOf(inside)}`, `inside.example:${portOf(inside)}`]) {
          const realm = `Bearer realm="http://${host}/token"`;
          const tokens = await start(t, (_, response) => response.writeHead(401, { 'www-authenticate': realm }).end());
          await assert.rejects(tokens.registry.getManifest(repo, parseTag('1')), refused);
          const redirects = await start(t, (_, response) =>
            response.writeHead(307, { location: `http://${host}/x` }).end(),
          );
          await assert.rejects(redirects.registry.getManifest(repo, parseTag('1')), refused);
          await assert.rejects(read(redirects.registry), refused);
          const uploads = await start(t, ({ method }, response) =>
            method === 'POST'
              ? response.writeHead(202, { location: `http://${host}/session` }).end()
              : response.writeHead(404).end(),
          );
          await assert.rejects(uploads.registry.pushBlob(repo, blob, source), refused);
          const writes = await start(t, ({ method }, response) =>
            method === 'POST'
              ? response.writeHead(307, { location: `http://${host}/uploads` }).end()
              : response.writeHead(404).end(),
          );
          await assert.rejects(writes.registry.pushBlob(repo, blob, source), refused);
          const foreign = await start(t, (_, response) => response.writeHead(404).end());
          await assert.rejects(read(foreign.registry, { urls: [`http://${host}/layer`] }), refused);
        }
        assert.deepEqual(inside.lines, []);
        assert.equal(inside.connections, 0);
      });
    }

    it('is followed to another public address, also by a name with a private one among others', async (t) => {
      const other = await startFakeServer(t, serves, { address: outside });
      await startNames(t, (name) => (name === 'both.example' ? ['127.0.0.1', outside, '10.0.0.1'] : undefined));
      const location = `http://both.example:${portOf(other)}/x`;
      const { registry } = await start(t, (_, response) => response.writeHead(307, { location }).end());
      assert.deepEqual(await read(registry), bytes);
      assert.equal(other.requests.length, 1);
    });

    it('gains nothing by a name that resolves to another address at every look', async (t) => {
      let looks = 0;
      await startNames(t, (name) => {
        if (name !== 'rebinding.example') return undefined;
        looks += 1;
        // Each lookup asks two questions, for IPv4 and for IPv6 addresses.
        return looks <= 2 ? [outside] : ['127.0.0.1'];
      });
      const other = await startFakeServer(
        t,
        (_, response) => response.writeHead(200, { connection: 'close', 'content-length': bytes.length }).end(bytes),
        {
          address: outside,
        },
      );
      const inside = await startFakeServer(t, serves);
      let target = other;
      const { registry } = await start(t, (_, response) =>
        response.writeHead(307, { location: `http://rebinding.example:${portOf(target)}/x` }).end(),
      );
      assert.deepEqual(await read(registry), bytes);
      target = inside;
      await assert.rejects(read(registry), refused);
      target = other;
      await assert.rejects(read(registry), refused);
      assert.equal(inside.connections, 0);
      assert.equal(other.connections, 1);
    });

    it('may not have its own name rebound to lead to another port inside', async (t) => {
      const inside = await startFakeServer(t, serves);
      let at: string = outside;
      await startNames(t, (name) => (name === 'registry.example' ? [at] : undefined));
      const { registry } = await start(
        t,
        (_, response) => {
          at = '127.0.0.1';
          const location = `http://registry.example:${portOf(inside)}/x`;
          response.writeHead(307, { location, 'content-length': 0 }).end();
        },
        { name: 'registry.example' },
      );
      await assert.rejects(read(registry), refused);
      assert.equal(inside.connections, 0);
    });

    it('is followed inside where the settings allow that host, or its network', async (t) => {
      const inside = await startFakeServer(t, serves);
      await startNames(t, (name) => (name === 'inside.example' ? ['127.0.0.1'] : undefined));
      const location = `http://inside.example:${portOf(inside)}/x`;
      for (const allowPrivate of [['inside.example'], [`inside.example:${portOf(inside)}`], ['127.0.0.0/8']]) {
        const { registry } = await start(t, (_, response) => response.writeHead(307, { location }).end(), {
          allowPrivate,
        });
        assert.deepEqual(await read(registry), bytes);
      }
      const answer: Answer = (_, response) => response.writeHead(307, { location }).end();
      const { registry } = await start(t, answer, {
        allowPrivate: ['other.example', '10.0.0.0/8'],
      });
      await assert.rejects(read(registry), refused);
    });
  });

  it('a registry on a private address may lead to others, whatever its name', async (t) => {
    await startNames(t, (name) => (name === 'registry.example' ? ['127.0.0.1'] : undefined));
    const storage = await startFakeServer(t, serves, { address: metadata });
    const { registry } = await start(
      t,
      ({ path }, response) =>
        path.includes('manifests')
          ? json(response, 404, {})
          : response.writeHead(307, { location: `${storage.url}x` }).end(),
      { name: 'registry.example', at: '127.0.0.1' },
    );
    assert.deepEqual(await read(registry), bytes);
  });
});
