import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import * as zlib from 'node:zlib';
import { digestBytes } from '../../src/model/digest.ts';
import { parseTag } from '../../src/model/reference/reference.ts';
import { readContent } from '../../src/registry/content.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { type Answer, json } from '../support/fake-server.ts';
import { zstdFrame } from '../support/images/zstd.ts';
import { fails, fakeRegistry, repo } from './fake-registry.ts';

const encoders: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: (bytes) => zlib.gzipSync(bytes),
  'x-gzip': (bytes) => zlib.gzipSync(bytes),
  br: (bytes) => zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }),
  deflate: (bytes) => zlib.deflateSync(bytes),
  zstd: zstdFrame,
};
const hasZstd = 'createZstdDecompress' in zlib;
const ociIndex = 'application/vnd.oci.image.index.v1+json';
const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [] }));
const manifestDigest = await digestBytes(manifest);
const tag = parseTag('1');

/** Answers with an encoding that was not requested. */
function encoded(bytes: Uint8Array, encoding: string, headers: Readonly<Record<string, string | number>> = {}): Answer {
  return ({ method }, response) => {
    response.writeHead(200, { 'content-encoding': encoding, 'content-length': bytes.length, ...headers });
    response.end(method === 'HEAD' ? undefined : bytes);
  };
}

/** The same without a length. */
function chunked(bytes: Uint8Array, encoding: string): Answer {
  return ({ method }, response) => {
    response.writeHead(200, { 'content-encoding': encoding });
    if (method === 'HEAD') return response.end();
    response.write(bytes.subarray(0, 100_000));
    response.end(bytes.subarray(100_000));
  };
}

async function read(
  registry: Registry,
  ...words: Parameters<Registry['getBlob']> extends [unknown, ...infer R] ? R : never
) {
  return Buffer.from(await readContent(await registry.getBlob(repo, ...words), 50_000_000));
}

describe('the size of a blob that comes encoded although none of it was asked for', () => {
  it('is that of what has the digest, decoded or as it was sent', async (t) => {
    const text = Buffer.from('text '.repeat(1000));
    const packed = zlib.gzipSync(text);
    for (const answer of [encoded(packed, 'gzip'), chunked(packed, 'gzip')]) {
      const { registry } = await fakeRegistry(t, answer);
      assert.equal((await registry.statBlob(repo, await digestBytes(text))).size, text.length);
      assert.equal((await registry.statBlob(repo, await digestBytes(packed))).size, packed.length);
    }
  });
});

describe('a manifest that comes encoded although none of it was asked for', () => {
  for (const [encoding, encode] of Object.entries(encoders)) {
    if (encoding === 'zstd' && !hasZstd) continue;
    it(`is decoded from ${encoding}, by tag, by digest and by HEAD`, async (t) => {
      const { registry } = await fakeRegistry(t, encoded(encode(manifest), encoding, { 'content-type': ociIndex }));
      assert.deepEqual(Buffer.from((await registry.getManifest(repo, tag)).bytes), manifest);
      assert.equal((await registry.getManifest(repo, manifestDigest)).descriptor.digest, manifestDigest);
      const { size, digest } = await registry.statManifest(repo, tag);
      assert.deepEqual([size, digest], [manifest.length, manifestDigest]);
    });
  }

  it('may be deflate without zlib’s frame, or twice encoded, or said to be encoded and plain', async (t) => {
    for (const [bytes, encoding] of [
      [zlib.deflateRawSync(manifest), 'deflate'],
      [zlib.brotliCompressSync(zlib.gzipSync(manifest)), 'gzip, br'],
      [manifest, 'gzip'],
      [manifest, 'aws-chunked'],
      [manifest, 'identity'],
    ] as const) {
      const { registry } = await fakeRegistry(t, encoded(bytes, encoding, { 'content-type': ociIndex }));
      assert.deepEqual(Buffer.from((await registry.getManifest(repo, manifestDigest)).bytes), manifest);
    }
  });

  it('is an error that names the encoding, where it is not what was asked for or cannot be decoded', async (t) => {
    const other = Buffer.from(manifest.toString().replace('[]', '[ ]'));
    for (const [bytes, encoding, code] of [
      [zlib.gzipSync(other), 'gzip', 'DIGEST_MISMATCH'],
      [other, 'gzip', 'DIGEST_MISMATCH'],
      [zlib.gzipSync(manifest).subarray(0, 40), 'gzip', 'PROTOCOL'],
      [randomBytes(100), 'compress', 'PROTOCOL'],
      [zlib.gzipSync(zlib.gzipSync(zlib.gzipSync(manifest))), 'gzip, gzip, gzip', 'PROTOCOL'],
      ...(hasZstd ? [] : ([[zstdFrame(manifest), 'zstd', 'PROTOCOL']] as const)),
    ] as const) {
      const { registry } = await fakeRegistry(t, encoded(bytes, encoding, { 'content-type': ociIndex }));
      const named = new RegExp(`Content-Encoding: ${encoding}`);
      await assert.rejects(registry.getManifest(repo, manifestDigest), fails(code, named));
    }
  });

  it('is too large as soon as more is decoded than is allowed', async (t) => {
    const bomb = zlib.gzipSync(Buffer.alloc(50_000_000, ' '), { level: 1 });
    const { registry } = await fakeRegistry(t, encoded(bomb, 'gzip', { 'content-type': ociIndex }));
    await assert.rejects(registry.getManifest(repo, tag), fails('TOO_LARGE'));
  });
});

describe('JSON that comes encoded', () => {
  it('is read in lists, from token servers and in errors', async (t) => {
    const gzipped = (value: unknown): Buffer => zlib.gzipSync(JSON.stringify(value));
    const headers = { 'content-encoding': 'gzip', 'content-type': 'application/json' };
    const { registry } = await fakeRegistry(t, ({ path, headers: asked }, response) => {
      const realm = `Bearer realm="http://${asked.host}/token"`;
      if (path === '/token') return response.writeHead(200, headers).end(gzipped({ token: 'secret' }));
      if (asked.authorization !== 'Bearer secret') return response.writeHead(401, { 'www-authenticate': realm }).end();
      if (path.endsWith('/tags/list')) return response.writeHead(200, headers).end(gzipped({ tags: ['a', 'b'] }));
      return response
        .writeHead(404, headers)
        .end(gzipped({ errors: [{ code: 'NAME_UNKNOWN', message: 'gone away' }] }));
    });
    const tags: string[] = [];
    for await (const found of registry.tags(repo)) tags.push(found);
    assert.deepEqual(tags, ['a', 'b']);
    await assert.rejects(registry.getManifest(repo, tag), fails('NAME_UNKNOWN', /gone away/));
  });

  it('is an error with the words of its status where it is not what it says', async (t) => {
    const { registry } = await fakeRegistry(t, (_, response) =>
      json(response, 403, { errors: [{ code: 'DENIED', message: 'not you' }] }, { 'content-encoding': 'gzip' }),
    );
    await assert.rejects(registry.getManifest(repo, tag), fails('DENIED', /not you/));
  });
});

const layer = zlib.gzipSync(randomBytes(100_000));
const large = zlib.gzipSync(randomBytes(4_300_000), { level: 1 });
const tar = Buffer.alloc(6_000_000, 'plain text of a tar archive ');

async function descriptor(bytes: Uint8Array, mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip') {
  return { mediaType, digest: await digestBytes(bytes), size: bytes.length };
}

describe('a blob that comes with an encoding', () => {
  for (const [what, bytes] of Object.entries({ small: layer, large })) {
    it(`is what was sent where that has its digest, ${what}, with and without a length`, async (t) => {
      const blob = await descriptor(bytes);
      for (const answer of [encoded(bytes, 'gzip'), chunked(bytes, 'gzip'), encoded(bytes, 'aws-chunked')]) {
        const { registry } = await fakeRegistry(t, answer);
        assert.deepEqual(await read(registry, blob), bytes);
      }
    });

    for (const [encoding, encode] of Object.entries(encoders)) {
      if (encoding === 'zstd' && !hasZstd) continue;
      it(`is decoded from ${encoding} where that has its digest, ${what}, with and without a length`, async (t) => {
        const blob = await descriptor(bytes);
        const sent = encode(bytes);
        for (const answer of [encoded(sent, encoding), chunked(sent, encoding)]) {
          const { registry } = await fakeRegistry(t, answer);
          assert.deepEqual(await read(registry, blob), bytes);
          assert.deepEqual(await read(registry, blob, { verify: false }), bytes);
          const range = { start: 10_000, end: 20_000 };
          assert.deepEqual(await read(registry, blob, { range }), bytes.subarray(10_000, 20_000));
        }
      });
    }
  }

  it('is decoded whatever its type, and by digest alone where it is small', async (t) => {
    const blob = await descriptor(tar, 'application/vnd.oci.image.layer.v1.tar');
    const { registry } = await fakeRegistry(t, chunked(zlib.gzipSync(tar), 'gzip'));
    assert.deepEqual(await read(registry, blob), tar);
    const config = Buffer.from('{"os":"linux"}');
    const small = await fakeRegistry(t, chunked(zlib.gzipSync(config), 'gzip'));
    assert.deepEqual(await read(small.registry, await digestBytes(config)), config);
  });

  it('goes on where it was cut, although ranges of it are ranges of something else', async (t) => {
    const blob = await descriptor(large);
    const sent = zlib.gzipSync(large);
    const { registry, server } = await fakeRegistry(t, ({ nth, headers }, response) => {
      response.writeHead(headers.range ? 206 : 200, {
        'content-encoding': 'gzip',
        'content-length': sent.length,
        ...(headers.range && { 'content-range': `bytes 0-${sent.length - 1}/${sent.length}` }),
      });
      if (nth > 0) response.end(sent);
      else response.write(sent.subarray(0, 3_000_000), () => setTimeout(() => response.destroy(), 20));
    });
    assert.deepEqual(await read(registry, blob), large);
    assert.equal(server.requests.length, 2);
  });

  it('is an error that names the encoding where neither has its digest', async (t) => {
    for (const bytes of [layer, large]) {
      const blob = await descriptor(bytes);
      const wrong = Buffer.from(bytes);
      wrong.writeUInt8(wrong.readUInt8(5000) ^ 1, 5000);
      for (const [sent, encoding] of [
        [zlib.gzipSync(wrong), 'gzip'],
        [wrong, 'br'],
        [wrong, 'aws-chunked'],
        [zlib.gzipSync(bytes).subarray(0, -20), 'gzip'],
      ] as const) {
        const { registry } = await fakeRegistry(t, encoded(sent, encoding));
        for (const verify of [true, false]) {
          await assert.rejects(read(registry, blob, { verify }), (error) => {
            assert.match(String((error as Error).message), new RegExp(`Content-Encoding: ${encoding}`));
            return true;
          });
        }
      }
    }
  });

  it('ends at the first byte too many, when it unfolds to more than it should be', async (t) => {
    const bomb = zlib.gzipSync(Buffer.alloc(50_000_000), { level: 1 });
    for (const size of [1000, 4_300_000]) {
      const blob = { ...(await descriptor(layer)), size };
      const { registry } = await fakeRegistry(t, encoded(bomb, 'gzip'));
      await assert.rejects(read(registry, blob), fails('SIZE_MISMATCH', /more than.*Content-Encoding: gzip/));
    }
  });
});
