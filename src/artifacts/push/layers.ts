import { stat } from '../../files/system-calls.ts';
import { OciError } from '../../model/errors.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import { quote } from '../../model/quote.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { annotationKeys } from '../annotations.ts';
import { directoryPart } from './directory.ts';
import { checkMediaType } from './file-word.ts';
import { bytesPart, cannotRead, filePart, type Part, streamPart } from './part.ts';
import { checkTitle, titleOf } from './title.ts';

/** One file of an artifact: on disk, or its content. */
export interface ArtifactFile {
  /** A file, or a directory with all that is in it. Either this, or `content`. */
  readonly path?: string | undefined;
  /** Its bytes. A stream is kept in a temporary file until it is sent. */
  readonly content?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  /** The path under which it is pulled. Default: `path`, which must then be relative; content has none. */
  readonly title?: string | undefined;
  /** Default: that of a tar archive, whatever it is, as oras has it; with gzip for a directory. */
  readonly mediaType?: string | undefined;
  /** Of its entry in the manifest, beside its title. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

interface LayerOptions extends SignalOption {
  /** Whether files in directories keep the time of their last change. */
  readonly keepTimes: boolean;
}

/** A file with what its manifest says of it. */
interface Planned {
  readonly file: ArtifactFile;
  readonly title: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Reads files, one after the other, in the order in which they are given.
 *
 * @throws OciError USAGE for what cannot be pushed: paths that lead elsewhere, equal titles, what is no file; STORAGE_*
 */
export async function readLayers(files: readonly ArtifactFile[], options: LayerOptions): Promise<readonly Part[]> {
  const planned = files.map(plan);
  refuseEqualTitles(planned);
  const parts: Part[] = [];
  try {
    for (const { file, title, annotations } of planned) {
      options.signal?.throwIfAborted();
      const part = await readLayer(file, title, options);
      const all = { ...part.descriptor.annotations, ...annotations };
      parts.push({ ...part, descriptor: { ...part.descriptor, annotations: all } });
    }
    return parts;
  } catch (error) {
    for (const part of parts) part.close();
    throw error;
  }
}

function plan(file: ArtifactFile): Planned {
  const { path, content, annotations = {} } = file;
  if ((path === undefined) === (content === undefined)) {
    throw new OciError('USAGE', 'a file of an artifact has either a path or content');
  }
  if (file.mediaType !== undefined) checkMediaType(file.mediaType, `the type of ${path ?? file.title ?? 'a file'}`);
  const own = annotations[annotationKeys.title] ?? file.title;
  if (own !== undefined) checkTitle(own);
  const title = own ?? (path === undefined ? undefined : titleOf(path));
  return {
    file,
    title,
    annotations: { ...(title !== undefined && { [annotationKeys.title]: title }), ...annotations },
  };
}

function refuseEqualTitles(planned: readonly Planned[]): void {
  const seen = new Set<string>();
  for (const { title } of planned) {
    if (title === undefined) continue;
    if (seen.has(title)) {
      throw new OciError('USAGE', `two files have the title ${quote(title)}, and only one could be pulled`, {
        hint: 'leave one of them out, or push it from another directory',
      });
    }
    seen.add(title);
  }
}

async function readLayer(
  file: ArtifactFile,
  title: string | undefined,
  { keepTimes, signal }: LayerOptions,
): Promise<Part> {
  const { path, mediaType } = file;
  const facts =
    path === undefined
      ? undefined
      : await stat(path).catch((error: unknown) => {
          throw cannotRead(error, path);
        });
  if (path === undefined || !facts?.isDirectory()) return await readContent(file, mediaTypes.ociLayer, { signal });
  return await directoryPart(path, { mediaType, title: title ?? titleOf(path), keepTimes, signal });
}

/** Reads a file that is no directory. @param defaultType Its media type, if it states none. @throws OciError as {@link readLayers} */
export async function readContent(file: ArtifactFile, defaultType: string, { signal }: SignalOption): Promise<Part> {
  const { path = '', content, title, mediaType = defaultType } = file;
  if (content === undefined) return await filePart(path, mediaType, { signal });
  if (content instanceof Uint8Array) return await bytesPart(content, mediaType);
  return await streamPart(content, mediaType, { shown: title ?? 'standard input', signal });
}
