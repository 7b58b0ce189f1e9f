import { limitOf } from '../../registry/options.ts';
import { orderedReferrers } from '../../registry/referrers.ts';
import type { Lister } from '../../registry/registry.ts';
import { tagsOf } from './index-lookup.ts';
import { surveyOf } from './manifests.ts';
import type { ReadableLayout } from './readable-layout.ts';

/** The listing part of a layout. It has no catalog, because its only repository has no name. */
export function createLister(layout: ReadableLayout): Lister {
  return {
    async *repositories(opts) {
      limitOf(opts);
      opts?.signal?.throwIfAborted();
      yield* [];
    },

    async *tags(_repo, opts) {
      opts?.signal?.throwIfAborted();
      const { after = '' } = opts ?? {};
      const limit = limitOf(opts);
      const tags = [...tagsOf(await layout.index.read()).keys()].sort().filter((tag) => tag > after);
      for (const tag of tags.slice(0, limit)) {
        opts?.signal?.throwIfAborted();
        yield tag;
      }
    },

    async *referrers(_repo, subject, opts) {
      opts?.signal?.throwIfAborted();
      const found = (await surveyOf(layout, await layout.index.read(), opts)).referrers.get(subject) ?? [];
      for (const entry of orderedReferrers(found, opts)) {
        opts?.signal?.throwIfAborted();
        yield entry;
      }
    },
  };
}
