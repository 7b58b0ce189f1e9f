/** A storage behind each wrapper that keeps the contract of what is behind it. */
import { parseRepositoryName, type RepositoryName } from '../../src/model/reference/reference.ts';
import { createDescriptorCache } from '../../src/registry/descriptor-cache.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { cachedDescriptors } from '../../src/registry/wrappers/cached-descriptors.ts';
import { fallback } from '../../src/registry/wrappers/fallback/fallback.ts';
import { renamed } from '../../src/registry/wrappers/renamed.ts';
import { scoped } from '../../src/registry/wrappers/scoped.ts';

const prefix = 'docker.io/';
const hidden = parseRepositoryName('hidden/app');

type Wrap = (behind: Registry) => Registry | Promise<Registry>;

export const wrappers: Readonly<Record<string, Wrap>> = {
  'behind a cache of descriptors': (behind) => cachedDescriptors(behind, createDescriptorCache()),
  'as the only one of a fallback': (behind) => fallback([{ name: 'memory', kind: 'origin', open: async () => behind }]),
  // As in `serve --store --mirror-of docker.io`: names inside have a prefix that is outside the grammar of ordinary names.
  'under other names': (behind) =>
    renamed(behind, {
      inside: (name) => parseRepositoryName(`${prefix}${name}`),
      outside: (name) => (name.startsWith(prefix) ? (name.slice(prefix.length) as RepositoryName) : undefined),
    }),
  'of which a part is seen': async (behind) => {
    await (await behind.startUpload(hidden))[Symbol.asyncDispose]();
    return scoped(behind, { contains: (repo) => repo !== hidden });
  },
};
