import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it, type TestContext } from 'node:test';
import { type Digest, type DigestAlgorithm, digestBytes } from '../../src/model/digest.ts';
import { type ErrorCode, isOciError } from '../../src/model/errors.ts';
import type { Descriptor } from '../../src/model/manifest/descriptor.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parseRepositoryName, type RepositoryName } from '../../src/model/reference/reference.ts';
import { type BlobSource, bytesSource, type Content, readContent } from '../../src/registry/content.ts';
import type { BlobWriter, Registry } from '../../src/registry/registry.ts';

/** What a registry may lack. Every registry must do everything else. */
export type Capability =
  | 'sha384-blobs'
  | 'sha512-blobs'
  | 'blake3-blobs'
  | 'sha512-manifests'
  | 'other-manifests'
  | 'artifact-manifests'
  | 'sparse-indexes'
  | 'large-manifests'
  | 'too-large-code'
  | 'delete-tag'
  | 'delete-blob'
  | 'delete-manifest-tags'
  | 'sorted-tags'
  | 'list-paging'
  | 'untagged-repositories'
  | 'several-repositories'
  | 'blobs-per-repository'
  | 'cross-repository-sessions'
  | 'referrers-of-indexes';

/**
 * What an implementation lacks, and why. Such a test is not skipped: it must fail, so that an outdated reason is noticed.
 */
export type Lacks = Partial<Readonly<Record<Capability, string>>>;

export interface Opened {
  readonly registry: Registry;
}

/** Opens the registry under test. Tests may share it: each uses its own repositories. */
export type Open = (t: TestContext) => Promise<Opened>;

export interface Suite {
  readonly open: Open;
  readonly lacks: Lacks;
}

export interface Subject {
  readonly t: TestContext;
  readonly registry: Registry;
  /** A repository that no other test uses. */
  readonly repo: RepositoryName;
}

/** Declares one test of the contract. @param needs The capability it needs, if an implementation may lack it. */
export function check(
  suite: Suite,
  name: string,
  body: (subject: Subject) => Promise<void>,
  ...needs: readonly Capability[]
): void {
  const missing = needs.find((capability) => suite.lacks[capability] !== undefined);
  const reason = missing && suite.lacks[missing];
  const title = reason === undefined ? name : `${name} — not here: ${reason}`;
  it(title, { timeout: 60_000 }, async (t) => {
    const { registry } = await suite.open(t);
    const run = body({ t, registry, repo: freshRepository() });
    if (reason === undefined) return run;
    await assert.rejects(run, `this works now; take ${missing} from what ${registry.name} lacks`);
  });
}

export function freshRepository(suffix = ''): RepositoryName {
  return parseRepositoryName(`contract/r${randomUUID().slice(0, 13)}${suffix}`);
}

/** A matcher for `assert.rejects`. */
export function failsWith(...codes: ErrorCode[]): (error: unknown) => boolean {
  return (error) => {
    if (isOciError(error, ...codes)) return true;
    const got = isOciError(error) ? `${error.code}: ${error.message}` : String((error as Error)?.stack ?? error);
    assert.fail(`expected ${codes.join(' or ')}, got ${got}`);
  };
}

/** Bytes that no other test uses, so that tests do not share blobs. */
export function uniqueBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, Math.min(at + 65_536, size)));
  return bytes;
}

export async function blobOf(bytes: Uint8Array, algorithm?: DigestAlgorithm): Promise<Descriptor> {
  return { mediaType: mediaTypes.octetStream, digest: await digestBytes(bytes, algorithm), size: bytes.length };
}

/** Pushes bytes as a blob. */
export async function pushBytes(
  registry: Registry,
  repo: RepositoryName,
  bytes: Uint8Array,
  algorithm?: DigestAlgorithm,
): Promise<Descriptor> {
  const descriptor = await blobOf(bytes, algorithm);
  await registry.pushBlob(repo, descriptor, bytesSource(descriptor, bytes));
  return descriptor;
}

export async function read(content: Content): Promise<Buffer> {
  return Buffer.from(await readContent(content, 64 * 1024 * 1024));
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

export async function assertNoBlob(registry: Registry, repo: RepositoryName, digest: Digest): Promise<void> {
  await assert.rejects(registry.statBlob(repo, digest), failsWith('BLOB_UNKNOWN', 'NAME_UNKNOWN'));
}

/** A source that records each `open` with its offset. */
export function watched(source: BlobSource): BlobSource & { readonly openedAt: number[] } {
  const openedAt: number[] = [];
  return {
    openedAt,
    open(offset, opts) {
      openedAt.push(offset);
      return source.open(offset, opts);
    },
  };
}

/** Narrows the result of `mountBlob`. */
export function isWriter(result: Descriptor | BlobWriter): result is BlobWriter {
  return 'commit' in result;
}
