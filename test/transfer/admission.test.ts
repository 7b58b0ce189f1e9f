import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOciError, OciError } from '../../src/model/errors.ts';
import { parsePlatform } from '../../src/model/platform/platform.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import type { ArrivingImage } from '../../src/registry/admission.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { admitting } from '../../src/registry/wrappers/admitting.ts';
import { createBatch } from '../../src/transfer/batch.ts';
import { previewTransfer } from '../../src/transfer/plan/preview.ts';
import { transfer } from '../../src/transfer/transfer.ts';
import { imageFor } from '../commands/copy/places.ts';
import { buildIndex, pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';
import { intercept } from '../support/network/intercept.ts';

const repo = parseRepositoryName('team/app');
const one = parseTag('1');
const amd64 = await imageFor('amd64', ['a']);
const arm64 = await imageFor('arm64', ['b']);
const index = await buildIndex([amd64, arm64]);
const digestOf = (built: { readonly descriptor: { readonly digest: string } }): string => built.descriptor.digest;

async function source(): Promise<Registry> {
  const registry = memoryRegistry();
  await pushImage(registry, repo, one, index);
  return registry;
}

interface Judged {
  readonly reference: string;
  readonly named: string;
  readonly manifests: readonly string[];
}

/** A source that notes what it is asked, and answers so. */
async function judged(answer: () => void = () => {}): Promise<{ from: Registry; asked: Judged[] }> {
  const asked: Judged[] = [];
  const admit = async ({ reference, named, manifests }: ArrivingImage): Promise<string> => {
    const digests = (await manifests()).map(digestOf).sort();
    asked.push({ reference, named, manifests: digests });
    answer();
    return 'the rule';
  };
  return { from: admitting(await source(), admit), asked };
}

function refuse(): never {
  throw new OciError('UNTRUSTED', 'no');
}

const ends = (from: Registry, to: Registry) => ({
  from: { registry: from, repo, reference: one },
  to: { registry: to, repo, tags: [one] },
});

describe('a source that judges what is copied', () => {
  const all = [index, amd64, arm64].map(digestOf).sort();

  it('is shown all manifests that are copied', async () => {
    const { from, asked } = await judged();
    await transfer(ends(from, memoryRegistry())).result;
    assert.deepEqual(asked, [{ reference: '1', named: digestOf(index), manifests: all }]);
  });

  it('is shown those of the chosen platforms', async () => {
    const { from, asked } = await judged();
    const { from: source, to } = ends(from, memoryRegistry({ sparseIndexes: true }));
    await transfer({ from: source, to: { ...to, sparse: true }, platforms: [parsePlatform('linux/arm64')] }).result;
    const manifests = [index, arm64].map(digestOf).sort();
    assert.deepEqual(asked, [{ reference: '1', named: digestOf(index), manifests }]);
  });

  it('is told what an image was chosen from', async () => {
    const { from, asked } = await judged();
    const { from: source, to } = ends(from, memoryRegistry());
    const chosen = { reference: amd64.descriptor.digest, asked: { reference: one, digest: index.descriptor.digest } };
    await transfer({ from: { ...source, ...chosen }, to }).result;
    assert.deepEqual(asked, [{ reference: '1', named: digestOf(index), manifests: [digestOf(amd64)] }]);
  });

  it('is asked about what the destination has, and shown all of it', async () => {
    const { from, asked } = await judged();
    const to = memoryRegistry();
    await transfer(ends(from, to)).result;
    const again = await transfer(ends(from, to)).result;
    assert.equal(again.changed, false);
    assert.deepEqual(asked[1], { reference: '1', named: digestOf(index), manifests: all });
  });

  it('is asked for each image of a batch, also for manifests that another one has brought', async () => {
    const { from, asked } = await judged();
    await from.pushManifest(repo, amd64.manifest, { tags: [parseTag('2')] });
    const batch = createBatch();
    const { from: source, to } = ends(from, memoryRegistry());
    const two = parseTag('2');
    await batch.transfer({ from: { ...source, reference: two }, to: { ...to, tags: [two] } });
    await batch.transfer({ from: source, to });
    batch.end();
    assert.deepEqual(asked[1]?.manifests, all);
  });

  for (const [name, run] of Object.entries({
    'a transfer': (from: Registry, to: Registry) => transfer(ends(from, to)).result,
    'a transfer that changes blobs': (from: Registry, to: Registry) =>
      transfer({ ...ends(from, to), transform: { blob: async () => assert.fail('a blob was read') } }).result,
    'a preview': (from: Registry, to: Registry) => previewTransfer(ends(from, to)),
  })) {
    it(`ends ${name} before anything is read or written if it refuses`, async () => {
      const { from } = await judged(refuse);
      const moved = async (): Promise<never> => assert.fail('something moved');
      const reading = intercept(from, { getBlob: moved });
      const to = intercept(memoryRegistry(), { pushBlob: moved, pushManifest: moved, mountBlob: moved });
      await assert.rejects(run(reading, to), (error) => isOciError(error, 'UNTRUSTED'));
    });
  }

  it('lets the failure of a read pass that it does not need', async () => {
    const admit = async ({ manifests }: ArrivingImage) => manifests().then(String, String);
    const from = admitting(memoryRegistry(), admit);
    await assert.rejects(transfer(ends(from, memoryRegistry())).result, (error) =>
      isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN'),
    );
  });
});
