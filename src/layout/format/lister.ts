import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import type { Lister } from '../../registry/registry.ts';
import { tagsOf } from './index-entries.ts';
import { reachableManifests } from './manifests.ts';
import type { ReadableLayout } from './readable-layout.ts';

/** The listing part of a layout, which has no catalog: its one repository has no name. */
export function createLister(layout: ReadableLayout): Lister {
  return {
    async *repositories(opts) {
      opts?.signal?.throwIfAborted();
      yield* [];
    },

    async *tags(_repo, opts) {
      opts?.signal?.throwIfAborted();
      const { after = '', limit } = opts ?? {};
      const tags = [...tagsOf(await layout.index.read()).keys()].sort().filter((tag) => tag > after);
      for (const tag of tags.slice(0, limit)) {
        opts?.signal?.throwIfAborted();
        yield tag;
      }
    },

    async *referrers(_repo, subject, opts) {
      opts?.signal?.throwIfAborted();
      for await (const manifest of reachableManifests(layout, await layout.index.read(), opts)) {
        if (manifest.view.subject?.digest !== subject) continue;
        const descriptor = describe(manifest);
        if (opts?.artifactType === undefined || descriptor.artifactType === opts.artifactType) yield descriptor;
      }
    },
  };
}

function describe({ descriptor, view }: Manifest): Descriptor {
  const artifactType = view.artifactType ?? (view.kind === 'image' ? view.config.mediaType : undefined);
  return {
    ...descriptor,
    ...(artifactType !== undefined && { artifactType }),
    ...(Object.keys(view.annotations).length > 0 && { annotations: view.annotations }),
  };
}
