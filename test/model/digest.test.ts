import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createHasher,
  type DigestAlgorithm,
  digestAlgorithm,
  digestAlgorithms,
  digestBytes,
  digestHex,
  parseDigest,
  shortDigest,
  tryParseDigest,
} from '../../src/model/digest.ts';
import { isOciError } from '../../src/model/errors.ts';
import { processorMs } from '../support/processor-time.ts';

/** Test vectors of FIPS 180-4 and the BLAKE3 paper: the digests of the empty string and of `abc`. */
const vectors: Readonly<Record<DigestAlgorithm, readonly [empty: string, abc: string]>> = {
  sha256: [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  ],
  sha384: [
    '38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b',
    'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  ],
  sha512: [
    'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  ],
  blake3: [
    'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
    '6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85',
  ],
};

describe('hashing', () => {
  for (const [name, [empty, abc]] of Object.entries(vectors)) {
    const algorithm = name as DigestAlgorithm;
    it(`${algorithm} gives the published digests, whole and in pieces`, async () => {
      assert.equal(await digestBytes(new Uint8Array(), algorithm), `${algorithm}:${empty}`);
      assert.equal(await digestBytes(Buffer.from('abc'), algorithm), `${algorithm}:${abc}`);
      const hasher = await createHasher(algorithm);
      for (const piece of ['a', '', 'bc']) hasher.update(Buffer.from(piece));
      assert.equal(hasher.algorithm, algorithm);
      const digest = hasher.digest();
      assert.equal(digest, `${algorithm}:${abc}`);
      assert.equal(parseDigest(digest), digest);
      assert.equal(digestHex(digest).length, digestAlgorithms[algorithm]);
    });
  }

  it('is sha256 by default', async () => {
    assert.equal(digestAlgorithm(await digestBytes(new Uint8Array())), 'sha256');
  });

  it('takes chunks that are views into a larger buffer', async () => {
    const buffer = Buffer.from('xabcx');
    assert.equal(await digestBytes(buffer.subarray(1, 4)), `sha256:${vectors.sha256[1]}`);
    assert.equal(await digestBytes(buffer.subarray(1, 4), 'blake3'), `blake3:${vectors.blake3[1]}`);
  });
});

describe('reading a digest', () => {
  it('gives its parts', () => {
    const digest = parseDigest(`sha512:${'ab'.repeat(64)}`);
    assert.equal(digestAlgorithm(digest), 'sha512');
    assert.equal(digestHex(digest), 'ab'.repeat(64));
    assert.equal(shortDigest(digest), 'abababababab');
  });

  it('refuses all else, with Docker’s words', () => {
    const hex = 'a'.repeat(64);
    for (const [text, message] of [
      ['', /^invalid digest format/],
      [hex, /^invalid digest format/],
      [`:${hex}`, /^invalid digest format/],
      ['sha256:', /^invalid digest format/],
      [`SHA256:${hex}`, /^invalid digest format/],
      [`sha256:${hex.toUpperCase()}`, /^invalid digest format/],
      [`sha256:${'g'.repeat(64)}`, /^invalid digest format/],
      [`sha256:${hex}\n`, /^invalid digest format/],
      [` sha256:${hex}`, /^invalid digest format/],
      [`sha256:../../../etc/passwd`, /^invalid digest format/],
      [`sha256:${hex}/`, /^invalid digest format/],
      [`sha256:${hex.slice(1)}`, /^invalid digest length: sha256 has 64 hexadecimal digits, not 63/],
      [`sha256:${hex}a`, /^invalid digest length/],
      [`sha512:${hex}`, /^invalid digest length/],
      [`md5:${'a'.repeat(32)}`, /^unsupported digest algorithm: "md5"/],
      [`constructor:${hex}`, /^unsupported digest algorithm/],
      [`__proto__:${hex}`, /^invalid digest format/],
      [`sha256+b64:${hex}`, /^unsupported digest algorithm/],
      [`a\u001b[2J:${hex}`, /^invalid digest format/],
    ] as const) {
      assert.throws(
        () => parseDigest(text),
        (error) => isOciError(error, 'DIGEST_INVALID') && message.test(error.message) && !/\p{Cc}/u.test(error.message),
        text,
      );
      assert.equal(tryParseDigest(text), undefined);
    }
    assert.equal(tryParseDigest(null), undefined);
    assert.equal(tryParseDigest(`sha256:${hex}`), `sha256:${hex}`);
  });

  it('answers 100 KB of hostile text in milliseconds', () => {
    for (const piece of ['a', 'a.', ':', 'a-', '.', '\u0000']) {
      const tookMs = processorMs(() => {
        assert.equal(tryParseDigest(`${piece.repeat(100_000)}:x`), undefined);
        assert.equal(tryParseDigest(`sha256:${piece.repeat(100_000)}`), undefined);
      });
      assert.ok(tookMs < 500, piece);
    }
  });
});
