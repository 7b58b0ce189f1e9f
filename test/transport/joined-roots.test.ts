import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { rootCertificates } from 'node:tls';
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

async function ask(t: TestContext, { url }: FakeServer, tls: TlsSettings, hostFacts?: HostFacts): Promise<void> {
  const response = await get(open(t, url, { tls, hostFacts, retry: { attempts: 1 } }));
  assert.equal(Buffer.from(await response.body.bytes(100)).toString(), 'ok');
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

    it('include those that are read while the handshake is under way, or else after it', async (t) => {
      const server = await start(t);
      let read = (): void => assert.fail('nobody waits');
      const later = new Promise<void>((resolve) => {
        read = resolve;
      });
      const handshakes: number[] = [];
      const systemRoots = async (): Promise<readonly string[]> => {
        handshakes.push(server.connections);
        await later;
        return [authority.cert];
      };
      const asked = ask(t, server, { systemRoots });
      while (server.connections === 0) await new Promise((resolve) => setImmediate(resolve));
      read();
      await asked;
      assert.deepEqual(handshakes, [0]);
      assert.ok(server.connections <= 2);
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
