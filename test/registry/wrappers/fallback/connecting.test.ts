import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OciError } from '../../../../src/model/errors.ts';
import { connecting } from '../../../../src/registry/extensions.ts';
import type { Registry } from '../../../../src/registry/registry.ts';
import { fallback } from '../../../../src/registry/wrappers/fallback/fallback.ts';
import { renamed } from '../../../../src/registry/wrappers/renamed.ts';
import { globalScope, scoped } from '../../../../src/registry/wrappers/scoped.ts';
import { memoryRegistry } from '../../../support/memory.ts';
import { intercept } from '../../../support/network/intercept.ts';
import { actor, fill, latest, repo } from './endpoints.ts';

/** A registry that records how many connections it should open. */
function opening(registry: Registry): { readonly registry: Registry; readonly counts: number[] } {
  const counts: number[] = [];
  const ahead = { open: (count: number): unknown => counts.push(count), expectMany: (): unknown => counts.push(0) };
  const seen = intercept(registry, { extension: (_next, key) => (key === connecting ? ahead : undefined) as never });
  return { registry: seen, counts };
}

describe('connections that are opened ahead', () => {
  it('are those of the endpoint that is asked first, and can be reached', async () => {
    const [mirror, origin] = [actor('mirror', 'mirror'), actor('origin', 'origin')];
    await fill(Buffer.from('a blob'), origin);
    const [atMirror, atOrigin] = [opening(mirror.registry), opening(origin.registry)];
    const registry = fallback([
      { ...mirror, open: async () => atMirror.registry },
      { ...origin, open: async () => atOrigin.registry },
    ]);
    registry.extension(connecting)?.open(3);
    registry.extension(connecting)?.expectMany();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([atMirror.counts, atOrigin.counts], [[3, 0], []]);
  });

  it('are none where the endpoint cannot be opened, whose error comes with the request', async () => {
    const broken = {
      ...actor('origin', 'origin'),
      open: () => Promise.reject(new OciError('CONFIG_INVALID', 'broken')),
    };
    const registry = fallback([broken]);
    registry.extension(connecting)?.open(3);
    await new Promise((resolve) => setImmediate(resolve));
    await assert.rejects(registry.getManifest(repo, latest), /broken/);
  });

  it('are those of what is wrapped', () => {
    const { registry, counts } = opening(memoryRegistry());
    renamed(registry, { inside: (name) => name, outside: (name) => name })
      .extension(connecting)
      ?.open(1);
    scoped(registry, globalScope).extension(connecting)?.open(2);
    assert.deepEqual(counts, [1, 2]);
  });
});
