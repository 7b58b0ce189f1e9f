import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addToIndex, indexAt } from '../../../src/artifacts/push/index-entry.ts';
import { childrenOf } from '../../../src/model/manifest/manifest.ts';
import { parsePlatform } from '../../../src/model/platform/platform.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { fails } from '../../remote/fake-registry.ts';
import { buildArtifact, pushImage } from '../../support/images.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { intercept } from '../../support/network/intercept.ts';

const repo = parseRepositoryName('team/tool');
const tag = parseTag('1');

/** A client that adds an artifact for a platform, in two halves: what it read, and what it writes. */
async function client(registry: Registry, architecture: string, content = architecture) {
  const annotations = { content };
  const built = await buildArtifact({ artifactType: 'a/tool', annotations });
  await pushImage(registry, repo, undefined, built);
  const manifest = await registry.getManifest(repo, built.descriptor.digest);
  const end = { registry, repo, name: 'registry.example.com/team/tool:1' };
  const before = await indexAt(end, tag, {});
  const platform = parsePlatform(`linux/${architecture}`);
  return (more = {}) => addToIndex(end, before, { manifest, platform, tags: [tag], ...more });
}

async function platformsAt(registry: Registry): Promise<readonly (string | undefined)[]> {
  const { view } = await registry.getManifest(repo, tag);
  return childrenOf(view)
    .map(({ platform }) => platform?.architecture)
    .sort();
}

describe('an index to which two clients add at the same time', () => {
  it('has what both added, in whichever order they wrote', async () => {
    const registry = memoryRegistry();
    const clients = [await client(registry, 'amd64'), await client(registry, 'arm64'), await client(registry, 's390x')];
    await Promise.all(clients.map((add) => add()));
    assert.deepEqual(await platformsAt(registry), ['amd64', 'arm64', 's390x']);
  });

  it('keeps the one that came last, of two for the same platform', async () => {
    const registry = memoryRegistry();
    const [one, two] = [await client(registry, 'amd64', 'one'), await client(registry, 'amd64', 'two')];
    await Promise.all([one(), two()]);
    assert.deepEqual(await platformsAt(registry), ['amd64']);
  });

  it('is an error where it is overwritten each time, or by something else; a signal ends the waiting', async () => {
    const memory = memoryRegistry();
    const other = await buildArtifact({ artifactType: 'a/other' });
    await pushImage(memory, repo, undefined, other);
    const overwritten = intercept(memory, {
      pushManifest: async (next, ...args) => {
        const pushed = await next(...args);
        if (args[2]?.tags?.length) await memory.pushManifest(repo, other.manifest, { tags: [tag] });
        return pushed;
      },
    });
    const add = await client(overwritten, 'amd64');
    await assert.rejects(add(), fails('REFUSED', /is no OCI index/));
    const stop = new AbortController();
    const alone = await client(memoryRegistry(), 'amd64');
    const adding = alone({ signal: stop.signal });
    stop.abort(new Error('enough'));
    await assert.rejects(adding, /enough/);
  });
});
