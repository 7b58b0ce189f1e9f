import { type Digest, parseDigest } from '../../model/digest.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type Manifest, schema1Refused } from '../../model/manifest/manifest.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import { quote } from '../../model/quote.ts';
import { annotationKeys } from '../annotations.ts';
import { pathOfTitle, refuseConflicts, titleHint } from './titles.ts';

/** A layer that becomes a file or a directory. */
export interface PlannedFile {
  readonly descriptor: Descriptor;
  readonly title: string;
  /** The names that lead to it from the output directory. */
  readonly path: readonly string[];
  readonly isDirectory: boolean;
  /** Of a directory: the digest that its tar archive must have. */
  readonly unpackedDigest: Digest | undefined;
}

/** What a pull makes of an artifact. */
interface FilePlan {
  readonly files: readonly PlannedFile[];
  /** Content without a title, which becomes no file. */
  readonly untitled: readonly Descriptor[];
}

/** The config as a file. */
export interface ConfigFile {
  /** Its path in the output directory, as a title. */
  readonly path: string;
  /** Only a config of this type is written. Default: of any type. */
  readonly mediaType?: string | undefined;
}

/**
 * Decides which files an artifact has. Nothing on the disk is looked at.
 *
 * @param name The artifact, in messages.
 * @throws OciError MANIFEST_INVALID for titles that lead elsewhere or contradict each other; UNSUPPORTED for what has no files.
 */
export function planFiles({ view, mediaType }: Manifest, name: string, config?: ConfigFile): FilePlan {
  if (view.kind === 'schema1') throw schema1Refused(name);
  if (view.kind !== 'image' && view.kind !== 'artifact') {
    throw new OciError('UNSUPPORTED', `${name} is of the type ${quote(mediaType)}, which has no files`, {
      hint: 'ocictl manifest get prints it',
    });
  }
  const content = view.kind === 'image' ? view.layers : view.blobs;
  const files: PlannedFile[] = [];
  const untitled: Descriptor[] = [];
  for (const descriptor of content) {
    const title = descriptor.annotations?.[annotationKeys.title] ?? '';
    if (title !== '') files.push(plannedFile(descriptor, title));
    // A manifest has one layer at least: without files, it is this one.
    else if (descriptor.mediaType !== mediaTypes.ociEmpty) untitled.push(descriptor);
  }
  if (config && view.kind === 'image' && (config.mediaType ?? view.config.mediaType) === view.config.mediaType) {
    const { annotations: _, ...descriptor } = view.config;
    files.push(plannedFile(descriptor, config.path));
  }
  refuseConflicts(files);
  return { files, untitled };
}

function plannedFile(descriptor: Descriptor, title: string): PlannedFile {
  const { annotations = {} } = descriptor;
  const path = pathOfTitle(title);
  const isDirectory = annotations[annotationKeys.unpack] === 'true';
  if (path.length === 0 && !isDirectory) {
    throw new OciError('MANIFEST_INVALID', `the title ${quote(title)} of a file names a directory`, {
      hint: titleHint,
    });
  }
  const digest = isDirectory ? annotations[annotationKeys.unpackedDigest] : undefined;
  return {
    descriptor,
    title,
    path,
    isDirectory,
    unpackedDigest: digest === undefined ? undefined : parse(digest, title),
  };
}

function parse(digest: string, title: string): Digest {
  try {
    return parseDigest(digest);
  } catch (cause) {
    if (!isOciError(cause)) throw cause;
    throw new OciError('MANIFEST_INVALID', `the directory ${quote(title)} has the wrong digest ${quote(digest)}`, {
      cause,
    });
  }
}
