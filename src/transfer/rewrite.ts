/** Changes a graph during a transfer: blobs by a transform, and every manifest that names something changed. */

import { type Digest, digestAlgorithm } from '../model/digest.ts';
import { unlessUnknown } from '../model/errors.ts';
import { parseJsonObject } from '../model/json-fields.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { blobsOf, childrenOf, type Manifest, readManifest, schema1Refused } from '../model/manifest/manifest.ts';
import { isForeignLayerType } from '../model/manifest/media-types.ts';
import { attestedImage } from '../model/platform/platform-selection.ts';
import type { EventQueue } from './event-queue.ts';
import type { BlobNode, Graph, Sharing } from './graph.ts';
import type { TransferOptions, Transform } from './options.ts';
import type { ManifestNode, Target } from './target.ts';

type Changes = ReadonlyMap<Digest, Descriptor>;

/**
 * The graph as it shall be at the destination.
 *
 * @throws OciError UNSUPPORTED for schema 1, and what the transform throws.
 */
export function rewriteGraph(
  graph: Graph,
  options: TransferOptions,
  { target, events }: Pick<Sharing, 'target' | 'events'>,
): Promise<Graph> {
  // Run one after the other, so that what two images share is changed once.
  return target.rewriting.turns.run(() => rewrite(graph, new Rewriter(options, target, events)));
}

async function rewrite(graph: Graph, rewriter: Rewriter): Promise<Graph> {
  await rewriter.examine([...graph.manifests, ...graph.others].map(({ manifest }) => manifest));
  const manifests: ManifestNode[] = [];
  for (const node of graph.manifests) manifests.push(await rewriter.manifest(node));
  const others: ManifestNode[] = [];
  for (const node of graph.others) others.push(await rewriter.manifest(node));
  const root = manifests.at(-1)?.manifest.descriptor ?? graph.root;
  return { ...graph, root, manifests, others, blobs: graph.blobs.flatMap((blob) => rewriter.blob(blob)) };
}

class Rewriter {
  readonly #options: TransferOptions;
  readonly #transform: Transform;
  readonly #done: Target['rewriting'];
  readonly #events: EventQueue;

  constructor(options: TransferOptions, { rewriting }: Target, events: EventQueue) {
    this.#options = options;
    this.#transform = options.transform ?? {};
    this.#done = rewriting;
    this.#events = events;
  }

  async examine(manifests: readonly Manifest[]): Promise<void> {
    await this.#transform.examine?.(manifests);
  }

  async manifest({ manifest }: ManifestNode): Promise<ManifestNode> {
    const { from, to, signal } = this.#options;
    const { view, descriptor: original } = manifest;
    signal?.throwIfAborted();
    if (view.kind === 'schema1') throw schema1Refused(String(from.reference));
    if (view.kind === 'other') {
      for (const { digest } of blobsOf(view)) this.#done.kept.add(digest);
    } else {
      // The config comes last: it may have to name the changed layers.
      const config = view.kind === 'image' ? [view.config] : [];
      for (const layer of view.kind === 'image' ? view.layers : blobsOf(view)) await this.#change(layer, 'layer');
      for (const blob of config) await this.#change(blob, 'config');
    }
    const named = view.kind === 'other' ? manifest : await withChanges(manifest, this.#done.changes);
    const raw = await this.#transform.manifest?.(named);
    const result = raw ? await readManifest(raw, digestAlgorithm(original.digest)) : named;
    const { digest, mediaType, size } = result.descriptor;
    const there = await unlessUnknown(to.registry.statManifest(to.repo, digest, { signal, mayBeAbsent: true }));
    const exists = there !== undefined;
    if (digest === original.digest && mediaType === original.mediaType) return { manifest, exists };
    this.#done.changes.set(original.digest, { mediaType, digest, size });
    return { manifest: result, exists, original };
  }

  /** What is pushed for a blob of the source: the blob, its replacement, or both. */
  blob(blob: BlobNode): readonly BlobNode[] {
    const changed = this.#done.blobs.get(blob.descriptor.digest);
    if (!changed) return [blob];
    return [{ ...blob, changed }, ...(this.#done.kept.has(blob.descriptor.digest) ? [blob] : [])];
  }

  async #change(descriptor: Descriptor, kind: 'config' | 'layer'): Promise<void> {
    const { from, foreignLayers, signal } = this.#options;
    const { digest } = descriptor;
    if (this.#done.blobs.has(digest)) return;
    if (foreignLayers === 'skip' && isForeignLayerType(descriptor.mediaType)) return;
    const source = {
      open: (offset: number, opts?: { readonly signal?: AbortSignal | undefined }) => {
        // It is sent only afterwards, so nothing else would be told for as long as that takes.
        if (kind === 'layer') this.#events.push({ type: 'waiting', node: descriptor, reason: 'is converted first' });
        return from.registry.getBlob(from.repo, descriptor, {
          range: offset > 0 ? { start: offset } : undefined,
          signal: opts?.signal ?? signal,
        });
      },
    };
    const changed = await this.#transform.blob?.({ descriptor, kind, source });
    this.#done.blobs.set(digest, changed);
    if (changed) this.#done.changes.set(digest, changed.descriptor);
  }
}

/** The manifest with new descriptors in place of the old ones; the same manifest if none of them changed. */
async function withChanges(manifest: Manifest, changes: Changes): Promise<Manifest> {
  const { view } = manifest;
  const names = [...blobsOf(view), ...childrenOf(view), ...(view.subject ? [view.subject] : [])];
  if (!names.some(({ digest }) => changes.has(digest))) return manifest;
  const document: Record<string, unknown> = { ...parseJsonObject(manifest.bytes) };
  for (const field of ['config', 'subject']) {
    if (field in document) document[field] = changedEntry(document[field], changes);
  }
  for (const field of ['layers', 'blobs', 'manifests']) {
    const entries = document[field];
    if (Array.isArray(entries)) document[field] = entries.map((entry: unknown) => changedEntry(entry, changes));
  }
  const raw = { mediaType: manifest.mediaType, bytes: Buffer.from(JSON.stringify(document)) };
  return await readManifest(raw, digestAlgorithm(manifest.descriptor.digest));
}

function changedEntry(entry: unknown, changes: Changes): unknown {
  if (typeof entry !== 'object' || entry === null) return entry;
  const { data, urls, ...fields } = entry as Record<string, unknown>;
  const change = changes.get(fields['digest'] as Digest);
  const annotations = change?.annotations ?? withAttested(fields['annotations'], changes);
  const said = annotations === undefined ? {} : { annotations };
  if (!change) return { ...entry, ...said };
  // Drop embedded data and URLs: they are for the old bytes.
  const { mediaType, digest, size } = change;
  const changed = { ...fields, ...said, mediaType, digest, size };
  if (change.annotations && Object.keys(change.annotations).length === 0)
    Reflect.deleteProperty(changed, 'annotations');
  return changed;
}

function withAttested(annotations: unknown, changes: Changes): unknown {
  if (typeof annotations !== 'object' || annotations === null) return annotations;
  const attested: unknown = (annotations as Readonly<Record<string, unknown>>)[attestedImage];
  const image = changes.get(attested as Digest);
  return image ? { ...annotations, [attestedImage]: image.digest } : annotations;
}
