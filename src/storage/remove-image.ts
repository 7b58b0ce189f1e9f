import { type Digest, tryParseDigest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import { childrenOf, type Manifest } from '../model/manifest.ts';
import {
  familiarName,
  familiarReference,
  parseReference,
  type Reference,
  type StoreName,
  type Tag,
  toStoreName,
  withDefaultTag,
} from '../model/reference.ts';
import { garbageCollector, manifestEnumerator } from '../registry/extensions.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import { listImages, noSuchImage } from './local-store.ts';

export interface RemovedImage {
  /** Names that are gone, as `alpine:3.20` and `alpine@sha256:…`. */
  readonly untagged: readonly string[];
  readonly deleted: readonly Digest[];
  readonly freedBytes: number;
}

export interface RemoveOptions extends SignalOption {
  /** Removes all tags of an ID or digest; what is not there is no error. */
  readonly force?: boolean | undefined;
}

/** One tag or one untagged manifest that is to go. */
interface Victim {
  readonly repo: StoreName;
  readonly name: string;
  readonly tag: Tag | undefined;
  readonly digest: Digest;
}

/**
 * Removes what a name, a digest or an image ID stands for, and every blob that nothing else needs.
 *
 * @throws OciError IMAGE_UNKNOWN; REFUSED where an ID or a digest stands for several tags and `force` is not set.
 */
export async function removeImage(registry: Registry, word: string, opts: RemoveOptions = {}): Promise<RemovedImage> {
  const victims = (await byName(registry, word, opts)) ?? (await byId(registry, word, opts));
  if (victims.length === 0) {
    if (opts.force) return { untagged: [], deleted: [], freedBytes: 0 };
    throw noSuchImage(nameOf(word));
  }
  const untagged: string[] = [];
  const deleted: Digest[] = [];
  for (const { repo, name, tag, digest } of victims) {
    if (tag !== undefined) {
      await registry.deleteTag(repo, tag, opts);
      untagged.push(`${name}:${tag}`);
    }
    const gone = await removeUnneeded(registry, repo, digest, opts);
    if (gone.length > 0) untagged.push(`${name}@${digest}`);
    deleted.push(...gone);
  }
  if (deleted.length === 0) return { untagged, deleted, freedBytes: 0 };
  const swept = await registry.extension(garbageCollector)?.collect({ signal: opts.signal });
  const removed = swept?.removed ?? [];
  return {
    untagged,
    deleted: [...new Set([...deleted, ...removed.map(({ digest }) => digest)])],
    freedBytes: removed.reduce((sum, { size }) => sum + size, 0),
  };
}

// undefined: no image has this name, but it may be an ID.
async function byName(registry: Registry, word: string, opts: RemoveOptions): Promise<Victim[] | undefined> {
  let reference: Reference;
  try {
    reference = withDefaultTag(parseReference(word));
  } catch (error) {
    if (isId(word)) return undefined;
    throw error;
  }
  const repo = toStoreName(reference);
  const name = familiarName(reference);
  if (reference.digest !== undefined) {
    const victims = await tagsOf(registry, repo, name, reference.digest, opts);
    return refuseSeveral(word, victims, opts);
  }
  const { tag } = reference;
  if (tag === undefined) return undefined;
  try {
    const { digest } = await registry.statManifest(repo, tag, opts);
    return [{ repo, name, tag, digest }];
  } catch (error) {
    if (!isUnknown(error)) throw error;
    return isId(word) ? undefined : [];
  }
}

async function byId(registry: Registry, word: string, opts: RemoveOptions): Promise<Victim[]> {
  const prefix = word.startsWith('sha256:') ? word : `sha256:${word}`;
  const victims: Victim[] = [];
  const ids = new Set<Digest>();
  for await (const { repo, name, tag, root, id } of listImages(registry, opts)) {
    if (!id.startsWith(prefix) && !root.digest.startsWith(prefix)) continue;
    ids.add(id);
    victims.push({ repo, name, tag, digest: root.digest });
  }
  if (ids.size > 1) {
    throw new OciError('REFUSED', `${word} is the beginning of ${ids.size} image IDs`, {
      hint: 'give more of its digits',
    });
  }
  return refuseSeveral(word, victims, opts);
}

function refuseSeveral(word: string, victims: Victim[], { force }: RemoveOptions): Victim[] {
  const names = victims.filter(({ tag }) => tag !== undefined).map(({ name, tag }) => `${name}:${tag}`);
  if (names.length > 1 && !force) {
    throw new OciError('REFUSED', `unable to delete ${word}: it has several names: ${names.join(', ')}`, {
      hint: 'remove the names you no longer need, or all of them with --force',
    });
  }
  return victims;
}

async function tagsOf(
  registry: Registry,
  repo: StoreName,
  name: string,
  digest: Digest,
  opts: RemoveOptions,
): Promise<Victim[]> {
  const victims: Victim[] = [];
  try {
    await registry.statManifest(repo, digest, opts);
    for await (const tag of registry.tags(repo, opts)) {
      const { digest: current } = await registry.statManifest(repo, tag, opts);
      if (current === digest) victims.push({ repo, name, tag, digest });
    }
  } catch (error) {
    if (isUnknown(error)) return [];
    throw error;
  }
  return victims.length > 0 ? victims : [{ repo, name, tag: undefined, digest }];
}

/** Deletes a manifest that no tag and no index of its repository needs any more, then its children likewise. */
async function removeUnneeded(
  registry: Registry,
  repo: StoreName,
  digest: Digest,
  opts: RemoveOptions,
): Promise<Digest[]> {
  const manifests = await readAll(registry, repo, opts);
  const tagged = new Set<Digest>();
  for await (const tag of registry.tags(repo, opts)) tagged.add((await registry.statManifest(repo, tag, opts)).digest);
  const deleted: Digest[] = [];
  const visit = async (target: Digest): Promise<void> => {
    const manifest = manifests.get(target);
    const parents = [...manifests.values()].some(({ view }) =>
      childrenOf(view).some((child) => child.digest === target),
    );
    if (!manifest || parents || tagged.has(target)) return;
    await registry.deleteManifest(repo, target, opts);
    manifests.delete(target);
    deleted.push(target);
    for (const child of childrenOf(manifest.view)) await visit(child.digest);
    // What was said about it (signatures, attestations) goes with it.
    for (const [referrer, { view }] of manifests) if (view.subject?.digest === target) await visit(referrer);
  };
  await visit(digest);
  return deleted;
}

async function readAll(registry: Registry, repo: StoreName, opts: RemoveOptions): Promise<Map<Digest, Manifest>> {
  const manifests = new Map<Digest, Manifest>();
  for await (const digest of registry.extension(manifestEnumerator)?.manifests(repo, opts) ?? []) {
    manifests.set(digest, await registry.getManifest(repo, digest, opts));
  }
  return manifests;
}

function isId(word: string): boolean {
  return /^[0-9a-f]{4,64}$/.test(word) || tryParseDigest(word) !== undefined || /^sha256:[0-9a-f]{4,64}$/.test(word);
}

function isUnknown(error: unknown): boolean {
  return isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN');
}

function nameOf(word: string): string {
  try {
    return familiarReference(withDefaultTag(parseReference(word)));
  } catch {
    return word;
  }
}
