/** Changes an image, or the images of an index, and keeps the rest of the index. Nothing is written here. */
import type { Digest } from '../model/digest.ts';
import { digestAlgorithm } from '../model/digest.ts';
import { OciError, unlessUnknown } from '../model/errors.ts';
import { inOrder } from '../model/in-order.ts';
import { JsonList, JsonText } from '../model/json-text.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { hasImageConfig } from '../model/manifest/image-config.ts';
import { type IndexView, type Manifest, readManifest } from '../model/manifest/manifest.ts';
import { isIndexType } from '../model/manifest/media-types.ts';
import { type Platform, platformObject } from '../model/platform/platform.ts';
import { attestedDigest, isAttestation, selectPlatform } from '../model/platform/platform-selection.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import { readConfig } from '../registry/config.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import { checkType, maxIndexDepth, noMatch, requirePlatform } from '../transfer/platforms.ts';
import { ImageDraft, type MadeBlob } from './image-draft.ts';

/** Where the image is. */
interface EditSource {
  readonly registry: Registry;
  readonly repo: RepositoryName;
  readonly reference: Tag | Digest;
}

/** Changes one image. */
export type Edit = (draft: ImageDraft) => Promise<void> | void;

interface EditOptions extends SignalOption {
  readonly edit: Edit;
  /** Which images of an index are changed; default: all. */
  readonly platforms?: readonly Platform[] | undefined;
}

/** An image or index that was changed, and what it was. Disposing it removes temporary files. */
export interface Edited extends Disposable {
  readonly before: Manifest;
  readonly root: Manifest;
  /** All that are new, children before parents. */
  readonly manifests: readonly Manifest[];
  readonly blobs: readonly MadeBlob[];
  /** The manifests that were replaced, by their digests before: images and indexes. */
  readonly replaced: ReadonlyMap<Digest, Digest>;
  /** Attestations that were left out of an index, because the image that they describe has changed. */
  readonly attestations: readonly Descriptor[];
  /** Entries that were left out because they are not at the source. */
  readonly absent: readonly Descriptor[];
}

/**
 * Reads an image and changes it.
 *
 * @throws OciError PLATFORM_UNKNOWN; UNSUPPORTED for what has no image; MANIFEST_INVALID; what the edit and the source throw.
 */
export async function editRoot(source: EditSource, options: EditOptions): Promise<Edited> {
  const run = new EditRun(source, options);
  try {
    return await run.all();
  } catch (error) {
    run.close();
    throw error;
  }
}

/** How many images of an index are read at once. */
const readAtOnce = 8;

class EditRun {
  readonly #source: EditSource;
  readonly #options: EditOptions;
  readonly #manifests: Manifest[] = [];
  readonly #blobs: MadeBlob[] = [];
  readonly #replaced = new Map<Digest, Digest>();
  readonly #attestations: Descriptor[] = [];
  readonly #absent: Descriptor[] = [];
  #images = 0;

  constructor(source: EditSource, options: EditOptions) {
    this.#source = source;
    this.#options = options;
  }

  async all(): Promise<Edited> {
    const { registry, repo, reference } = this.#source;
    const { platforms, signal } = this.#options;
    const before = await registry.getManifest(repo, reference, { signal });
    if (before.view.kind !== 'index' && platforms) await requirePlatform(registry, repo, before, platforms, { signal });
    const root =
      before.view.kind === 'index' ? await this.#index(before, before.view, platforms, 0) : await this.#image(before);
    if (this.#images === 0) {
      throw new OciError('UNSUPPORTED', `${before.descriptor.digest} is an index without an image to change`, {
        hint: 'ocictl index list shows what it names',
      });
    }
    return {
      before,
      root,
      manifests: this.#manifests,
      blobs: this.#blobs,
      replaced: this.#replaced,
      attestations: this.#attestations,
      absent: this.#replaced.size > 0 ? this.#absent : [],
      [Symbol.dispose]: () => this.close(),
    };
  }

  close(): void {
    for (const blob of this.#blobs) blob.close();
  }

  async #image(before: Manifest): Promise<Manifest> {
    return await this.#edited(await this.#open(before));
  }

  async #open(manifest: Manifest): Promise<ImageDraft> {
    const { registry, repo } = this.#source;
    const { signal } = this.#options;
    const { view } = manifest;
    const isImage = view.kind === 'image' && hasImageConfig(view);
    const config = isImage ? await readConfig(registry, repo, view.config, { signal }) : new Uint8Array();
    return new ImageDraft({ manifest, config });
  }

  async #edited(draft: ImageDraft): Promise<Manifest> {
    this.#images += 1;
    try {
      await this.#options.edit(draft);
    } finally {
      this.#blobs.push(...draft.made);
    }
    const { manifest, config } = await draft.finish();
    if (config) this.#blobs.push(config);
    this.#add(draft.original, manifest);
    return manifest;
  }

  #add(before: Manifest, after: Manifest): void {
    if (before.descriptor.digest === after.descriptor.digest) return;
    this.#replaced.set(before.descriptor.digest, after.descriptor.digest);
    this.#manifests.push(after);
  }

  async #index(
    before: Manifest,
    view: IndexView,
    wanted: readonly Platform[] | undefined,
    depth: number,
  ): Promise<Manifest> {
    if (depth > maxIndexDepth) {
      throw new OciError('MANIFEST_INVALID', `index ${before.descriptor.digest} is nested too deeply`);
    }
    const chosen = this.#chosen(view, wanted, depth);
    const changed = new Map<Digest, Changed | 'absent'>();
    for await (const { entry, draft, child } of inOrder(chosen, readAtOnce, (one) => this.#read(one))) {
      if (!child) {
        this.#absent.push(entry);
        changed.set(entry.digest, 'absent');
      } else if (child.view.kind === 'index') {
        const after = await this.#index(child, child.view, wanted, depth + 1);
        changed.set(entry.digest, { after: after.descriptor });
      } else if (draft) {
        const after = (await this.#edited(draft)).descriptor;
        changed.set(entry.digest, { after, ...(draft.platform && { platform: draft.platform }) });
      }
    }
    const after = await this.#withEntries(before, view, changed);
    this.#add(before, after);
    return after;
  }

  /** @throws OciError PLATFORM_UNKNOWN if the outermost index has nothing for a platform. */
  #chosen(view: IndexView, wanted: readonly Platform[] | undefined, depth: number): readonly Descriptor[] {
    if (!wanted) return view.manifests.filter((entry) => !isAttestation(entry));
    const found = wanted.flatMap((platform) => {
      const entries = selectPlatform(view.manifests, platform);
      const [best] = entries;
      if (!best && depth === 0) throw noMatch(view, platform);
      // Without a platform, an entry may be an index that has it.
      const inside = entries.filter((entry) => entry.platform === undefined && isIndexType(entry.mediaType));
      return best?.platform === undefined ? inside : [best];
    });
    return [...new Set(found)];
  }

  async #read(entry: Descriptor): Promise<{
    readonly entry: Descriptor;
    readonly child?: Manifest | undefined;
    readonly draft?: ImageDraft;
  }> {
    const { registry, repo } = this.#source;
    const { signal, platforms } = this.#options;
    const reading = registry.getManifest(repo, entry.digest, { signal });
    const child = platforms ? await reading : await unlessUnknown(reading);
    if (child) checkType(entry, child);
    const { view } = child ?? {};
    if (!child || view?.kind !== 'image' || !hasImageConfig(view)) return { entry, child };
    return { entry, child, draft: await this.#open(child) };
  }

  async #withEntries(
    before: Manifest,
    view: IndexView,
    changed: ReadonlyMap<Digest, Changed | 'absent'>,
  ): Promise<Manifest> {
    const document = JsonText.parse(before.bytes);
    const texts = document.list('manifests');
    const differs = (digest: Digest, one: Changed | 'absent' | undefined): boolean =>
      one !== undefined && one !== 'absent' && (one.after.digest !== digest || one.platform !== undefined);
    if (![...changed].some(([digest, one]) => differs(digest, one))) return before;
    const isGone = (digest: Digest | undefined): boolean => {
      const one = digest === undefined ? undefined : changed.get(digest);
      return one !== undefined && (one === 'absent' || one.after.digest !== digest);
    };
    const entries = view.manifests.flatMap((entry, i) => {
      const text = texts[i] ?? '';
      const change = changed.get(entry.digest);
      if (change === 'absent') return [];
      if (isAttestation(entry) && isGone(attestedDigest(entry))) {
        this.#attestations.push(entry);
        return [];
      }
      return [change ? entryText(text, entry, change) : text];
    });
    document.set('manifests', new JsonList(entries));
    const bytes = document.bytes;
    if (Buffer.compare(bytes, before.bytes) === 0) return before;
    const { mediaType, descriptor } = before;
    return await readManifest({ mediaType, bytes }, digestAlgorithm(descriptor.digest));
  }
}

/** What an entry of an index became. */
interface Changed {
  readonly after: Descriptor;
  /** What it is for, if that has changed. */
  readonly platform?: Platform;
}

function entryText(text: string, before: Descriptor, { after, platform }: Changed): string {
  const entry = JsonText.parse(Buffer.from(text));
  if (platform) entry.set('platform', platformObject(platform));
  if (after.digest !== before.digest) {
    entry.set('digest', after.digest);
    entry.set('size', after.size);
    for (const stale of ['data', 'urls']) entry.delete(stale);
  }
  return entry.text;
}
