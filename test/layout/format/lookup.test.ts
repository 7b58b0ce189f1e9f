import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type LayoutIndex, parseLayoutIndex } from '../../../src/layout/format/index-entries.ts';
import { findDigest, findName, tagsOf } from '../../../src/layout/format/index-lookup.ts';
import { digestBytes } from '../../../src/model/digest.ts';

const sizes = [100, 400] as const;

/** An index with so many images under names of their own, that counts how often its entries are looked at. */
async function countedIndex(count: number) {
  const digests = await Promise.all(Array.from({ length: count }, (_, i) => digestBytes(Buffer.from(`${i}`))));
  const manifests = digests.map((digest, i) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest,
    size: 1,
    annotations: {
      'org.opencontainers.image.ref.name': `v${i}`,
      'io.containerd.image.name': `docker.io/library/app:v${i}`,
    },
  }));
  const index = parseLayoutIndex({ manifests });
  const looks = { count: 0 };
  const entries = index.entries.map(
    (entry) =>
      new Proxy(entry, {
        get(target, key) {
          looks.count += 1;
          return Reflect.get(target, key);
        },
      }),
  );
  return { index: { ...index, entries } satisfies LayoutIndex, digests, looks };
}

describe('an index.json with many images', () => {
  it('is not searched once for each: four times as many cost four times as many looks at entries', async () => {
    const costs: number[] = [];
    for (const size of sizes) {
      const { index, digests, looks } = await countedIndex(size);
      for (const [i, digest] of digests.entries()) {
        assert.equal(findDigest(index, digest)?.digest, digest);
        // By containerd's annotation, and by another spelling of it.
        for (const name of [`docker.io/library/app:v${i}`, `app:v${i}`]) {
          assert.equal(findName(index, name)?.descriptor.digest, digest);
        }
        assert.equal([...tagsOf(index).values()][i]?.digest, digest);
      }
      costs.push(looks.count);
    }
    const [few = 0, many = 0] = costs;
    assert.ok(few > 0 && many <= 4 * few, `${few} looks at 100 entries, ${many} at 400`);
  });
});
