/** What was learned of layers, in the cache: a file for each digest. Nothing depends on any being there. */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { PrivateDirectory } from '../../files/private-directory.ts';
import type { Digest } from '../../model/digest.ts';
import { isOciError } from '../../model/errors.ts';
import { parseJson, tryParseObject } from '../../model/json.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { EntryType } from '../tar/entry.ts';
import type { LayerEntry } from './layer-entry.ts';

/** Another version of ocictl that writes them otherwise has another number, and neither reads the other's. */
const format = 1;
/** Of a file, compressed and not. */
const maxBytes = 16 * 1024 * 1024;
const maxTextBytes = 128 * 1024 * 1024;
const maxEntries = 250_000;
const maxFiles = 256;
const lifetimeMs = 60 * 24 * 60 * 60 * 1000;

type Row = readonly [
  path: string,
  type: EntryType,
  mode: number,
  uid: number,
  gid: number,
  seconds: number,
  nanoseconds: number,
  size: number,
  linkname: string,
  devmajor: number,
  devminor: number,
  position: number,
  xattrs?: Readonly<Record<string, string>>,
];

/** The entries of layers that were read to their end before. */
export class KeptEntries {
  readonly #directory: PrivateDirectory;

  /** @param directory The cache directory of this program. */
  constructor(directory: string) {
    this.#directory = new PrivateDirectory(directory, ['layers']);
  }

  /** Undefined for a layer of which nothing is kept, or nothing whole. Never throws. */
  read({ digest }: Descriptor): readonly LayerEntry[] | undefined {
    const bytes = trying(() => this.#directory.read(fileName(digest), maxBytes));
    const end = bytes?.indexOf(0x0a) ?? -1;
    if (!bytes || end < 0) return undefined;
    const head = tryParseObject(Buffer.from(bytes.subarray(0, end)).toString());
    const body = bytes.subarray(end + 1);
    if (head?.['format'] !== format || head['digest'] !== digest || head['sha256'] !== sumOf(body)) return undefined;
    return trying(() => {
      const text = gunzipSync(body, { maxOutputLength: maxTextBytes }).toString();
      return (parseJson(text) as readonly Row[]).map(entryOf);
    });
  }

  /** Keeps the entries of a layer, unless they are too many. Never throws. */
  write({ digest }: Descriptor, diffId: Digest, entries: readonly LayerEntry[]): void {
    if (entries.length > maxEntries) return;
    trying(() => {
      const body = gzipSync(JSON.stringify(entries.map(rowOf)), { level: 1 });
      const head = JSON.stringify({ format, digest, diffId, sha256: sumOf(body) });
      if (body.length + head.length >= maxBytes) return;
      if (this.#directory.sweep(Date.now()) >= maxFiles) this.#directory.removeAll();
      this.#directory.write(fileName(digest), Buffer.concat([Buffer.from(`${head}\n`), body]), {
        untilMs: Date.now() + lifetimeMs,
      });
    });
  }
}

function rowOf(entry: LayerEntry): Row {
  const { path, type, mode, uid, gid, mtime, size, linkname, devmajor, devminor, position, xattrs } = entry;
  const { seconds, nanoseconds } = mtime;
  const row: Row = [path, type, mode, uid, gid, seconds, nanoseconds, size, linkname, devmajor, devminor, position];
  if (xattrs.size === 0) return row;
  return [
    ...row.slice(0, 12),
    Object.fromEntries([...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('base64')])),
  ] as unknown as Row;
}

const none: ReadonlyMap<string, Uint8Array> = new Map();

function entryOf(row: Row): LayerEntry {
  const [path, type, mode, uid, gid, seconds, nanoseconds, size, linkname, devmajor, devminor, position, kept] = row;
  const xattrs = kept && new Map(Object.entries(kept).map(([name, value]) => [name, Buffer.from(value, 'base64')]));
  const mtime = { seconds, nanoseconds };
  return { path, type, mode, uid, gid, mtime, size, linkname, devmajor, devminor, position, xattrs: xattrs ?? none };
}

function fileName(digest: Digest): string {
  return digest.replace(':', '-');
}

function sumOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function trying<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isOciError(error) || error instanceof SyntaxError || (error instanceof Error && 'code' in error))
      return undefined;
    throw error;
  }
}
