import assert from 'node:assert/strict';
import type { Digest } from '../../src/model/digest.ts';
import type { Descriptor } from '../../src/model/manifest/descriptor.ts';
import type { ByteRange } from '../../src/registry/registry.ts';
import { blobOf, check, failsWith, pushBytes, read, type Subject, type Suite, uniqueBytes } from './contract.ts';

/** For a blob of 1000 bytes. */
const good: readonly [string, ByteRange, number, number][] = [
  ['the first byte', { start: 0, end: 1 }, 0, 1],
  ['a middle part, its end exclusive', { start: 100, end: 300 }, 100, 300],
  ['everything from a byte on', { start: 700 }, 700, 1000],
  ['the last byte', { start: 999 }, 999, 1000],
  ['up to the end, given exactly', { start: 10, end: 1000 }, 10, 1000],
  ['up to the end, where the range goes past it', { start: 990, end: 5000 }, 990, 1000],
  ['up to the end, where the range goes as far past it as can be', { start: 1, end: 2 ** 53 - 1 }, 1, 1000],
  ['the whole', { start: 0 }, 0, 1000],
];

/** For any blob. */
const impossible: readonly [string, ByteRange][] = [
  ['a negative start', { start: -1 }],
  ['a negative start and an end', { start: -1, end: 3 }],
  ['a negative end', { start: 0, end: -1 }],
  ['two negative numbers', { start: -5, end: -1 }],
  ['a fractional start', { start: 0.5, end: 3 }],
  ['a fractional end', { start: 0, end: 2.5 }],
  ['a start that is no number', { start: Number.NaN, end: 3 }],
  ['an end that is no number', { start: 0, end: Number.NaN }],
  ['an infinite start', { start: Number.POSITIVE_INFINITY }],
  ['an infinite end', { start: 0, end: Number.POSITIVE_INFINITY }],
  ['a start past what counts exactly', { start: 2 ** 53 }],
  ['an end before the start', { start: 5, end: 3 }],
  ['an end at the start', { start: 5, end: 5 }],
  ['an end at the first byte', { start: 0, end: 0 }],
];

/** For a blob of 1000 bytes. */
const pastTheEnd: readonly ByteRange[] = [{ start: 1000 }, { start: 1001, end: 2000 }, { start: 1_000_000 }];

const emptyRest: readonly ByteRange[] = [{ start: 0 }, { start: 0, end: 1 }, { start: 0, end: 1000 }];

export function rangeContract(suite: Suite): void {
  for (const [what, range, start, end] of good) {
    check(suite, `reads ${what}`, async (subject) => {
      const bytes = uniqueBytes(1000);
      for (const blob of await waysToAsk(subject, bytes)) {
        assert.deepEqual(await readRange(subject, blob, range), Buffer.from(bytes.subarray(start, end)));
      }
    });
  }

  for (const [what, range] of impossible) {
    check(suite, `refuses ${what}, of a blob, an empty blob and an unknown one`, async (subject) => {
      const unknown = await blobOf(uniqueBytes(1000));
      const blobs = [
        ...(await waysToAsk(subject, uniqueBytes(1000))),
        ...(await waysToAsk(subject, new Uint8Array(0))),
        unknown.digest,
        unknown,
      ];
      for (const blob of blobs) await assert.rejects(readRange(subject, blob, range), failsWith('RANGE_INVALID'));
    });
  }

  for (const range of pastTheEnd) {
    check(suite, `refuses a range from ${range.start} on in a blob of 1000 bytes`, async (subject) => {
      for (const blob of await waysToAsk(subject, uniqueBytes(1000))) {
        await assert.rejects(readRange(subject, blob, range), failsWith('RANGE_INVALID'));
      }
    });
  }

  check(suite, 'gives the empty rest of an empty blob, and no other part', async (subject) => {
    for (const blob of await waysToAsk(subject, new Uint8Array(0))) {
      for (const range of emptyRest) assert.equal((await readRange(subject, blob, range)).length, 0);
      await assert.rejects(readRange(subject, blob, { start: 1 }), failsWith('RANGE_INVALID'));
    }
  });
}

/** A blob in the registry, requested by digest and by descriptor; and a blob inside its descriptor. */
async function waysToAsk({ registry, repo }: Subject, bytes: Uint8Array): Promise<readonly (Digest | Descriptor)[]> {
  const descriptor = await pushBytes(registry, repo, bytes);
  return [descriptor.digest, descriptor, { ...descriptor, data: Buffer.from(bytes).toString('base64') }];
}

async function readRange({ registry, repo }: Subject, blob: Digest | Descriptor, range: ByteRange): Promise<Buffer> {
  return read(await registry.getBlob(repo, blob, { range }));
}
