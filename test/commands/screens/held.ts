/** An image whose layers come as far as a test says. */
import { writeFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import type { Digest } from '../../../src/model/digest.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import type { BlobWriter, Registry } from '../../../src/registry/registry.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { randomLayer } from '../../support/layer.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { type PacedRegistry, paced } from '../../support/paced.ts';
import { startServe } from '../../support/registries.ts';
import { atEnd, sandbox } from '../../support/sandbox.ts';

export const repo = parseRepositoryName('team/app');
export const sizes = [902_000, 3_000_000, 2_100_000, 1_200_000, 3_300_000];

export interface Held {
  readonly registry: PacedRegistry;
  readonly host: string;
  readonly layers: readonly Digest[];
}

/**
 * A registry that holds five layers back, and a client that moves a fixed number of blobs at once, however fast they are.
 *
 * @param opts.atOnce Default 3. With 5, no layer waits for another, so that nothing depends on the delays of the machine.
 */
export async function holdLayers(
  t: TestContext,
  { tags = ['1'], atOnce = 3 }: { readonly tags?: readonly string[]; readonly atOnce?: number } = {},
): Promise<Held> {
  const { daemonJson } = await sandbox(t);
  await writeFile(daemonJson, JSON.stringify({ 'max-concurrent-downloads': atOnce, 'max-concurrent-uploads': atOnce }));
  const inner = memoryRegistry();
  const layers = await Promise.all(sizes.map((size, at) => randomLayer(size, `${at}`)));
  for (const tag of tags) {
    const run = tag === '1' ? {} : { Env: [`TAG=${tag}`] };
    await pushImage(inner, repo, parseTag(tag), await buildImage({ layers, run }));
  }
  const digests = layers.map(({ descriptor }) => descriptor.digest);
  const registry = paced(inner, digests);
  const { host } = await startServe(t, { registry });
  // A server does not end while one of its answers waits.
  atEnd(t, () => registry.release());
  return { registry, host, layers: digests };
}

/** A registry that takes all bytes of an upload, and answers when a test says so. */
export async function holdCommits(t: TestContext): Promise<{ readonly host: string; commit(digest?: Digest): void }> {
  const inner = memoryRegistry();
  const allowed = new Set<Digest>();
  const waiting = new Set<() => void>();
  let all = false;
  const held = (writer: BlobWriter): BlobWriter => ({
    ...plainWriter(writer),
    async commit(expected, opts) {
      while (!all && !allowed.has(expected.digest)) await new Promise<void>((resolve) => waiting.add(resolve));
      return writer.commit(expected, opts);
    },
  });
  const registry: Registry = {
    ...inner,
    startUpload: async (...args) => held(await inner.startUpload(...args)),
    resumeUpload: async (...args) => held(await inner.resumeUpload(...args)),
  };
  const commit = (digest?: Digest): void => {
    if (digest) allowed.add(digest);
    else all = true;
    for (const each of waiting) each();
    waiting.clear();
  };
  const { host } = await startServe(t, { registry });
  atEnd(t, () => commit());
  return { host, commit };
}

function plainWriter(writer: BlobWriter): BlobWriter {
  return {
    get id() {
      return writer.id;
    },
    get size() {
      return writer.size;
    },
    startedAt: writer.startedAt,
    chunkBytes: writer.chunkBytes,
    write: (chunk, opts) => writer.write(chunk, opts),
    commit: (expected, opts) => writer.commit(expected, opts),
    cancel: () => writer.cancel(),
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}
