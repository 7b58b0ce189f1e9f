import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { describe, it, type TestContext } from 'node:test';
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import { isOciError } from '../../src/model/errors.ts';
import type { RunningServer, ServedTls } from '../../src/server/options.ts';
import { type Certificates, makeCertificates, needs } from '../support/programs.ts';
import { putBlob, repo, startServer } from './client.ts';

async function tlsOf({ certificate, key }: Certificates): Promise<ServedTls> {
  return { cert: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') };
}

/** Sends a request over a connection of its own. */
async function answer(server: RunningServer, path: string, more: object): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { host, port } = server;
    const request: ClientRequest = get({ host, port, path, agent: false, ...more }, resolve).on('error', reject);
    request.end();
  });
}

/** The certificate that a new connection gets. */
function shown(t: TestContext, { host, port }: RunningServer, ca: string): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host, port, ca }, () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    }).on('error', reject);
    t.after(() => socket.destroy());
  });
}

describe('a server with a certificate', () => {
  it('speaks https alone', async (t) => {
    if (!needs(t, 'openssl')) return;
    const certificates = await makeCertificates(t);
    const server = await startServer(t, { tls: await tlsOf(certificates) });
    assert.match(server.url, /^https:/);
    const ca = await readFile(certificates.authority);
    const found = await answer(server, '/v2/', { ca });
    assert.equal(found.resume().statusCode, 200);
    await assert.rejects(answer(server, '/v2/', {}), /unable to verify/);
    const plainly = await fetch(`${server.url.replace('https', 'http')}/v2/`);
    assert.equal(plainly.status, 400);
    assert.equal(await plainly.text(), 'Client sent an HTTP request to an HTTPS server.\n');
    // A server without a certificate has none to renew.
    const plain = await startServer(t);
    assert.throws(
      () => plain.renewTls({ cert: '', key: '' }),
      (error) => isOciError(error, 'USAGE'),
    );
  });

  it('takes a new one while a blob is read, and keeps the old where the new one is broken', async (t) => {
    if (!needs(t, 'openssl')) return;
    const [first, second] = [await makeCertificates(t), await makeCertificates(t)];
    const [old, fresh] = [await tlsOf(first), await tlsOf(second)];
    const server = await startServer(t, { tls: old });
    const [oldCa, freshCa] = [await readFile(first.authority, 'utf8'), await readFile(second.authority, 'utf8')];
    const size = 8 * 1024 * 1024;
    const { digest } = await putBlob(server.registry, Buffer.alloc(size, 1));
    const reading = await answer(server, `/v2/${repo}/blobs/${digest}`, { ca: oldCa });
    const serial = ({ cert }: ServedTls): string => new X509Certificate(cert).serialNumber;
    assert.equal((await shown(t, server, oldCa)).serialNumber, serial(old));
    assert.throws(() => server.renewTls({ cert: fresh.cert, key: old.key }), /mismatch/);
    assert.equal((await shown(t, server, oldCa)).serialNumber, serial(old));
    server.renewTls(fresh);
    assert.equal((await shown(t, server, freshCa)).serialNumber, serial(fresh));
    let read = 0;
    for await (const chunk of reading) read += (chunk as Buffer).length;
    assert.equal(read, size);
  });

  it('accepts only client certificates of the given authority, if one is given', async (t) => {
    if (!needs(t, 'openssl')) return;
    const [certificates, others] = [await makeCertificates(t), await makeCertificates(t)];
    const tls = await tlsOf(certificates);
    const ca = await readFile(certificates.authority, 'utf8');
    const server = await startServer(t, { tls: { ...tls, clientCa: [ca] } });
    const known = await answer(server, '/v2/', { ca, ...tls });
    assert.equal(known.resume().statusCode, 200);
    await assert.rejects(answer(server, '/v2/', { ca }));
    await assert.rejects(answer(server, '/v2/', { ca, ...(await tlsOf(others)) }));
    server.renewTls({ ...(await tlsOf(others)), clientCa: [await readFile(others.authority, 'utf8')] });
    const now = { ca: await readFile(others.authority, 'utf8') };
    await assert.rejects(answer(server, '/v2/', { ...now, ...tls }));
    const then = await answer(server, '/v2/', { ...now, ...(await tlsOf(others)) });
    assert.equal(then.resume().statusCode, 200);
    assert.equal(server.log.length, 2);
  });
});
