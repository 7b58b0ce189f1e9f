import type { Digest } from '../digest.ts';
import { parseDigest } from '../digest.ts';
import { asObject, asString, asStrings, invalidField, isPresent } from '../json-fields.ts';
import type { Platform } from '../platform/platform.ts';
import { parsePlatformObject } from '../platform/platform.ts';
import { quote } from '../quote.ts';

/**
 * A descriptor: media type, digest and size of some content.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md
 */
export interface Descriptor {
  /** The media type of the content. */
  readonly mediaType: string;
  /** The digest of the content. */
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Where else the content can be fetched from. */
  readonly urls?: readonly string[];
  /** Free metadata, by name. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** The content itself in base64, if the manifest embeds it. */
  readonly data?: string;
  /** The type of an artifact's manifest. */
  readonly artifactType?: string;
  /** What an entry of an index is for. */
  readonly platform?: Platform;
}

/**
 * Reads a descriptor out of parsed JSON.
 *
 * @param where The path inside the document, for the error.
 * @throws OciError MANIFEST_INVALID naming the field that is wrong.
 */
export function parseDescriptor(value: unknown, where: string): Descriptor {
  const fields = asObject(value, where);
  const size = fields['size'];
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalidField(`${where}.size`, 'must be a whole number of bytes');
  }
  return {
    mediaType: asString(fields['mediaType'], `${where}.mediaType`),
    digest: parseDigestField(fields['digest'], `${where}.digest`),
    size,
    ...(fields['urls'] !== undefined && { urls: asStrings(fields['urls'], `${where}.urls`) }),
    ...(isPresent(fields['annotations']) && {
      annotations: parseAnnotations(fields['annotations'], `${where}.annotations`),
    }),
    ...(isPresent(fields['data']) && { data: asString(fields['data'], `${where}.data`) }),
    ...(typeof fields['artifactType'] === 'string' && { artifactType: fields['artifactType'] }),
    ...(isPresent(fields['platform']) && { platform: parsePlatformObject(fields['platform'], `${where}.platform`) }),
  };
}

/** Reads a string-to-string map. @throws OciError MANIFEST_INVALID */
export function parseAnnotations(value: unknown, where: string): Readonly<Record<string, string>> {
  const entries = Object.entries(asObject(value, where));
  return Object.fromEntries(entries.map(([key, text]) => [key, asString(text, `${where}[${quote(key)}]`)]));
}

/** Asserts a digest. @throws OciError MANIFEST_INVALID */
export function parseDigestField(value: unknown, where: string): Digest {
  try {
    return parseDigest(asString(value, where));
  } catch (cause) {
    throw invalidField(where, cause instanceof Error ? cause.message : 'is not a digest');
  }
}
