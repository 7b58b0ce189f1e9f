import type { Digest, DigestAlgorithm } from '../digest.ts';
import { digestBytes } from '../digest.ts';
import { isOciError, OciError } from '../errors.ts';
import { asArray, isPresent, parseJsonObject } from '../json-fields.ts';
import { quote } from '../quote.ts';
import type { Descriptor } from './descriptor.ts';
import { parseAnnotations, parseDescriptor } from './descriptor.ts';
import { manifestSchema } from './manifest-schemas.ts';
import { bareMediaType, isImageType, isIndexType, isSchema1Type, mediaTypes } from './media-types.ts';
import { digestedPart } from './schema1.ts';

/** A manifest as it travels: the exact bytes and the type they were pushed under. */
export interface RawManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** A manifest that was got: its exact bytes, what they are, and a view of what they say. */
export interface Manifest extends RawManifest {
  readonly descriptor: Descriptor;
  readonly view: ManifestView;
}

interface CommonView {
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** An image, or an artifact in an image manifest's clothes. */
export interface ImageView extends CommonView {
  readonly kind: 'image';
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** An index or manifest list; entries may be indexes themselves. */
export interface IndexView extends CommonView {
  readonly kind: 'index';
  readonly manifests: readonly Descriptor[];
}

/** The artifact manifest that image-spec 1.1 withdrew. */
export interface ArtifactView extends CommonView {
  readonly kind: 'artifact';
  readonly blobs: readonly Descriptor[];
}

/** Docker's schema 1 (2013–2017): recognised, never created. */
export interface Schema1View extends CommonView {
  readonly kind: 'schema1';
}

/** A type that is none of ours: passed on as bytes. */
export interface OtherView extends CommonView {
  readonly kind: 'other';
  /** What it names, where its type was registered; undefined: nobody here knows. */
  readonly references?: { readonly blobs: readonly Descriptor[]; readonly manifests: readonly Descriptor[] };
}

export type ManifestView = ImageView | IndexView | ArtifactView | Schema1View | OtherView;

/**
 * Parses a manifest to look at it; the bytes stay what they were.
 *
 * @throws OciError MANIFEST_INVALID for JSON that is none, fields of the wrong shape, a `mediaType` that contradicts
 *   the type it was sent under, or a document that is an image and an index at once (CVE-2021-41190).
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
 */
export function parseManifest(raw: RawManifest): ManifestView {
  const type = bareMediaType(raw.mediaType);
  const before = received.get(raw.bytes);
  return before?.type === type ? before.view : viewOf(type, raw.bytes, () => parseJsonObject(raw.bytes));
}

/** What was read of bodies, which nobody changes afterwards. */
const received = new WeakMap<
  Uint8Array,
  { readonly type: string; readonly view: ManifestView; readonly implied: string | undefined }
>();

/** A body as it came, and what was read of it. */
interface ReceivedManifest extends RawManifest {
  readonly view: ManifestView;
  /** Whether the bytes are a JSON object. */
  readonly isObject: boolean;
}

/**
 * Parses a body as it came. Whoever asks for the same bytes' view or type later gets what was read here: a manifest of
 * 4 MiB takes a third of a second to parse, and is looked at by several on its way into a store.
 *
 * @param told The type that it was sent under; undefined or empty: as {@link detectMediaType} finds it.
 * @param bytes Never changed again.
 * @throws OciError MANIFEST_INVALID, as {@link parseManifest}.
 */
export function receiveManifest(told: string | undefined, bytes: Uint8Array): ReceivedManifest {
  let parsed: (() => Document) | undefined;
  const document: ReadDocument = () => {
    parsed ??= attempt(() => parseJsonObject(bytes));
    return parsed();
  };
  const mediaType = bareMediaType(told ?? '') || impliedType(document());
  const view = viewOf(mediaType, bytes, document);
  received.set(bytes, { type: mediaType, view, implied: tryImpliedType(document) });
  return { mediaType, bytes, view, isObject: isJsonObject(document) };
}

type Document = Readonly<Record<string, unknown>>;
type ReadDocument = () => Document;

/** What a function gives or throws, as often as it is asked for. */
function attempt<T>(act: () => T): () => T {
  try {
    const value = act();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function viewOf(type: string, bytes: Uint8Array, readDocument: ReadDocument): ManifestView {
  const read = manifestSchema(type);
  if (read) {
    const { blobs = [], manifests = [], annotations = {}, ...rest } = read(bytes);
    return { kind: 'other', annotations, ...rest, references: { blobs, manifests } };
  }
  const known = isImageType(type) || isIndexType(type) || isSchema1Type(type) || type === mediaTypes.ociArtifact;
  if (!known) {
    refuseDisguise(readDocument, type);
    return { kind: 'other', annotations: {} };
  }
  const document = readDocument();
  if (isSchema1Type(type)) return { kind: 'schema1', annotations: {} };
  refuseAmbiguity(document, type);
  const common = commonView(document);
  if (isIndexType(type)) {
    return { kind: 'index', ...common, manifests: descriptors(document['manifests'], 'manifests') };
  }
  if (type === mediaTypes.ociArtifact) {
    return { kind: 'artifact', ...common, blobs: descriptors(document['blobs'] ?? [], 'blobs') };
  }
  return {
    kind: 'image',
    ...common,
    config: parseDescriptor(document['config'], 'config'),
    layers: descriptors(document['layers'], 'layers'),
  };
}

/** Completes raw bytes to a {@link Manifest}. @throws OciError MANIFEST_INVALID, as {@link parseManifest}. */
export async function readManifest(raw: RawManifest, algorithm?: DigestAlgorithm): Promise<Manifest> {
  const mediaType = bareMediaType(raw.mediaType);
  const view = parseManifest(raw);
  const digest: Digest = await digestBytes(digestedPart(raw), algorithm);
  return { mediaType, bytes: raw.bytes, view, descriptor: { mediaType, digest, size: raw.bytes.length } };
}

/** The blobs that a manifest names: config, layers, artifact blobs, those of a registered type. */
export function blobsOf(view: ManifestView): readonly Descriptor[] {
  if (view.kind === 'image') return [view.config, ...view.layers];
  if (view.kind === 'other') return view.references?.blobs ?? [];
  return view.kind === 'artifact' ? view.blobs : [];
}

/** The manifests that an index names, or a manifest of a registered type; none for anything else. */
export function childrenOf(view: ManifestView): readonly Descriptor[] {
  if (view.kind === 'other') return view.references?.manifests ?? [];
  return view.kind === 'index' ? view.manifests : [];
}

/** The error for an image in Docker's schema 1. */
export function schema1Refused(name: string, cause?: unknown): OciError {
  return new OciError(
    'UNSUPPORTED',
    `${name} is in Docker's image format schema 1, which registries and Docker no longer support`,
    { hint: 'pull and push it once with Docker 19.03 or older, or rebuild it, to convert it to schema 2', cause },
  );
}

/**
 * The type of a manifest that came without one, as in an OCI layout or from a careless registry.
 *
 * @returns The document's own `mediaType`, or the type its fields imply.
 * @throws OciError MANIFEST_INVALID when the bytes are no JSON object or imply nothing.
 */
export function detectMediaType(bytes: Uint8Array): string {
  return received.get(bytes)?.implied ?? impliedType(parseJsonObject(bytes));
}

/** As {@link detectMediaType}; undefined where the bytes imply nothing. */
export function impliedMediaType(bytes: Uint8Array): string | undefined {
  const before = received.get(bytes);
  return before ? before.implied : tryImpliedType(() => parseJsonObject(bytes));
}

function isJsonObject(readDocument: ReadDocument): boolean {
  try {
    readDocument();
    return true;
  } catch {
    return false;
  }
}

function tryImpliedType(readDocument: ReadDocument): string | undefined {
  try {
    return impliedType(readDocument());
  } catch (error) {
    if (isOciError(error, 'MANIFEST_INVALID')) return undefined;
    throw error;
  }
}

function impliedType(document: Document): string {
  const claimed = document['mediaType'];
  if (typeof claimed === 'string' && claimed !== '') return bareMediaType(claimed);
  if (document['schemaVersion'] === 1) {
    return 'signatures' in document ? mediaTypes.dockerSchema1Signed : mediaTypes.dockerSchema1;
  }
  if ('manifests' in document) return mediaTypes.ociIndex;
  if ('config' in document || 'layers' in document) return mediaTypes.ociManifest;
  throw new OciError('MANIFEST_INVALID', 'malformed manifest: neither mediaType, manifests nor config is there');
}

function commonView(document: Readonly<Record<string, unknown>>): CommonView {
  return {
    ...(isPresent(document['subject']) && { subject: parseDescriptor(document['subject'], 'subject') }),
    ...(typeof document['artifactType'] === 'string' && { artifactType: document['artifactType'] }),
    annotations: isPresent(document['annotations']) ? parseAnnotations(document['annotations'], 'annotations') : {},
  };
}

function refuseAmbiguity(document: Readonly<Record<string, unknown>>, type: string): void {
  const claimed = document['mediaType'];
  if (claimed !== undefined && (typeof claimed !== 'string' || bareMediaType(claimed) !== type)) {
    throw new OciError(
      'MANIFEST_INVALID',
      `malformed manifest: it says mediaType ${quote(typeof claimed === 'string' ? claimed : JSON.stringify(claimed))} but was sent as ${type}`,
    );
  }
  if (type === mediaTypes.ociArtifact && ('config' in document || 'layers' in document || 'manifests' in document)) {
    throw new OciError('MANIFEST_INVALID', `malformed manifest: it was sent as ${type} but is an image or an index`);
  }
  const asImage = 'config' in document || 'layers' in document || 'fsLayers' in document;
  if (asImage && 'manifests' in document) {
    throw new OciError('MANIFEST_INVALID', 'malformed manifest: it is an image and an index at once (CVE-2021-41190)');
  }
}

// An image that is sent as something unknown would be stored without its layers, and look complete ever after.
function refuseDisguise(readDocument: ReadDocument, type: string): void {
  const implied = tryImpliedType(readDocument);
  // No JSON object, or one that looks like nothing we know.
  if (implied === undefined || implied === type) return;
  throw new OciError('MANIFEST_INVALID', `malformed manifest: it was sent as ${quote(type)} but is ${quote(implied)}`);
}

// null stands for an empty list in what Go programs write.
function descriptors(value: unknown, where: string): readonly Descriptor[] {
  return asArray(value === null ? [] : value, where).map((item, i) => parseDescriptor(item, `${where}[${i}]`));
}
