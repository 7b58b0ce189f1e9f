/** The store that every interleaving starts with, and what can be read from it afterwards. */
import { type Digest, digestBytes } from '../../../src/model/digest.ts';
import { isOciError } from '../../../src/model/errors.ts';
import type { Descriptor } from '../../../src/model/manifest/descriptor.ts';
import type { RawManifest } from '../../../src/model/manifest/manifest.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { parseTag, type StoreName, type Tag, toStoreName } from '../../../src/model/reference/reference.ts';
import { bytesSource, readContent } from '../../../src/registry/content.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import type { Driver } from '../../../src/storage/driver.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { all, describeBytes, madeBytes, manifestOf, text } from '../stores.ts';

/** Operations meet in `app`; `other` has what they mount. */
export const repos = {
  app: toStoreName({ domain: 'example.com', path: 'app' as StoreName }),
  other: toStoreName({ domain: 'example.com', path: 'other' as StoreName }),
};
export const [one, two, fresh] = [parseTag('one'), parseTag('two'), parseTag('fresh')];

export interface Image {
  readonly raw: RawManifest;
  readonly descriptor: Descriptor;
  readonly blobs: readonly Blob[];
  /** Of an index: its images. */
  readonly children?: readonly Image[];
}

export interface Blob {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/**
 * x is in `app` with the tag `one`. An operation may need more: y is there with the tag `two`; the blobs of z are there
 * without its manifest; so are those of o, whose bytes do not tell its media type; s is a referrer of x, and t another
 * one without its manifest; u is in `other` with the tag `one`, and so is a loose blob. The index i is there with the
 * tag `two`, and with its image c. Nothing of n is in the store, nor of the index j, which also names c.
 */
export type Part = 'y' | 'z' | 'o' | 'u' | 's' | 't' | 'i' | 'loose';

export interface Images {
  readonly x: Image;
  readonly y: Image;
  readonly z: Image;
  readonly o: Image;
  readonly u: Image;
  readonly n: Image;
  readonly s: Image;
  readonly t: Image;
  readonly c: Image;
  readonly i: Image;
  readonly j: Image;
}

const x = await image('x');
const c = await image('c');
export const images: Images = {
  x,
  y: await image('y'),
  z: await image('z'),
  o: await image('o', { untyped: true }),
  u: await image('u'),
  n: await image('n'),
  s: await image('s', { subject: x }),
  t: await image('t', { subject: x }),
  c,
  i: await index('i', c),
  j: await index('j', c),
};
/** In no manifest. `large` is too large to be sent at once. */
export const blobs = {
  loose: await blob(text('loose')),
  small: await blob(text('small')),
  large: await blob(madeBytes('large', 300 * 1024)),
};

/** The source of pulls: it has x, n and j. */
export const remote = memoryRegistry();
await pushWhole(remote, repos.app, images.x, [one]);
await pushWhole(remote, repos.app, images.n, [two]);
await pushWhole(remote, repos.app, images.j, []);

/** A separate registry for a driver, as another process would have. */
export function openRegistry(driver: Driver): Registry {
  return createStorage({ driver, sparseIndexes: true });
}

export async function fill(driver: Driver, parts: ReadonlySet<Part>): Promise<void> {
  const registry = openRegistry(driver);
  const { app, other } = repos;
  const { x, y, z, o, u, s, t, i } = images;
  await pushWhole(registry, app, x, [one]);
  if (parts.has('y')) await pushWhole(registry, app, y, [two]);
  if (parts.has('z')) await pushBlobs(registry, app, z.blobs);
  if (parts.has('o')) await pushBlobs(registry, app, o.blobs);
  if (parts.has('s')) await pushWhole(registry, app, s, []);
  if (parts.has('t')) await pushBlobs(registry, app, t.blobs);
  if (parts.has('u')) await pushWhole(registry, other, u, [one]);
  if (parts.has('i')) await pushWhole(registry, app, i, [two]);
  if (parts.has('loose')) await pushBlobs(registry, other, [blobs.loose]);
}

export async function pushBlobs(registry: Registry, repo: StoreName, pushed: readonly Blob[]): Promise<void> {
  for (const { descriptor, bytes } of pushed) {
    await registry.pushBlob(repo, descriptor, bytesSource(descriptor, bytes));
  }
}

export async function pushWhole(
  registry: Registry,
  repo: StoreName,
  { blobs, raw, children = [] }: Image,
  tags: Tag[],
): Promise<void> {
  for (const child of children) await pushWhole(registry, repo, child, []);
  await pushBlobs(registry, repo, blobs);
  await registry.pushManifest(repo, raw, { tags });
}

/**
 * What a store holds: `app:one` and its image, `app@x`, `app@x<s` for a listed referrer, `app/small` for a blob. What
 * is absent has no entry; what cannot be read completely is `broken`, with the reason.
 */
export type State = ReadonlyMap<string, string>;

export async function readState(driver: Driver): Promise<State> {
  const registry = openRegistry(driver);
  const state = new Map<string, string>();
  for (const [name, repo] of Object.entries(repos)) {
    for (const tag of await tagsOf(registry, repo)) state.set(`${name}:${tag}`, await readImage(registry, repo, tag));
    for (const [id, { descriptor }] of Object.entries(images)) {
      const read = await readImage(registry, repo, descriptor.digest);
      if (read !== 'broken: MANIFEST_UNKNOWN') state.set(`${name}@${id}`, read);
    }
    for await (const { digest } of registry.referrers(repo, images.x.descriptor.digest)) {
      state.set(`${name}@x<${nameOf(digest)}`, nameOf(digest));
    }
    for (const [id, { descriptor }] of Object.entries(blobs)) {
      const read = await readBytes(registry, repo, descriptor.digest);
      if (read !== 'broken: BLOB_UNKNOWN') state.set(`${name}/${id}`, read);
    }
  }
  return state;
}

async function tagsOf(registry: Registry, repo: StoreName): Promise<readonly Tag[]> {
  try {
    return await all(registry.tags(repo));
  } catch (error) {
    if (isOciError(error, 'NAME_UNKNOWN')) return [];
    throw error;
  }
}

async function readImage(registry: Registry, repo: StoreName, reference: Tag | Digest): Promise<string> {
  try {
    const manifest = await registry.getManifest(repo, reference);
    const id = nameOf(manifest.descriptor.digest);
    const found: Image = images[id as keyof Images];
    if (manifest.mediaType !== found.raw.mediaType) return `broken: its media type is ${manifest.mediaType}`;
    for (const { descriptor } of found.blobs) {
      await readContent(await registry.getBlob(repo, descriptor.digest), 1_000_000);
    }
    for (const child of found.children ?? []) {
      const read = await readImage(registry, repo, child.descriptor.digest);
      if (read.startsWith('broken')) return `${read} of an image that it names`;
    }
    return id;
  } catch (error) {
    return `broken: ${codeOf(error)}`;
  }
}

async function readBytes(registry: Registry, repo: StoreName, digest: Digest): Promise<string> {
  try {
    await readContent(await registry.getBlob(repo, digest), 1_000_000);
    return 'there';
  } catch (error) {
    return `broken: ${codeOf(error)}`;
  }
}

/** The code of an error; without a code, the whole error. */
export function codeOf(error: unknown): string {
  if (isOciError(error)) return error.code === 'STORAGE' ? `STORAGE ${error.message}` : error.code;
  return String(error instanceof Error ? error.stack : error);
}

function nameOf(digest: Digest): string {
  return Object.entries(images).find(([, { descriptor }]) => descriptor.digest === digest)?.[0] ?? digest;
}

async function image(seed: string, { subject, untyped }: { subject?: Image; untyped?: true } = {}): Promise<Image> {
  const parts = [await blob(text(`{"seed":"${seed}"}`)), await blob(madeBytes(seed, 300))];
  const [config, layer] = parts.map(({ descriptor }) => descriptor);
  const mediaType = mediaTypes.ociManifest;
  const raw = manifestOf({
    ...(!untyped && { mediaType }),
    config: { ...config, mediaType: mediaTypes.ociConfig },
    layers: [{ ...layer, mediaType: mediaTypes.ociLayer }],
    ...(subject && { subject: subject.descriptor }),
  });
  const typed = untyped ? { ...raw, mediaType: mediaTypes.dockerManifest } : raw;
  const { length: size } = raw.bytes;
  return {
    raw: typed,
    descriptor: { mediaType: typed.mediaType, digest: await digestBytes(raw.bytes), size },
    blobs: parts,
  };
}

async function index(seed: string, ...children: Image[]): Promise<Image> {
  const mediaType = mediaTypes.ociIndex;
  const { bytes } = manifestOf({
    mediaType,
    manifests: children.map(({ descriptor }) => descriptor),
    annotations: { seed },
  });
  const descriptor = { mediaType, digest: await digestBytes(bytes), size: bytes.length };
  return { raw: { mediaType, bytes }, descriptor, blobs: [], children };
}

async function blob(bytes: Uint8Array): Promise<Blob> {
  return { descriptor: await describeBytes(bytes), bytes };
}
