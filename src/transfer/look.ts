/** The first requests of a transfer: what is copied, and what the destination has under its name. */
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Manifest } from '../model/manifest/manifest.ts';
import { isDigestReference } from '../model/reference/reference.ts';
import { connecting } from '../registry/extensions.ts';
import { digestAt } from './digest-at.ts';
import type { TransferOptions } from './options.ts';

/** Connections that are opened with the first request of a pull: for the config, and for layers of which most images have some. */
const connectionsOfPull = 3;

/** Options after both ends were looked at. */
export interface Looked extends TransferOptions {
  readonly from: TransferOptions['from'] & { readonly root: Descriptor };
}

/** Resolves the reference, and looks up the tag at a registry meanwhile. */
export async function lookAtEnds(options: TransferOptions): Promise<Looked> {
  // Both are awaited: nothing continues in the background.
  const [source, there] = await Promise.allSettled([lookAtSource(options), lookAtTag(options)]);
  if (source.status === 'rejected') throw source.reason;
  if (there.status === 'rejected') throw there.reason;
  const { from, to } = options;
  return { ...options, from: { ...from, ...source.value }, to: { ...to, seen: there.value } };
}

interface Source {
  readonly root: Descriptor;
  readonly manifests?: readonly Manifest[] | undefined;
}

// HEAD of what a store may have, which no registry counts as a pull. What it has nothing of is read anyway.
async function lookAtSource({ from, to, signal }: TransferOptions): Promise<Source> {
  const { registry, repo, reference, root, manifests } = from;
  if (root) return { root, manifests };
  const name = isDigestReference(reference) ? reference : to.tags[0];
  if (to.sparse && !from.sparse && name !== undefined && !(await digestAt(to, name, signal))) {
    registry.extension(connecting)?.open(connectionsOfPull);
    const read = await registry.getManifest(repo, reference, { signal });
    return { root: read.descriptor, manifests: [read] };
  }
  registry.extension(connecting)?.expectMany();
  return { root: await registry.statManifest(repo, reference, { signal }) };
}

// What is pushed of a transform is not known yet, and a look at a local store costs nothing later.
async function lookAtTag({ to, transform, signal }: TransferOptions): Promise<TransferOptions['to']['seen']> {
  const [tag, another] = to.tags;
  if (to.seen || to.sparse || transform || tag === undefined || another !== undefined) return to.seen;
  return { digest: await digestAt(to, tag, signal) };
}
