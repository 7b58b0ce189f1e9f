import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { TlsSettings } from '../../src/certs/tls-settings.ts';
import { isOciError } from '../../src/model/errors.ts';
import { Connections } from '../../src/transport/connections.ts';
import { createTransport, type Transport } from '../../src/transport/transport.ts';
import { issue } from '../certs/issue.ts';
import { type Answer, startFakeServer } from '../support/fake-server.ts';
import { atEnd } from '../support/sandbox.ts';

const authority = issue('An authority');
const trusted = issue('localhost', { by: authority, dnsNames: ['localhost'] });
const client = issue('a client', { by: authority });
const ok: Answer = (_, response) => response.end('ok');

/** Transports to one address that share connections. */
function sharing(t: TestContext, url: string): (tls?: TlsSettings) => Transport {
  const connections = new Connections();
  atEnd(t, () => connections.close());
  return (tls) => createTransport({ base: new URL(url), connections, tls, retry: { attempts: 1 } });
}

async function ask(transport: Transport): Promise<void> {
  const response = await transport.request({ method: 'GET', url: 'x' });
  assert.equal(Buffer.from(await response.body.bytes(100)).toString(), 'ok');
}

describe('connections that transports share', () => {
  it('carry the requests of all that trust the same', async (t) => {
    const server = await startFakeServer(t, ok, { tls: trusted });
    const open = sharing(t, server.url);
    await ask(open({ ca: [authority.cert] }));
    await ask(open({ ca: [authority.cert] }));
    assert.equal(server.connections, 1);
  });

  it('carry no request that verifies less, or shows another certificate', async (t) => {
    const server = await startFakeServer(t, ok, { tls: trusted });
    const open = sharing(t, server.url);
    await ask(open({ verify: false }));
    await assert.rejects(ask(open()), (error) => isOciError(error, 'TLS'));
    const before = server.connections;
    await ask(open({ ca: [authority.cert] }));
    await ask(open({ ca: [authority.cert], cert: client.cert, key: client.key }));
    assert.equal(server.connections, before + 2);
  });

  it('outlast a transport, and end all that use them when they are closed', async (t) => {
    const server = await startFakeServer(t, ok);
    const connections = new Connections();
    const open = (): Transport => createTransport({ base: new URL(server.url), connections, retry: { attempts: 1 } });
    const first = open();
    await ask(first);
    await first.close();
    await ask(open());
    assert.equal(server.connections, 1);
    await connections.close();
    await assert.rejects(ask(first), (error) => isOciError(error, 'NETWORK'));
  });

  it('resume the session of the first one, for reads and writes, in TLS 1.2 and 1.3', async (t) => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const resumed: boolean[] = [];
      // The second and the third are answered together, so that each has a connection.
      const note: Answer = async (_, response, incoming) => {
        resumed.push((incoming.socket as TLSSocket).isSessionReused());
        while (resumed.length === 2) await new Promise((resolve) => setTimeout(resolve, 1));
        response.end('ok');
      };
      const server = await startFakeServer(t, note, { tls: { ...trusted, maxVersion } });
      const open = sharing(t, server.url);
      const transport = open({ ca: [authority.cert] });
      await ask(transport);
      await Promise.all([ask(transport), ask(transport)]);
      const response = await transport.request({ method: 'POST', url: 'x', body: Buffer.from('x') });
      await response.body.discard();
      assert.deepEqual(resumed, [false, false, true, true], maxVersion);
      assert.equal(server.connections, 3);
    }
  });
});
