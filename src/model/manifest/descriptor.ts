import type { Digest } from '../digest.ts';
import { parseDigest } from '../digest.ts';
import { OciError } from '../errors.ts';
import type { Platform } from '../platform/platform.ts';
import { parsePlatformObject } from '../platform/platform.ts';
import { quote } from '../quote.ts';

/**
 * What content is: type, digest, size.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md
 */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** The content itself, base64, where a manifest carries it inline. */
  readonly data?: string;
  readonly artifactType?: string;
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
    throw invalid(`${where}.size`, 'must be a whole number of bytes');
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

/** Asserts a JSON object. @throws OciError MANIFEST_INVALID */
export function asObject(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(where, 'must be an object');
  return value as Record<string, unknown>;
}

/** Parses bytes as a JSON object. @throws OciError MANIFEST_INVALID */
export function parseJsonObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new OciError('MANIFEST_INVALID', 'malformed manifest: it is not JSON', { cause });
  }
  return asObject(value, 'the document');
}

/** Asserts a JSON list. @throws OciError MANIFEST_INVALID */
export function asArray(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(where, 'must be a list');
  return value;
}

/** Asserts a JSON string. @throws OciError MANIFEST_INVALID */
export function asString(value: unknown, where: string): string {
  if (typeof value !== 'string') throw invalid(where, 'must be a string');
  return value;
}

/** Whether a JSON field is there; Go programs write null for what is not. */
export function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function asStrings(value: unknown, where: string): readonly string[] {
  return asArray(value ?? [], where).map((item, i) => asString(item, `${where}[${i}]`));
}

/** Asserts a digest. @throws OciError MANIFEST_INVALID */
export function parseDigestField(value: unknown, where: string): Digest {
  try {
    return parseDigest(asString(value, where));
  } catch (cause) {
    throw invalid(where, cause instanceof Error ? cause.message : 'is not a digest');
  }
}

function invalid(where: string, problem: string): OciError {
  return new OciError('MANIFEST_INVALID', `malformed manifest: ${where} ${problem}`);
}
