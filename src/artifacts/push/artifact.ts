/** Makes an artifact of files, ready to be transferred. */
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import { type Platform, platformObject } from '../../model/platform/platform.ts';
import { parseRepositoryName, type RepositoryName, type Tag } from '../../model/reference/reference.ts';
import type { Registry, SignalOption } from '../../registry/registry.ts';
import { madeRegistry } from '../../registry/wrappers/made.ts';
import { annotationKeys } from '../annotations.ts';
import { checkMediaType } from './file-word.ts';
import { type ArtifactFile, readContent, readLayers } from './layers.ts';
import { artifactManifest, type ImageSpec, unknownArtifactType, unknownConfigType } from './manifest.ts';
import { bytesPart, type Part } from './part.ts';

/** What an artifact is made of, beside its files. */
export interface MakeOptions extends SignalOption {
  readonly artifactType?: string | undefined;
  /** The config, in place of an empty one. */
  readonly config?: ArtifactFile | undefined;
  /** Makes a config that names this platform. Not beside `config`. */
  readonly platform?: Platform | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly configAnnotations?: Readonly<Record<string, string>> | undefined;
  /** When it was made, RFC 3339. Default: that is not said, so that the same files are the same artifact. */
  readonly created?: string | undefined;
  /** Default v1.1. */
  readonly imageSpec?: ImageSpec | undefined;
  /** Whether files in directories keep the time of their last change. Default false: it is 1970 for all. */
  readonly keepTimes?: boolean | undefined;
  /** Looks up the manifest that the artifact is attached to, while its files are read. */
  readonly subject?: (() => Promise<Descriptor>) | undefined;
}

/** An artifact that was made. Disposing it removes its temporary files. */
export interface MadeArtifact extends Disposable {
  readonly manifest: Manifest;
  /** What a transfer takes it from. */
  readonly from: {
    readonly registry: Registry;
    readonly repo: RepositoryName;
    readonly reference: Descriptor['digest'];
    readonly root: Descriptor;
    readonly manifests: readonly Manifest[];
  };
}

/** @throws OciError USAGE for what cannot be pushed; DIGEST_MISMATCH for files that change; STORAGE_*; what `subject` throws. */
export async function makeArtifact(files: readonly ArtifactFile[], options: MakeOptions): Promise<MadeArtifact> {
  const { artifactType, annotations = {}, created, imageSpec = 'v1.1' } = options;
  refuseConflicts(options);
  const { layers, config, subject } = await readAll(files, options);
  const parts = [config, ...layers];
  try {
    const manifest = await artifactManifest({
      artifactType:
        imageSpec === 'v1.0' ? undefined : (artifactType ?? (options.config ? undefined : unknownArtifactType)),
      config: config.descriptor,
      layers: layers.map(({ descriptor }) => descriptor),
      subject,
      annotations: { ...(created !== undefined && { [annotationKeys.created]: created }), ...annotations },
    });
    const { descriptor } = manifest;
    return {
      manifest,
      from: {
        registry: madeRegistry({ name: 'the artifact', manifests: [manifest], blobs: parts }),
        repo: parseRepositoryName('artifact'),
        reference: descriptor.digest,
        root: descriptor,
        manifests: [manifest],
      },
      [Symbol.dispose]: () => closeAll(parts),
    };
  } catch (error) {
    closeAll(parts);
    throw error;
  }
}

/** The destination of a transfer. With no tag, what is there under its digest is asked for beside its blobs. */
export function destinationOf<T extends object>(end: T, tags: readonly Tag[]) {
  return { ...end, tags, ...(tags.length === 0 && { seen: { digest: undefined } }) };
}

function refuseConflicts({ artifactType, config, platform, imageSpec }: MakeOptions): void {
  if (artifactType !== undefined) checkMediaType(artifactType, 'the artifact type');
  if (config?.mediaType !== undefined) checkMediaType(config.mediaType, 'the type of the config');
  if (config && platform) {
    throw new OciError('USAGE', 'an artifact has one config: its own, or one that names a platform', {
      hint: 'leave the platform out, or write it into the config',
    });
  }
  if (imageSpec === 'v1.0' && artifactType !== undefined && (config ?? platform)) {
    throw new OciError(
      'USAGE',
      'by image spec v1.0, the type of the config is that of the artifact: give one of them',
      {
        hint: 'leave the artifact type out, or use image spec v1.1',
      },
    );
  }
}

interface Read {
  readonly layers: readonly Part[];
  readonly config: Part;
  readonly subject: Descriptor | undefined;
}

/** Reads the files while the subject is looked up. A subject that is not there ends the reading. */
async function readAll(files: readonly ArtifactFile[], options: MakeOptions): Promise<Read> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const looking = options.subject?.();
  looking?.catch((error: unknown) => stop.abort(error));
  const reading = readParts(files, { ...options, signal });
  const [read, subject] = await Promise.allSettled([reading, looking]);
  if (subject.status === 'rejected') {
    if (read.status === 'fulfilled') closeAll([read.value.config, ...read.value.layers]);
    throw subject.reason;
  }
  if (read.status === 'rejected') throw read.reason;
  return { ...read.value, subject: subject.value };
}

async function readParts(files: readonly ArtifactFile[], options: MakeOptions): Promise<Omit<Read, 'subject'>> {
  const { imageSpec, keepTimes = false, signal } = options;
  const config = await configPart(options);
  try {
    const layers = await readLayers(files, { keepTimes, signal });
    const needsOne = layers.length === 0 && imageSpec !== 'v1.0';
    return { config, layers: needsOne ? [await emptyPart()] : layers };
  } catch (error) {
    config.close();
    throw error;
  }
}

async function configPart(options: MakeOptions): Promise<Part> {
  const { config, platform, artifactType, imageSpec, signal } = options;
  const part = await (async (): Promise<Part> => {
    if (config) return await readContent(config, unknownConfigType, { signal });
    if (platform) return await bytesPart(Buffer.from(JSON.stringify(platformObject(platform))), mediaTypes.ociConfig);
    return imageSpec === 'v1.0' ? await bytesPart(emptyJson, artifactType ?? unknownConfigType) : await emptyPart();
  })();
  return { ...part, descriptor: { ...part.descriptor, annotations: options.configAnnotations ?? {} } };
}

const emptyJson = Buffer.from('{}');

/** @see https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidance-for-an-empty-descriptor */
async function emptyPart(): Promise<Part> {
  const part = await bytesPart(emptyJson, mediaTypes.ociEmpty);
  return { ...part, descriptor: { ...part.descriptor, data: emptyJson.toString('base64') } };
}

function closeAll(parts: readonly Part[]): void {
  for (const part of parts) part.close();
}
