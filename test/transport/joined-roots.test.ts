import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { rootCertificates } from 'node:tls';
import { deliver, startRelay, type Way } from '../../bench/distance/relay.ts';
import { areDefaultRootsBuiltIn } from '../../src/certs/default-roots.ts';
import type { TlsSettings } from '../../src/certs/tls-settings.ts';
import { createHostFacts, type HostFacts } from '../../src/host-facts/host-facts.ts';
import { isOciError } from '../../src/model/errors.ts';
import { issue } from '../certs/issue.ts';
import { type Answer, type FakeServer, startFakeServer } from '../support/fake-server.ts';
import { withRootsOfNode } from '../support/network/roots-of-node.ts';
import { get, open } from './open.ts';

const authority = issue('An authority');
const other = issue('Another authority');
const leaf = issue('localhost', { by: authority, dnsNames: ['localhost'] });
const ok: Answer = (_, response) => response.end('ok');

const start = (t: TestContext, tls = leaf): Promise<FakeServer> => startFakeServer(t, ok, { tls: { ...tls, ca: [] } });

async function ask(
  t: TestContext,
  { url }: Pick<FakeServer, 'url'>,
  tls: TlsSettings,
  hostFacts?: HostFacts,
): Promise<void> {
  const response = await get(open(t, url, { tls, hostFacts, retry: { attempts: 1 } }));
  assert.equal(Buffer.from(await response.body.bytes(100)).toString(), 'ok');
}

/** A server whose answers are held until they are released. */
async function startBehindRelay(t: TestContext) {
  let [said, release] = [(): void => {}, (): void => {}];
  const hello = new Promise<void>((resolve) => {
    said = resolve;
  });
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const up: Way = {
    carry(chunk, _, to) {
      said();
      deliver(chunk, to);
    },
  };
  const down: Way = { carry: (chunk, _, to) => void released.then(() => deliver(chunk, to)) };
  const lane = { open: (done: () => void) => done(), up, down, close: () => {} };
  const { host: target } = await start(t);
  const relay = await startRelay(t, { name: 'relay', target, link: { connect: () => lane } });
  return { ...relay, hello, release, url: `https://${relay.host}`.replace('127.0.0.1', 'localhost') };
}

const isUnknown = (error: unknown): boolean => isOciError(error, 'TLS') && /unknown authority/.test(error.message);

/** The subject of a certificate, in DER: the sixth field of what is signed. */
function subjectOf(pem: string): Buffer {
  const { raw } = new X509Certificate(pem);
  const inner = (at: number): number => at + 2 + ((raw[at + 1] ?? 0) < 0x80 ? 0 : (raw[at + 1] ?? 0) - 0x80);
  const end = (at: number): number => {
    const from = inner(at);
    return from + (from === at + 2 ? (raw[at + 1] ?? 0) : raw.readUIntBE(at + 2, from - at - 2));
  };
  let at = inner(inner(0));
  for (let field = 0; field < 5; field += 1) at = end(at);
  return raw.subarray(at, end(at));
}

/** A root of Node's with an elliptic key, as test certificates have. */
function rootWithCurve(): string {
  const found = rootCertificates.find((pem) => new X509Certificate(pem).publicKey.asymmetricKeyType === 'ec');
  assert.ok(found);
  return found;
}

withRootsOfNode(import.meta.url, () =>
  describe('all trust anchors together', () => {
    it('make one handshake enough, whichever has the authority', async (t) => {
      for (const tls of [
        { ca: [authority.cert], systemRoots: async () => [other.cert] },
        { ca: [other.cert], systemRoots: async () => [authority.cert] },
        { systemRoots: async () => [other.cert, authority.cert] },
        { ca: [other.cert, leaf.cert] },
      ]) {
        const server = await start(t);
        await ask(t, server, tls);
        assert.equal(server.connections, 1);
      }
    });

    it('are read between the client’s part of the handshake and the server’s', async (t) => {
      for (const known of [undefined, 'system'] as const) {
        const relay = await startBehindRelay(t);
        const hostFacts = createHostFacts();
        hostFacts.of(new URL(relay.url)).learn({ roots: known });
        const systemRoots = async (): Promise<readonly string[]> => {
          await relay.hello;
          setImmediate(relay.release);
          return [authority.cert];
        };
        await ask(t, relay, { systemRoots }, hostFacts);
        assert.equal(relay.traffic.connections, 1);
      }
    });

    it('may come after the handshake, where their reader takes its time', async (t) => {
      const server = await start(t);
      let read = (): void => assert.fail('nobody waits');
      const later = new Promise<void>((resolve) => {
        read = resolve;
      });
      const systemRoots = async (): Promise<readonly string[]> => {
        await later;
        return [authority.cert];
      };
      const asked = ask(t, server, { systemRoots });
      while (server.connections === 0) await new Promise((resolve) => setImmediate(resolve));
      read();
      await asked;
      assert.ok(server.connections <= 2);
    });

    it('fail one connection where one of them cannot be read, and say so', async (t) => {
      const server = await start(t);
      await assert.rejects(ask(t, server, { ca: ['no certificate'] }), (error) => isOciError(error));
    });

    it('refuse what none of them vouches for, without a handshake for each', async (t) => {
      const server = await start(t);
      const tls = { ca: [other.cert], systemRoots: async () => [issue('A third').cert] };
      await assert.rejects(ask(t, server, tls), isUnknown);
      assert.ok(server.connections <= 2, `${server.connections} handshakes`);
    });

    it('include Node’s own, of which one may have the name of another', async (t) => {
      const name = subjectOf(rootWithCurve());
      const namesake = issue(name);
      const fake = issue('localhost', { by: namesake, dnsNames: ['localhost'] });
      const server = await start(t, fake);
      await assert.rejects(ask(t, server, {}), /CERT_SIGNATURE_FAILURE/);
      await ask(t, await start(t, fake), { ca: [namesake.cert] });
      await ask(t, await start(t, fake), { systemRoots: async () => [namesake.cert] });
      await assert.rejects(ask(t, server, { ca: [issue(name).cert] }), /CERT_SIGNATURE_FAILURE/);
    });

    it('accept no more than each alone: Node’s own are all self-signed', () => {
      assert.ok(areDefaultRootsBuiltIn());
      for (const pem of rootCertificates) {
        const root = new X509Certificate(pem);
        assert.ok(root.checkIssued(root), root.subject);
      }
    });

    it('are read as the last handshake with the host has shown to be needed', async (t) => {
      const server = await start(t);
      const hostFacts = createHostFacts();
      const record = hostFacts.of(new URL(server.url));
      let reads = 0;
      const system = (pem: string): TlsSettings => ({
        systemRoots: async () => {
          reads += 1;
          return [pem];
        },
      });
      await ask(t, server, system(authority.cert), hostFacts);
      assert.equal(record.known.roots, 'system');
      record.learn({ roots: 'node' });
      const before = server.connections;
      await ask(t, server, system(authority.cert), hostFacts);
      assert.deepEqual([server.connections - before, record.known.roots, reads], [2, 'system', 2]);
      record.learn({ roots: undefined });
      await ask(t, server, { ca: [authority.cert] }, hostFacts);
      assert.equal(record.known.roots, 'host');
      await ask(t, server, { ...system(other.cert), ca: [authority.cert] }, hostFacts);
      assert.equal(reads, 2);
    });
  }),
);

describe('whether Node’s roots can be joined', () => {
  it('depends on what adds to them or replaces them', () => {
    assert.ok(areDefaultRootsBuiltIn({}, []));
    assert.ok(!areDefaultRootsBuiltIn({ NODE_EXTRA_CA_CERTS: 'ca.pem' }, []));
    assert.ok(!areDefaultRootsBuiltIn({ NODE_USE_SYSTEM_CA: '1' }, []));
    assert.ok(!areDefaultRootsBuiltIn({ NODE_OPTIONS: '--use-openssl-ca' }, []));
    assert.ok(!areDefaultRootsBuiltIn({}, ['--use-system-ca']));
  });
});
