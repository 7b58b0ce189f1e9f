import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { type TransferOptions, transfer } from '../../src/transfer/transfer.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';
import { intercept } from '../support/network/intercept.ts';

const repo = parseRepositoryName('team/app');
const tag = parseTag('v1');

/** A registry with an image whose layers differ in size. */
async function imageOf(count: number, name: string): Promise<Registry> {
  const layers = Array.from({ length: count }, (_, i) => ({
    files: { [name]: 'x'.repeat(2000 * (i + 1)) },
    compression: 'none' as const,
  }));
  const registry = memoryRegistry();
  await pushImage(registry, repo, tag, await buildImage({ layers }));
  return registry;
}

function run(registry: Registry, to: Registry, options: Partial<TransferOptions>): Promise<unknown> {
  return transfer({ from: { registry, repo, reference: tag }, to: { registry: to, repo, tags: [tag] }, ...options })
    .result;
}

/** A registry that takes 5 ms for each blob, and records how many came at once. */
function countingTarget() {
  const sizes: number[] = [];
  let running = 0;
  let most = 0;
  const target = intercept(memoryRegistry(), {
    pushBlob: async (next, ...args) => {
      sizes.push(args[1].size);
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return next(...args).finally(() => {
        running -= 1;
      });
    },
  });
  return { target, sizes, most: () => most };
}

describe('blobs of a transfer', () => {
  it('move as many at once as asked for at most, the largest first', async () => {
    const { target, sizes, most } = countingTarget();
    await run(await imageOf(8, 'f'), target, { parallelBlobs: 2 });
    assert.equal(most(), 2);
    assert.deepEqual(
      sizes,
      [...sizes].sort((a, b) => b - a),
    );
  });

  it('are all stopped when one of them fails, and its error is the one that is told', async () => {
    const broken = new Error('the disk is full');
    let begun = 0;
    const target = intercept(memoryRegistry(), {
      pushBlob: async (_next, ...[, , , opts]) => {
        begun += 1;
        if (begun === 1)
          await new Promise((_, reject) => opts?.signal?.addEventListener('abort', () => reject(opts.signal?.reason)));
        throw broken;
      },
    });
    await assert.rejects(run(await imageOf(8, 'f'), target, { parallelBlobs: 2 }), (error) => error === broken);
    assert.equal(begun, 2, 'no other is begun');
  });
});
