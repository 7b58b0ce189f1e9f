/** Collections beside clients that push, mount, tag anew and delete, each with a registry of its own. */
import assert from 'node:assert/strict';
import type { Digest } from '../../../src/model/digest.ts';
import {
  parseRepositoryName,
  parseTag,
  type RepositoryName,
  type Tag,
} from '../../../src/model/reference/reference.ts';
import { blobEnumerator, garbageCollector } from '../../../src/registry/extensions.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import type { Driver } from '../../../src/storage/driver.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { all, imageWith, madeBytes, pushBytes, readBlob } from '../stores.ts';

const repos = ['team/a', 'team/b', 'team/c'].map((name) => parseRepositoryName(name));
const clients = 8;

/**
 * @param open Opens the same store, as another process would.
 * @param opts.pushes How many images are pushed while collections run.
 */
export async function collectBeside(
  open: () => Promise<Driver>,
  { pushes, collections }: { readonly pushes: number; readonly collections: number },
): Promise<void> {
  const before = createStorage({ driver: await open() });
  const old: Digest[] = [];
  for (let at = 0; at < 20; at += 1) {
    const blob = await pushBytes(before, pick(repos, at), madeBytes(`old ${at}`, 500));
    await before.deleteBlob(pick(repos, at), blob.digest);
    old.push(blob.digest);
  }
  const promised = new Map<string, { readonly repo: RepositoryName; readonly tag: Tag; readonly digest: Digest }>();
  let next = 0;
  const client = async (number: number): Promise<void> => {
    const registry = createStorage({ driver: await open(), keepUnusedMs: 60_000 });
    for (let at = next++; at < pushes; at = next++) {
      const [repo, other] = [pick(repos, at), pick(repos, at + 1)];
      const tag = parseTag(`client${number}-${at % 7}`);
      const { raw, config, layer } = await imageWith(registry, repo, `image ${at % 40}`);
      const { digest } = await registry.pushManifest(repo, raw, { tags: [tag] });
      promised.set(`${repo}:${tag}`, { repo, tag, digest });
      for (const blob of [config, layer]) {
        const mounted = await registry.mountBlob(other, blob.digest, { from: repo });
        assert.ok(!('commit' in mounted), 'what was just pushed is there');
      }
      await registry.pushManifest(other, raw, { tags: [tag] });
      promised.set(`${other}:${tag}`, { repo: other, tag, digest });
      if (at % 3 !== 0) continue;
      promised.delete(`${repo}:${tag}`);
      await registry.deleteTag(repo, tag);
    }
  };
  const collect = async (): Promise<void> => {
    for (let run = 0; run < collections; run += 1) {
      const registry = createStorage({ driver: await open() });
      await registry.extension(garbageCollector)?.collect({ untagged: true });
    }
  };
  await Promise.all([...Array.from({ length: clients }, (_, number) => client(number)), collect()]);
  const after = createStorage({ driver: await open() });
  for (const { repo, tag, digest } of promised.values()) {
    const { view, descriptor } = await after.getManifest(repo, tag);
    assert.equal(descriptor.digest, digest, `${repo}:${tag}`);
    assert.ok(view.kind === 'image');
    for (const blob of [view.config, ...view.layers]) await readBlob(after, repo, blob.digest);
  }
  const left = new Set((await all(blobsOf(after))).map(({ digest }) => digest));
  assert.deepEqual(
    old.filter((digest) => left.has(digest)),
    [],
    'what nothing referred to before is gone',
  );
}

function pick<T>(items: readonly T[], at: number): T {
  return items[at % items.length] as T;
}

async function* blobsOf(registry: Registry): AsyncGenerator<{ readonly digest: Digest }> {
  yield* registry.extension(blobEnumerator)?.blobs() ?? [];
}
