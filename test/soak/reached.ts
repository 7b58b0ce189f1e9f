/** Checks what the tags of a store reach, to the last byte, and that the store has no other files. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { digestAlgorithm, digestBytes } from '../../src/model/digest.ts';
import type { RepositoryName, Tag } from '../../src/model/reference/reference.ts';
import { bytesSource, readContent } from '../../src/registry/content.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { openFilesystemDriver } from '../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../src/storage/storage.ts';
import { type Scope, temporaryDirectory } from '../support/sandbox.ts';

export async function openStore(root: string): Promise<Registry> {
  return createStorage({ driver: await openFilesystemDriver({ root }), sparseIndexes: true });
}

/** `repository:tag` of every tag, after checking that each image is complete. */
export async function tagsOf(root: string): Promise<ReadonlySet<string>> {
  const registry = await openStore(root);
  const found = new Set<string>();
  for await (const repo of registry.repositories()) {
    for await (const tag of registry.tags(repo)) {
      await copyImage(registry, repo, tag);
      found.add(`${repo}:${tag}`);
    }
  }
  return found;
}

/** Fails if a store has other files than a new store with the same tags. */
export async function assertNothingElse(t: Scope, root: string): Promise<void> {
  const clean = await temporaryDirectory(t);
  const [registry, copy] = [await openStore(root), await openStore(clean)];
  for await (const repo of registry.repositories()) {
    for await (const tag of registry.tags(repo)) await copyImage(registry, repo, tag, copy);
  }
  const [files, expected] = [await filesBelow(root), await filesBelow(clean)];
  const without = (some: readonly string[], others: readonly string[]) => some.filter((file) => !others.includes(file));
  assert.deepEqual({ left: without(files, expected), gone: without(expected, files) }, { left: [], gone: [] }, root);
}

async function copyImage(from: Registry, repo: RepositoryName, tag: Tag, to?: Registry): Promise<void> {
  const manifest = await from.getManifest(repo, tag);
  const { view } = manifest;
  assert.ok(view.kind === 'image');
  for (const blob of [view.config, ...view.layers]) {
    const bytes = await readContent(await from.getBlob(repo, blob), blob.size);
    assert.equal(await digestBytes(bytes, digestAlgorithm(blob.digest)), blob.digest, `${repo}:${tag}`);
    await to?.pushBlob(repo, blob, bytesSource(blob, bytes));
  }
  await to?.pushManifest(repo, manifest, { tags: [tag] });
}

async function filesBelow(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return (
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      // Ignore the leases of this process.
      .filter((name) => !name.startsWith(join('leases', `${process.pid}-`)))
      .sort()
  );
}
