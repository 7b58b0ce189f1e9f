/** Frees what tags do not reach, as a user has it freed. */
import type { RepositoryName } from '../../src/model/reference/reference.ts';
import { garbageCollector, manifestEnumerator, uploadSweeper } from '../../src/registry/extensions.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { openStore } from './reached.ts';

export async function collect(root: string): Promise<void> {
  const registry = await openStore(root);
  await registry.extension(uploadSweeper)?.sweepUploads({ idleMs: -1 });
  for await (const repo of registry.repositories()) await removeUntagged(registry, repo);
  await registry.extension(garbageCollector)?.collect();
}

async function removeUntagged(registry: Registry, repo: RepositoryName): Promise<void> {
  const tagged = new Set<string>();
  for await (const tag of registry.tags(repo)) tagged.add((await registry.statManifest(repo, tag)).digest);
  for await (const digest of registry.extension(manifestEnumerator)?.manifests(repo) ?? []) {
    if (!tagged.has(digest)) await registry.deleteManifest(repo, digest);
  }
}
