import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { type Digest, parseDigest } from '../../../src/model/digest.ts';
import { DigestTable } from '../../../src/storage/digests/digest-table.ts';
import { Edges } from '../../../src/storage/digests/edges.ts';

const digestOf = (algorithm: 'sha256' | 'sha512', seed: number): Digest =>
  parseDigest(`${algorithm}:${createHash(algorithm).update(String(seed)).digest('hex')}`);

describe('a table of digests', () => {
  it('is a set that numbers what is added, of any algorithm', () => {
    const table = new DigestTable();
    const added: Digest[] = [];
    for (let seed = 0; seed < 60_000; seed += 1) {
      const digest = digestOf(seed % 10 === 0 ? 'sha512' : 'sha256', seed);
      assert.equal(table.add(digest), seed);
      added.push(digest);
    }
    for (const [number, digest] of added.entries()) {
      assert.equal(table.numberOf(digest), number);
      assert.equal(table.add(digest), number);
    }
    assert.equal(table.size, added.length);
    assert.deepEqual([...table], added);
    for (let seed = 60_000; seed < 61_000; seed += 1) assert.equal(table.has(digestOf('sha256', seed)), false);
  });

  it('tells digests apart that differ in their algorithm or last digit', () => {
    const table = new DigestTable();
    const hex = 'ab'.repeat(32);
    table.add(parseDigest(`sha256:${hex}`));
    assert.equal(table.has(parseDigest(`blake3:${hex}`)), false);
    assert.equal(table.has(parseDigest(`sha256:${hex.slice(0, -1)}c`)), false);
  });
});

describe('arrows between numbers', () => {
  it('are found by where they begin', () => {
    const edges = new Edges();
    assert.deepEqual([...edges.from(0)], []);
    for (let from = 100; from > 0; from -= 1) for (let to = 0; to < from % 5; to += 1) edges.add(from, to);
    edges.add(3, 900);
    for (const from of [1, 2, 5, 99, 100, 101]) {
      assert.deepEqual([...edges.from(from)], [...Array(from > 100 ? 0 : from % 5).keys()]);
    }
    assert.deepEqual([...edges.from(3)], [0, 1, 2, 900]);
  });
});
