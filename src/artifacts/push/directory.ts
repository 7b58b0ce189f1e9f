/** A directory of an artifact: a tar archive, compressed with gzip, as oras makes it. */
import { isUtf8 } from 'node:buffer';
import { constants, type Stats } from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { compressed } from '../../archive/envelope/compress.ts';
import { linkTarget } from '../../archive/envelope/names.ts';
import { endBytes, paddedBytes, tarHeader } from '../../archive/envelope/tar-header.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { lstat } from '../../files/system-calls.ts';
import { createHasher } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import { quote, visible } from '../../model/quote.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { annotationKeys } from '../annotations.ts';
import { cannotRead, changed, hashed, notAFile, openPart, type Part, streamPart } from './part.ts';

interface DirectoryOptions extends SignalOption {
  /** Default: that of a tar archive with gzip. */
  readonly mediaType: string | undefined;
  /** Names in the archive begin with it. */
  readonly title: string;
  /** Whether files keep the time of their last change. Otherwise it is 1970, so that the digest tells the content alone. */
  readonly keepTimes: boolean;
}

/**
 * Packs a directory into a temporary file, reading it once.
 *
 * @throws OciError USAGE for what an archive cannot hold; DIGEST_MISMATCH for a file that changes meanwhile; STORAGE_*
 */
export async function directoryPart(path: string, options: DirectoryOptions): Promise<Part> {
  const { mediaType = mediaTypes.ociLayerGzip, title, signal } = options;
  const unpacked = await createHasher();
  const packed = compressed(hashed(directoryTar(path, options), unpacked, signal), { kind: 'gzip' });
  const part = await streamPart(packed, mediaType, { shown: path, signal });
  const annotations = {
    [annotationKeys.unpackedDigest]: unpacked.digest(),
    [annotationKeys.unpack]: 'true',
    [annotationKeys.title]: title,
  };
  return { ...part, descriptor: { ...part.descriptor, annotations } };
}

/** What is still to be written. Those of a directory follow it, in the order of their bytes. */
interface Pending {
  readonly path: string;
  /** In the directory; empty for itself. */
  readonly within: string;
}

async function* directoryTar(
  root: string,
  { title, keepTimes }: DirectoryOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  // The root may be a link to a directory, which the slash follows.
  const pending: Pending[] = [{ path: join(root, '/'), within: '' }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { path, within } = next;
    const name = [title === '.' ? '' : title, within].filter((part) => part !== '').join('/') || '.';
    const facts = await lstat(path).catch((error: unknown) => {
      throw hasErrno(error, 'ENOENT') ? changed(path) : cannotRead(error, path);
    });
    const common = { mode: facts.mode & 0o777, mtime: keepTimes ? facts.mtime : new Date(0) };
    if (facts.isDirectory()) {
      yield await tarHeader({ ...common, name: `${name}/`, size: 0, type: 'directory' });
      const names = await namesIn(path);
      const below = names.map((one) => ({ path: join(path, one), within: within === '' ? one : `${within}/${one}` }));
      for (const entry of below.reverse()) pending.push(entry);
    } else if (facts.isSymbolicLink()) {
      yield await tarHeader({
        ...common,
        name,
        size: 0,
        type: 'symlink',
        mode: 0o777,
        linkname: await target(path, within),
      });
    } else if (facts.isFile()) {
      yield* fileEntry(path, name, common);
    } else throw notAFile(path, kindOf(facts));
  }
  yield Buffer.alloc(endBytes);
}

const chunkBytes = 256 * 1024;

async function* fileEntry(
  path: string,
  name: string,
  common: { readonly mode: number; readonly mtime: Date },
): AsyncGenerator<Uint8Array, void, undefined> {
  const opened = await openPart(path, constants.O_NOFOLLOW ?? 0);
  const { size } = opened;
  const reader = opened.reader();
  try {
    yield await tarHeader({ ...common, name, size, type: 'file' });
    for (let left = size; left > 0; ) {
      const chunk = Buffer.allocUnsafe(Math.min(left, chunkBytes));
      const read = await reader.read(chunk);
      left -= read;
      yield chunk.subarray(0, read);
    }
    yield Buffer.alloc(paddedBytes(size) - size);
  } finally {
    await reader.close();
  }
}

/** The names in a directory, in the order of their bytes. @throws OciError USAGE for a name that is not UTF-8 */
async function namesIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory, { encoding: 'buffer' }).catch((error: unknown) => {
    throw cannotRead(error, directory);
  });
  return names.sort(Buffer.compare).map((name) => utf8(name, 'the name of a file', directory));
}

/** @throws OciError USAGE for a link that leads out of the directory, which nobody could unpack */
async function target(path: string, within: string): Promise<string> {
  const leads = await readlink(path, { encoding: 'buffer' }).catch((error: unknown) => {
    throw cannotRead(error, path);
  });
  const text = utf8(leads, 'where a link leads', path);
  if (linkTarget(within, text, 'symlink') !== undefined) return text;
  throw new OciError('USAGE', `the link ${path} leads out of its directory, to ${quote(text)}`, {
    hint: 'remove it, or put what it leads to in its place: whoever pulls the artifact could not unpack it',
  });
}

function utf8(bytes: Buffer, what: string, path: string): string {
  if (isUtf8(bytes)) return bytes.toString();
  throw new OciError('USAGE', `${path}: ${what} is not UTF-8: ${visible(bytes.toString('latin1'))}`, {
    hint: 'rename it: other systems could not read such a name',
  });
}

function kindOf(facts: Stats): string {
  if (facts.isFIFO()) return 'a named pipe';
  return facts.isSocket() ? 'a socket' : 'a device';
}
