import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import type { TlsSettings } from '../../src/certs/tls-settings.ts';
import { isOciError } from '../../src/model/errors.ts';
import { createTransport } from '../../src/transport/transport.ts';
import { type Answer, startFakeServer } from '../support/fake-server.ts';
import { needs } from '../support/programs.ts';
import { atEnd, temporaryDirectory } from '../support/sandbox.ts';

const exec = promisify(execFile);
const ok: Answer = (_, response) => response.end('ok');

interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** Root, intermediate, leaf for localhost and a client; and a self-signed certificate that is not an authority. */
async function makeChain(t: TestContext): Promise<Record<'root' | 'between' | 'leaf' | 'client' | 'alone', Pair>> {
  const directory = await temporaryDirectory(t);
  const made = async (name: string, extensions: string, by?: string): Promise<Pair> => {
    await writeFile(join(directory, `${name}.cnf`), `[req]\ndistinguished_name=dn\n[dn]\n[ext]\n${extensions}\n`);
    const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';
    const words = `req -x509 ${newKey} -days 2 -subj /CN=${name} -keyout ${name}.key -out ${name}.crt`;
    const signer = by === undefined ? '' : ` -CA ${by}.crt -CAkey ${by}.key`;
    await exec('openssl', `${words} -config ${name}.cnf -extensions ext${signer}`.split(' '), { cwd: directory });
    const read = (ending: string) => readFile(join(directory, `${name}.${ending}`), 'utf8');
    return { cert: await read('crt'), key: await read('key') };
  };
  const authority = 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign';
  const server = 'basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost';
  return {
    root: await made('root', authority),
    between: await made('between', authority, 'root'),
    leaf: await made('leaf', server, 'between'),
    client: await made('client', 'basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth', 'between'),
    alone: await made('alone', server),
  };
}

async function get(t: TestContext, url: string, tls: TlsSettings): Promise<string> {
  const transport = createTransport({ base: new URL(url), tls, retry: { attempts: 1 } });
  atEnd(t, () => transport.close());
  const response = await transport.request({ method: 'GET', url });
  return Buffer.from(await response.body.bytes(1000)).toString();
}

const isUnknown = (error: unknown): boolean => isOciError(error, 'TLS') && /unknown authority/.test(error.message);

describe('trust anchors', () => {
  it('may be the root, an intermediate or the server’s own certificate, as in Go', async (t) => {
    if (!needs(t, 'openssl')) return;
    const { root, between, leaf, alone } = await makeChain(t);
    const whole = await startFakeServer(t, ok, { tls: { cert: leaf.cert + between.cert, key: leaf.key } });
    const short = await startFakeServer(t, ok, { tls: leaf });
    const self = await startFakeServer(t, ok, { tls: alone });
    for (const [server, anchor] of [
      [whole, root],
      [whole, between],
      [whole, leaf],
      [short, between],
      [short, leaf],
      [self, alone],
    ] as const) {
      assert.equal(await get(t, server.url, { ca: [anchor.cert] }), 'ok');
      assert.equal(await get(t, server.url, { systemRoots: async () => [anchor.cert] }), 'ok');
    }
    for (const [server, anchor] of [
      [short, root],
      [whole, alone],
      [self, leaf],
    ] as const) {
      await assert.rejects(get(t, server.url, { ca: [anchor.cert] }), isUnknown);
    }
  });

  it('vouch for no other name', async (t) => {
    if (!needs(t, 'openssl')) return;
    const { leaf } = await makeChain(t);
    const server = await startFakeServer(t, ok, { tls: leaf });
    const url = server.url.replace('localhost', '127.0.0.1');
    await assert.rejects(get(t, url, { ca: [leaf.cert] }), /certificate is for localhost, not for 127\.0\.0\.1/);
  });

  it('come with a client certificate that brings its own intermediate', async (t) => {
    if (!needs(t, 'openssl')) return;
    const { root, between, leaf, client } = await makeChain(t);
    const seen: string[] = [];
    const note: Answer = (_, response, incoming) => {
      const { subject } = (incoming.socket as TLSSocket).getPeerCertificate();
      seen.push((subject as { CN: string }).CN);
      response.end('ok');
    };
    const wanted = { ca: root.cert, requestCert: true, rejectUnauthorized: true };
    const server = await startFakeServer(t, note, { tls: { ...leaf, ...wanted } });
    const shown = { cert: client.cert + between.cert, key: client.key };
    assert.equal(await get(t, server.url, { ca: [between.cert], ...shown }), 'ok');
    assert.deepEqual(seen, ['client']);
  });
});
