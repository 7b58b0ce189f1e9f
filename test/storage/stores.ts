/** Stores in temporary directories, and blobs for them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Digest, digestBytes, digestHex } from '../../src/model/digest.ts';
import { type ErrorCode, isOciError, type OciError } from '../../src/model/errors.ts';
import type { Descriptor } from '../../src/model/manifest/descriptor.ts';
import type { RawManifest } from '../../src/model/manifest/manifest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parseRepositoryName, type RepositoryName } from '../../src/model/reference/reference.ts';
import { type BlobSource, bytesSource, readContent, streamContent } from '../../src/registry/content.ts';
import type { Registry } from '../../src/registry/registry.ts';
import type { Driver } from '../../src/storage/driver.ts';
import { openFilesystemDriver } from '../../src/storage/drivers/filesystem.ts';
import { createStorage, type StorageOptions } from '../../src/storage/storage.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

export const repo: RepositoryName = parseRepositoryName('library/app');
export const otherRepo: RepositoryName = parseRepositoryName('library/other');

export interface TestStore {
  readonly root: string;
  readonly driver: Driver;
  readonly registry: Registry;
}

/** An empty store on disk. */
export async function openStore(t: TestContext, options: Partial<StorageOptions> = {}): Promise<TestStore> {
  const root = await temporaryDirectory(t);
  const driver = await openFilesystemDriver({ root });
  return { root, driver, registry: createStorage({ driver, ...options }) };
}

export function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

/** Random-looking bytes, the same in every process. */
export function madeBytes(seed: string, size: number): Uint8Array {
  const block = createHash('shake256', { outputLength: 65_536 }).update(seed).digest();
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += block.length) {
    bytes.set(block.subarray(0, Math.min(block.length, size - at)), at);
    block.writeUInt32LE(at % 0xffff_ffff, 0);
  }
  return bytes;
}

export async function describeBytes(bytes: Uint8Array): Promise<Descriptor> {
  return { mediaType: mediaTypes.octetStream, digest: await digestBytes(bytes), size: bytes.length };
}

export async function pushBytes(registry: Registry, name: RepositoryName, bytes: Uint8Array): Promise<Descriptor> {
  const descriptor = await describeBytes(bytes);
  await registry.pushBlob(name, descriptor, bytesSource(descriptor, bytes));
  return descriptor;
}

export interface MeteredSource extends BlobSource {
  readonly openedAt: readonly number[];
  readonly served: number;
}

/**
 * A source that counts the bytes read from it.
 *
 * @param failAfter Throws this error after this many bytes of one opening.
 */
export function meteredSource(
  descriptor: Descriptor,
  bytes: Uint8Array,
  failAfter?: { readonly bytes: number; readonly error: unknown },
): MeteredSource {
  const openedAt: number[] = [];
  let served = 0;
  async function* chunks(offset: number): AsyncGenerator<Uint8Array> {
    const end = failAfter === undefined ? bytes.length : Math.min(bytes.length, offset + failAfter.bytes);
    for (let at = offset; at < end; at += 65_536) {
      const chunk = bytes.slice(at, Math.min(at + 65_536, end));
      served += chunk.length;
      yield chunk;
      chunk.fill(0xff); // the buffer is the source's own again
    }
    if (failAfter !== undefined) throw failAfter.error;
  }
  return {
    openedAt,
    get served() {
      return served;
    },
    async open(offset) {
      openedAt.push(offset);
      return streamContent(descriptor, chunks(offset));
    },
  };
}

export async function readBlob(registry: Registry, name: RepositoryName, digest: Digest): Promise<Buffer> {
  return Buffer.from(await readContent(await registry.getBlob(name, digest), 64 * 1024 * 1024));
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

export function failsWith(code: ErrorCode, check?: (error: OciError) => void): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isOciError(error), String(error instanceof Error ? error.stack : error));
    assert.equal(error.code, code, error.message);
    check?.(error);
    return true;
  };
}

/** Every file below a directory, as sorted relative paths. */
export async function filesBelow(directory: string, at = ''): Promise<string[]> {
  // Not `recursive`, which follows symbolic links from Node 26 on.
  const entries = await readdir(join(directory, at), { withFileTypes: true }).catch(() => []);
  const files = await Promise.all(
    entries.map(async (entry) => {
      const path = join(at, entry.name);
      if (entry.isDirectory()) return await filesBelow(directory, path);
      return entry.isFile() ? [path] : [];
    }),
  );
  return files.flat().sort();
}

export const v2 = 'docker/registry/v2';

export function blobFile(root: string, digest: Digest): string {
  const hex = digestHex(digest);
  return join(root, v2, 'blobs', digest.slice(0, digest.indexOf(':')), hex.slice(0, 2), hex, 'data');
}

export function manifestOf(fields: Record<string, unknown>, mediaType: string = mediaTypes.ociManifest): RawManifest {
  return { mediaType, bytes: text(JSON.stringify({ schemaVersion: 2, ...fields })) };
}

/** A manifest of a new config and one layer, both pushed. */
export async function imageWith(
  registry: Registry,
  name: RepositoryName,
  seed: string,
  fields: Record<string, unknown> = {},
): Promise<{ raw: RawManifest; config: Descriptor; layer: Descriptor }> {
  const config = { ...(await pushBytes(registry, name, text(`{"seed":"${seed}"}`))), mediaType: mediaTypes.ociConfig };
  const layer = { ...(await pushBytes(registry, name, madeBytes(seed, 1_000))), mediaType: mediaTypes.ociLayer };
  const raw = manifestOf({ mediaType: mediaTypes.ociManifest, config, layers: [layer], ...fields });
  return { raw, config, layer };
}
