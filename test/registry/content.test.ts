import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Content, readContent, streamContent, verifiedContent } from '../../src/registry/content.ts';
import { blobOf, failsWith, uniqueBytes } from '../contract/contract.ts';

const bytes = uniqueBytes(100);
const descriptor = await blobOf(bytes);

/** Endless content in chunks of 40 bytes, which counts the chunks that are read, and fails after 50. */
function endless(): { readonly content: Content; asked(): number } {
  let asked = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (; asked < 50; ) {
      asked += 1;
      yield bytes.subarray(0, 40);
    }
    throw new Error('nobody stopped');
  }
  return { content: streamContent(descriptor, chunks()), asked: () => asked };
}

describe('content that is larger than its descriptor says', () => {
  it('is read no further, and nothing past the size is handed on, when iterated', async () => {
    const { content, asked } = endless();
    let seen = 0;
    await assert.rejects(async () => {
      for await (const chunk of await verifiedContent(content)) seen += chunk.length;
    }, failsWith('SIZE_MISMATCH'));
    assert.deepEqual([seen, asked()], [80, 3]);
  });

  it('is read no further, and nothing past the size is handed on, when drained', async () => {
    const { content, asked } = endless();
    let seen = 0;
    const write = async (chunk: Uint8Array): Promise<void> => {
      seen += chunk.length;
    };
    const verified = await verifiedContent(content);
    await assert.rejects(verified.drainTo({ write }), failsWith('SIZE_MISMATCH'));
    assert.deepEqual([seen, asked()], [80, 3]);
  });
});

describe('content that is read whole', () => {
  it('may have as many bytes as are allowed', async () => {
    const content = streamContent(descriptor, [bytes.subarray(0, 60), bytes.subarray(60)]);
    assert.deepEqual(await readContent(content, 100), Buffer.from(bytes));
  });

  it('is given up with the first chunk past them', async () => {
    const { content, asked } = endless();
    await assert.rejects(readContent(content, 119), failsWith('TOO_LARGE'));
    assert.equal(asked(), 3);
  });
});
