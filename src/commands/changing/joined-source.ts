import type { Place } from '../../app/context.ts';
import { parseRepositoryName } from '../../model/reference/reference.ts';
import type { joined } from '../../registry/wrappers/joined.ts';
import type { ResultSource } from './write-result.ts';

/** Several places as one that a transfer reads. */
export function joinedSource({ registry, holderOf }: ReturnType<typeof joined<Place>>): ResultSource {
  return {
    registry,
    repo: parseRepositoryName('parts'),
    sparse: false,
    mountFrom: async (target) => async (digest) => {
      const from = await holderOf(digest)?.mountFrom(target);
      return typeof from === 'function' ? await from(digest) : from;
    },
  };
}
