import { checkArgument, checkFields } from '../check-arguments.ts';
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

/** A manifest as it is transferred: the exact bytes, and the media type that they were pushed with. */
export interface RawManifest {
  /** As sent or to be sent; parameters are ignored. */
  readonly mediaType: string;
  /** Exactly as stored: the digest depends on every byte. */
  readonly bytes: Uint8Array;
}

/** A manifest that was read: its exact bytes, its descriptor, and its parsed content. */
export interface Manifest extends RawManifest {
  /** Media type, digest and size of the bytes. */
  readonly descriptor: Descriptor;
  /** What the bytes say. */
  readonly view: ManifestView;
}

export interface CommonView {
  /** The manifest that this one refers to, as a signature does. */
  readonly subject?: Descriptor;
  /** The type of an artifact, if the manifest states one. */
  readonly artifactType?: string;
  /** Empty if there are none. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** An image, or an artifact that is packaged as an image manifest. */
export interface ImageView extends CommonView {
  readonly kind: 'image';
  /** The image's config, or an artifact's. */
  readonly config: Descriptor;
  /** The lowest layer first. */
  readonly layers: readonly Descriptor[];
}

/** An image index or manifest list. Its entries may be indexes themselves. */
export interface IndexView extends CommonView {
  readonly kind: 'index';
  /** Images, or other indexes, in the order of the index. */
  readonly manifests: readonly Descriptor[];
}

/** The artifact manifest that image-spec removed before 1.1. */
export interface ArtifactView extends CommonView {
  readonly kind: 'artifact';
  /** Its content, in the order of the manifest. */
  readonly blobs: readonly Descriptor[];
}

/** Docker's schema 1 (2013–2017): it is read, never written. */
export interface Schema1View extends CommonView {
  readonly kind: 'schema1';
}

/** A manifest type that is not known here: passed on as bytes. */
export interface OtherView extends CommonView {
  readonly kind: 'other';
  /** The references of a registered type; undefined for an unregistered one, whose references are unknown. */
  readonly references?: { readonly blobs: readonly Descriptor[]; readonly manifests: readonly Descriptor[] };
}

export type ManifestView = ImageView | IndexView | ArtifactView | Schema1View | OtherView;

/**
 * Parses a manifest to read its fields. The bytes are not changed.
 *
 * @throws OciError MANIFEST_INVALID for bytes that are not JSON, fields of the wrong shape, a `mediaType` that
 * contradicts the type it was sent with, or a document that is an image and an index at once (CVE-2021-41190).
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
 */
export function parseManifest(raw: RawManifest): ManifestView {
  checkFields('parseManifest', 'the manifest', raw, { mediaType: 'string', bytes: 'bytes' });
  const type = bareMediaType(raw.mediaType);
  const before = received.get(raw.bytes);
  return before?.type === type ? before.view : viewOf(type, raw.bytes, () => parseJsonObject(raw.bytes));
}

/** Results of {@link receiveManifest} by the bytes object, which is never changed afterwards. */
const received = new WeakMap<
  Uint8Array,
  { readonly type: string; readonly view: ManifestView; readonly implied: string | undefined }
>();

/** The body of a request or response, parsed. */
interface ReceivedManifest extends RawManifest {
  readonly view: ManifestView;
  /** Whether the bytes are a JSON object. */
  readonly isObject: boolean;
  /** Whether they name their media type themselves. They are then refused under any other. */
  readonly isTyped: boolean;
}

/**
 * Parses a body that was received. Later calls for the view or type of the same bytes get the result from here: a
 * manifest of 4 MiB takes a third of a second to parse, and several functions read it on its way into a store.
 *
 * @param told The media type it was sent with. If undefined or empty, it is detected as by {@link detectMediaType}.
 * @param bytes Must not be changed afterwards.
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
  const isObject = isJsonObject(document);
  return { mediaType, bytes, view, isObject, isTyped: isObject && ownType(document()) !== undefined };
}

type Document = Readonly<Record<string, unknown>>;
type ReadDocument = () => Document;

/** Calls a function once; the result repeats its value or its error. */
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
    refuseOtherType(readDocument, type);
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
  checkFields('readManifest', 'the manifest', raw, { mediaType: 'string', bytes: 'bytes' });
  const mediaType = bareMediaType(raw.mediaType);
  const view = parseManifest(raw);
  const digest: Digest = await digestBytes(digestedPart(raw), algorithm);
  return { mediaType, bytes: raw.bytes, view, descriptor: { mediaType, digest, size: raw.bytes.length } };
}

/** The blobs that a manifest references: config, layers, blobs of an artifact or of a registered type. */
export function blobsOf(view: ManifestView): readonly Descriptor[] {
  checkFields('blobsOf', 'the view', view, { kind: 'string' });
  if (view.kind === 'image') return [view.config, ...view.layers];
  if (view.kind === 'other') return view.references?.blobs ?? [];
  return view.kind === 'artifact' ? view.blobs : [];
}

/** The manifests that an index references, or a manifest of a registered type; an empty list for other manifests. */
export function childrenOf(view: ManifestView): readonly Descriptor[] {
  checkFields('childrenOf', 'the view', view, { kind: 'string' });
  if (view.kind === 'other') return view.references?.manifests ?? [];
  return view.kind === 'index' ? view.manifests : [];
}

/** The error for an image in Docker's schema 1 format. */
export function schema1Refused(name: string, cause?: unknown): OciError {
  return new OciError(
    'UNSUPPORTED',
    `${name} is in Docker's image format schema 1, which registries and Docker no longer support`,
    { hint: 'pull and push it once with Docker 19.03 or older, or rebuild it, to convert it to schema 2', cause },
  );
}

/**
 * The media type of a manifest that came without one, as in an OCI layout or from a registry that sends no Content-Type.
 *
 * @returns The document's own `mediaType`, or the type that its fields imply.
 * @throws OciError MANIFEST_INVALID if the bytes are not a JSON object, or its fields imply no type.
 */
export function detectMediaType(bytes: Uint8Array): string {
  checkArgument('detectMediaType', 'the bytes', bytes, 'bytes');
  return received.get(bytes)?.implied ?? impliedType(parseJsonObject(bytes));
}

/** Like {@link detectMediaType}, but undefined if the bytes imply no type. */
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
  const own = ownType(document);
  if (own !== undefined) return own;
  if (document['schemaVersion'] === 1) {
    return 'signatures' in document ? mediaTypes.dockerSchema1Signed : mediaTypes.dockerSchema1;
  }
  if ('manifests' in document) return mediaTypes.ociIndex;
  if ('config' in document || 'layers' in document) return mediaTypes.ociManifest;
  throw new OciError('MANIFEST_INVALID', 'malformed manifest: it has neither mediaType, manifests nor config');
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

// An image that is sent as an unknown type would be stored without its layers, and would look complete.
function refuseDisguise(readDocument: ReadDocument, type: string): void {
  const implied = tryImpliedType(readDocument);
  // Not a JSON object, or no type that is known here.
  if (implied === undefined || implied === type) return;
  throw new OciError('MANIFEST_INVALID', `malformed manifest: it was sent as ${quote(type)} but is ${quote(implied)}`);
}

// So that whatever is stored with a type of its own has that type, whoever reads it.
function refuseOtherType(readDocument: ReadDocument, type: string): void {
  const own = isJsonObject(readDocument) ? ownType(readDocument()) : undefined;
  if (own === undefined || own === type) return;
  throw new OciError('MANIFEST_INVALID', `malformed manifest: it was sent as ${quote(type)} but is ${quote(own)}`);
}

function ownType({ ['mediaType']: claimed }: Document): string | undefined {
  return typeof claimed === 'string' && claimed !== '' ? bareMediaType(claimed) : undefined;
}

// Go programs write null for an empty list.
function descriptors(value: unknown, where: string): readonly Descriptor[] {
  return asArray(value === null ? [] : value, where).map((item, i) => parseDescriptor(item, `${where}[${i}]`));
}
