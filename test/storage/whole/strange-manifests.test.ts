import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestBytes } from '../../../src/model/digest.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { createMemoryDriver } from '../../../src/storage/drivers/memory.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import { blobPath, mediaTypePath, revisionLinkPath, tagCurrentPath } from '../../../src/storage/paths.ts';
import { checkStore } from '../../../src/storage/whole/check-store.ts';
import type { StoreFault } from '../../../src/storage/whole/faults.ts';
import { describeBytes, repo, text } from '../stores.ts';

/** The faults of a store that has these bytes as a manifest with a tag, as another program may have stored them. */
async function faultsOf(bytes: Uint8Array, mediaType?: string): Promise<StoreFault[]> {
  const driver = createMemoryDriver();
  const digest = await digestBytes(bytes);
  await driver.put(blobPath(digest), bytes);
  await driver.put(revisionLinkPath(repo, digest), text(digest));
  await driver.put(tagCurrentPath(repo, parseTag('1')), text(digest));
  if (mediaType !== undefined) await driver.put(mediaTypePath(repo, digest), text(mediaType));
  const faults: StoreFault[] = [];
  await checkStore(openStore({ driver }), { bytes: true, onFault: async (fault) => void faults.push(fault) });
  return faults;
}

const index = (fields: Readonly<Record<string, unknown>>) =>
  text(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [], ...fields }));

describe('a check of manifests whose bytes are right', () => {
  it('tells those that no client can use, with their tag and why', async () => {
    const entry = { ...(await describeBytes(text('x'))), mediaType: mediaTypes.ociManifest };
    for (const [what, bytes, why] of [
      ['much too large', index({ annotations: { a: 'x'.repeat(6_000_000) } }), /has more than the 4194304 bytes/],
      ['nested', text(`{"schemaVersion":2,"manifests":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), /nested|deep/],
      ['with a descriptor of a negative size', index({ manifests: [{ ...entry, size: -5 }] }), /size/],
      ['of no JSON', text('nothing'), /JSON/],
    ] as const) {
      const [fault, ...more] = await faultsOf(bytes);
      assert.deepEqual(
        [fault?.kind, fault?.state, fault?.names, more.length],
        ['manifest', 'invalid', [`${repo}:1`], 0],
        what,
      );
      assert.match(fault?.error?.message ?? '', why, what);
    }
  });

  it('tells nothing of types that are unknown here, and of schema 1', async () => {
    assert.deepEqual(await faultsOf(text('anything'), 'application/vnd.test'), []);
    assert.deepEqual(await faultsOf(index({ mediaType: 'application/vnd.test+json' })), []);
    assert.deepEqual(await faultsOf(text('{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[],"history":[]}')), []);
  });
});
