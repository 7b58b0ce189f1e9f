import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { TlsSettings } from '../../src/certs/tls-settings.ts';
import { OciError } from '../../src/model/errors.ts';
import { networkError } from '../../src/transport/failures.ts';
import type { RequestTrace } from '../../src/transport/request-trace.ts';
import { createTransport } from '../../src/transport/transport.ts';
import { issue } from '../certs/issue.ts';
import { type Answer, startFakeServer } from '../support/fake-server.ts';
import { atEnd } from '../support/sandbox.ts';

const authority = issue('An authority');
const trusted = issue('localhost', { by: authority, dnsNames: ['localhost'] });
const client = issue('a client', { by: authority });

function open(t: TestContext, url: string, tls?: TlsSettings) {
  const transport = createTransport({ base: new URL(url), tls, retry: { attempts: 1 } });
  atEnd(t, () => transport.close());
  return transport;
}

async function get(t: TestContext, url: string, tls?: TlsSettings): Promise<string> {
  const response = await open(t, url, tls).request({ method: 'GET', url });
  return Buffer.from(await response.body.bytes(1000)).toString();
}

function tlsError(text: RegExp, hint?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof OciError, String(error));
    assert.equal(error.code, 'TLS', `${error.code} ${error.message} ${String((error.cause as Error)?.message)}`);
    assert.match(error.message, text);
    if (hint) assert.match(error.hint ?? '', hint);
    return true;
  };
}

const ok: Answer = (_, response) => response.end('ok');

describe('TLS', () => {
  it('takes the roots it is given, and verifies', async (t) => {
    const server = await startFakeServer(t, ok, { tls: trusted });
    assert.equal(await get(t, server.url, { ca: [authority.cert] }), 'ok');
  });

  it('says that an authority is unknown, and where to put its certificate', async (t) => {
    const server = await startFakeServer(t, ok, { tls: trusted });
    const hint = new RegExp(`certs\\.d/${server.host}/ca\\.crt`);
    await assert.rejects(get(t, server.url), tlsError(/signed by an unknown authority/, hint));
    const alone = issue('localhost', { dnsNames: ['localhost'] });
    const other = await startFakeServer(t, ok, { tls: alone });
    await assert.rejects(get(t, other.url), tlsError(/signed by an unknown authority/));
  });

  it('asks nobody when it is told not to verify', async (t) => {
    const server = await startFakeServer(t, ok, { tls: trusted });
    assert.equal(await get(t, server.url, { verify: false }), 'ok');
  });

  it('names the names of a certificate for another host', async (t) => {
    const tls = issue('elsewhere', { by: authority, dnsNames: ['elsewhere.example'], addresses: ['192.0.2.1'] });
    const server = await startFakeServer(t, ok, { tls });
    const text = /certificate is for elsewhere\.example, 192\.0\.2\.1, not for localhost/;
    await assert.rejects(get(t, server.url, { ca: [authority.cert] }), tlsError(text));
  });

  it('says that a certificate has expired', async (t) => {
    const notAfter = new Date(Date.now() - 3_600_000);
    const tls = issue('localhost', { by: authority, dnsNames: ['localhost'], notAfter });
    const server = await startFakeServer(t, ok, { tls });
    const text = /its certificate has expired$/;
    await assert.rejects(get(t, server.url, { ca: [authority.cert] }), tlsError(text, /clock/));
  });

  it('shows its client certificate at its own origin, and nowhere else', async (t) => {
    const seen: string[] = [];
    const tls = { ...trusted, ca: [authority.cert], requestCert: true, rejectUnauthorized: false };
    const note = (name: string, incoming: { socket: unknown }): void => {
      const subject = (incoming.socket as TLSSocket).getPeerCertificate().subject as { CN?: string } | undefined;
      seen.push(`${name}: ${subject?.CN ?? 'nobody'}`);
    };
    const storage = await startFakeServer(
      t,
      (_, response, incoming) => {
        note('storage', incoming);
        response.end('ok');
      },
      { tls },
    );
    const server = await startFakeServer(
      t,
      (_, response, incoming) => {
        note('registry', incoming);
        response.writeHead(307, { location: storage.url }).end();
      },
      { tls },
    );
    const settings = { ca: [authority.cert], cert: client.cert, key: client.key };
    assert.equal(await get(t, server.url, settings), 'ok');
    assert.deepEqual(seen, ['registry: a client', 'storage: nobody']);
    const transport = open(t, server.url, settings);
    const response = await transport.request({ method: 'HEAD', url: server.url, anonymous: true });
    await response.body.discard();
    assert.equal(seen[2], 'registry: nobody');
  });

  for (const method of ['GET', 'HEAD'] as const) {
    it(`says when a server wants a client certificate, or another one, at once: ${method}`, async (t) => {
      const asking = { ...trusted, ca: [authority.cert], requestCert: true, rejectUnauthorized: true };
      const stranger = issue('a stranger', { by: issue('Another authority') });
      const server = await startFakeServer(t, ok, { tls: asking });
      const old = await startFakeServer(t, ok, { tls: { ...asking, maxVersion: 'TLSv1.2' } });
      const hint = /put client\.cert and client\.key into \/etc\/docker\/certs\.d\/localhost:\d+\/$/;
      const attempts: number[] = [];
      const ask = async (url: string, own: TlsSettings = {}): Promise<number> => {
        const tls = { ca: [authority.cert], ...own };
        const trace = ({ attempt, speaksTls }: RequestTrace) => attempts.push(speaksTls ? attempt : 0);
        const transport = createTransport({ base: new URL(url), tls, trace });
        atEnd(t, () => transport.close());
        const response = await transport.request({ method, url, large: true });
        await response.body.discard();
        return response.status;
      };
      await assert.rejects(ask(server.url), tlsError(/: the registry asks for a client certificate$/, hint));
      await assert.rejects(ask(old.url), tlsError(/as it does without the right client certificate$/, hint));
      const refused = tlsError(/: the registry refused the client certificate$/, /whether it has expired/);
      await assert.rejects(ask(server.url, { cert: stranger.cert, key: stranger.key }), refused);
      assert.deepEqual(attempts, [1, 1, 1]);
      assert.equal(await ask(server.url, { cert: client.cert, key: client.key }), 200);
    });
  }

  it('says the same of the alerts that servers send where it is wrong', () => {
    for (const alert of [
      'SSLV3_ALERT_BAD_CERTIFICATE',
      'SSL/TLS_ALERT_CERTIFICATE_EXPIRED',
      'TLSV1_ALERT_UNKNOWN_CA',
    ]) {
      const error = networkError(
        Object.assign(new Error('alert'), { code: `ERR_SSL_${alert}` }),
        new URL('https://r/'),
      );
      tlsError(/right client certificate/, /certs\.d\/r\//)(error);
    }
  });

  it('blames no client certificate where a server that only asks for one has answered before', async (t) => {
    const tls = { ...trusted, ca: [authority.cert], requestCert: true, rejectUnauthorized: false };
    const cut: Answer = ({ nth }, response) => (nth === 0 ? response.end('ok') : response.socket?.destroy());
    const server = await startFakeServer(t, cut, { tls });
    const transport = open(t, server.url, { ca: [authority.cert] });
    const ask = async () => (await transport.request({ method: 'GET', url: server.url })).body.discard();
    await ask();
    await assert.rejects(ask(), (error) => error instanceof OciError && error.code === 'NETWORK');
  });

  it('says that a server speaks plain http', async (t) => {
    const server = await startFakeServer(t, ok);
    const url = server.url.replace('http:', 'https:');
    await assert.rejects(get(t, url), tlsError(/answered in plain http, not TLS/, /insecure registry/));
  });

  it('says that a server wants TLS, as Go and nginx do and as an alert does', async (t) => {
    for (const text of [
      'Client sent an HTTP request to an HTTPS server.\n',
      '<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>',
    ]) {
      const server = await startFakeServer(t, (_, response) => response.writeHead(400).end(text));
      await assert.rejects(get(t, server.url), tlsError(/wants TLS but was asked in plain http/, /https/));
    }
    const other = await startFakeServer(t, (_, response) => response.writeHead(400).end('{"errors":[]}'));
    assert.equal(await get(t, other.url), '{"errors":[]}');
    const { createServer } = await import('node:net');
    const alerting = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46])));
    }).listen(0, '127.0.0.1');
    atEnd(t, () => alerting.close());
    await new Promise((resolve) => alerting.once('listening', resolve));
    const { port } = alerting.address() as { port: number };
    await assert.rejects(get(t, `http://127.0.0.1:${port}/`), tlsError(/wants TLS/));
  });

  it('refuses TLS 1.1', async (t) => {
    const tls = { ...trusted, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    const server = await startFakeServer(t, ok, { tls });
    await assert.rejects(get(t, server.url, { ca: [authority.cert] }), tlsError(/TLS/));
  });

  it('refuses to follow a redirect out of TLS', async (t) => {
    const plain = await startFakeServer(t, ok);
    const server = await startFakeServer(t, (_, response) => response.writeHead(302, { location: plain.url }).end(), {
      tls: trusted,
    });
    await assert.rejects(get(t, server.url, { ca: [authority.cert] }), (error) => {
      assert.ok(error instanceof OciError);
      assert.equal(error.code, 'PROTOCOL');
      assert.match(error.message, /plain http/);
      return true;
    });
    assert.equal(plain.requests.length, 0);
  });
});
