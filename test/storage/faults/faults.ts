/** Operations on stores that break at one call, and the state that must result. */
import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import { type Digest, digestBytes } from '../../../src/model/digest.ts';
import { isOciError } from '../../../src/model/errors.ts';
import type { RawManifest } from '../../../src/model/manifest/manifest.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import {
  garbageCollector,
  manifestEnumerator,
  repositoryRemover,
  uploadSweeper,
} from '../../../src/registry/extensions.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import type { Driver, StorePath } from '../../../src/storage/driver.ts';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import { entriesIn } from '../../../src/storage/listing.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';
import {
  all,
  describeBytes,
  imageWith,
  madeBytes,
  manifestOf,
  meteredSource,
  otherRepo,
  pushBytes,
  readBlob,
  repo,
  text,
} from '../stores.ts';
import { type Break, breakingDriver } from './breaking-driver.ts';

const [base, next] = [parseTag('base'), parseTag('next')];
const small = await describeBytes(madeBytes('small', 1_000));
const large = await describeBytes(madeBytes('large', 600_000));
const session = madeBytes('session', 1_500_000);
const sessionDigest = await digestBytes(session);

/** The store before the operation: an image with a tag, and another with a tag and a referrer, which share a layer. */
interface Before {
  /** A manifest that can be pushed. */
  readonly next: RawManifest;
  readonly kept: Digest;
}

async function prepare(registry: Registry): Promise<Before> {
  const first = await imageWith(registry, repo, 'base');
  await registry.pushManifest(repo, first.raw, { tags: [base] });
  const second = await imageWith(registry, otherRepo, 'next');
  const kept = await registry.pushManifest(otherRepo, second.raw, { tags: [next] });
  await registry.pushManifest(otherRepo, (await imageWith(registry, otherRepo, 'about', { subject: kept })).raw);
  const config = await pushBytes(registry, repo, text('{"architecture":"arm64"}'));
  const raw = manifestOf({ config: { ...config, mediaType: mediaTypes.ociConfig }, layers: [first.layer] });
  await pushBytes(registry, repo, text('garbage'));
  return { next: raw, kept: kept.digest };
}

const operations: Record<string, (registry: Registry, before: Before) => Promise<unknown>> = {
  'push of a small blob': (registry) => registry.pushBlob(repo, small, meteredSource(small, madeBytes('small', 1_000))),
  'push of a large blob': (registry) =>
    registry.pushBlob(repo, large, meteredSource(large, madeBytes('large', 600_000))),
  'upload in one request': async (registry) => {
    const writer = await registry.startUpload(repo);
    await writer.write(madeBytes('small', 1_000));
    await writer.commit({ digest: small.digest });
  },
  'upload in several requests': async (registry) => {
    const { id } = await registry.startUpload(repo);
    for (const [from, to] of [
      [0, 1_200_000],
      [1_200_000, 1_500_000],
    ] as const) {
      await using writer = await registry.resumeUpload(repo, id, { offset: from });
      await writer.write(session.subarray(from, to));
    }
    await (await registry.resumeUpload(repo, id)).commit({ digest: sessionDigest });
  },
  mount: async (registry) => registry.mountBlob(repo, await digestBytes(madeBytes('next', 1_000)), { from: otherRepo }),
  'push of a manifest': (registry, before) => registry.pushManifest(repo, before.next, { tags: [next] }),
  'move of a tag': (registry, before) => registry.pushManifest(repo, before.next, { tags: [base] }),
  'push of a manifest with a type of its own': (registry, { next: { bytes } }) =>
    registry.pushManifest(repo, { mediaType: 'application/vnd.example.thing', bytes: Buffer.concat([bytes, bytes]) }),
  'deletion of a tag': (registry) => registry.deleteTag(otherRepo, next),
  'deletion of a manifest': (registry, { kept }) => registry.deleteManifest(otherRepo, kept),
  'deletion of a blob': async (registry) => registry.deleteBlob(repo, await digestBytes(text('garbage'))),
  'removal of a repository': (registry) =>
    registry.extension(repositoryRemover)?.removeRepository(otherRepo) ?? Promise.reject(new Error('none')),
  collection: (registry) => registry.extension(garbageCollector)?.collect() ?? Promise.reject(new Error('none')),
};

/** Opens drivers for equal stores. One is prepared, and then copied if that is possible. */
async function preparing(t: TestContext, { open, copy }: Tried) {
  if (copy === undefined) {
    return async () => {
      const driver = await open(t);
      return { driver, before: await prepare(createStorage({ driver })) };
    };
  }
  const first = await open(t);
  const before = await prepare(createStorage({ driver: first }));
  return async () => ({ driver: await copy(t, first), before });
}

/** Opens a driver for a copy of a store in a directory. */
export async function copyDirectory(t: TestContext, { name }: Driver): Promise<Driver> {
  const root = await temporaryDirectory(t);
  await cp(name, root, { recursive: true });
  return await openFilesystemDriver({ root });
}

const atOnce = 8;

/** A kind of driver, and which of an operation's calls break: every one, or every fifth. */
interface Tried {
  readonly name: string;
  readonly open: (t: TestContext) => Promise<Driver>;
  /** Opens a driver for a copy of a store. */
  readonly copy?: ((t: TestContext, store: Driver) => Promise<Driver>) | undefined;
  readonly breaks: readonly Break[];
  readonly every: number;
}

/** Declares a test for each operation. */
export function describeFaults(tried: Tried): void {
  const { name, breaks, every } = tried;
  describe(`a store over the ${name} driver`, () => {
    for (const [nth, [what, operation]] of Object.entries(operations).entries()) {
      it(`is whole after a ${what} that broke at any call, and clean after a collection`, async (t) => {
        const fresh = await preparing(t, tried);
        const clean = await fresh();
        const registry = createStorage({ driver: clean.driver });
        const calls = await attempt(clean, operation, { how: 'stops', at: -1 });
        assert.ok(calls.length > 0, 'the operation asks the driver for something');
        await clear(registry);
        const expected = await objectsOf(clean.driver);

        // @returns Whether the operation makes that many calls.
        const breakAt = async (how: Break, at: number): Promise<boolean> => {
          const { driver, before } = await fresh();
          const broken = await attempt({ driver, before }, operation, { how, at });
          if (broken.length <= at) return false;
          const where = `${how} at ${at}: ${broken[at]}`;
          const later = createStorage({ driver });
          await assertWhole(later, where);
          await operation(later, before).catch((error: unknown) => {
            // What was deleted before the error is gone.
            if (!isOciError(error, 'MANIFEST_UNKNOWN', 'BLOB_UNKNOWN', 'NAME_UNKNOWN')) {
              throw new Error(`${where}: the repetition failed`, { cause: error });
            }
          });
          await clear(later);
          await assertWhole(later, where);
          assert.deepEqual(await objectsOf(driver), expected, where);
          return true;
        };
        for (const how of breaks) {
          // Each operation begins at another call.
          for (let at = nth % every; ; at += atOnce * every) {
            const some = Array.from({ length: atOnce }, (_, i) => breakAt(how, at + i * every));
            if ((await Promise.all(some)).includes(false)) break;
          }
        }
      });
    }
  });
}

/** Runs the operation with a driver that breaks, and leaves the state of a process that ended there. @returns The calls. */
async function attempt(
  { driver, before }: { readonly driver: Driver; readonly before: Before },
  operation: (registry: Registry, before: Before) => Promise<unknown>,
  breaking: { how: Break; at: number },
): Promise<readonly string[]> {
  const broken = breakingDriver(driver, breaking);
  const run = operation(createStorage({ driver: broken.driver }), before).catch((error: unknown) => {
    if (breaking.at < 0 || !isOciError(error)) throw error;
  });
  await Promise.race([run, broken.stopped]);
  const { length } = broken.calls;
  await broken.bury();
  return broken.calls.slice(0, length);
}

/** Removes everything that is not needed, unfinished uploads too. */
async function clear(registry: Registry): Promise<void> {
  await registry.extension(uploadSweeper)?.sweepUploads({ idleMs: -1 });
  await registry.extension(garbageCollector)?.collect();
}

/** Asserts that no tag points at nothing, and that everything a manifest names is complete. */
async function assertWhole(registry: Registry, at: string): Promise<void> {
  assert.ok((await all(registry.tags(repo))).includes(base), `${at}: the tag that nobody touched is gone`);
  for (const name of await all(registry.repositories())) {
    for (const tag of await all(registry.tags(name))) await registry.getManifest(name, tag);
    for await (const digest of registry.extension(manifestEnumerator)?.manifests(name) ?? []) {
      const { view } = await registry.getManifest(name, digest);
      if (view.kind !== 'image') continue;
      for (const blob of [view.config, ...view.layers]) {
        assert.equal((await readBlob(registry, name, blob.digest)).length, blob.size, `${at}: ${blob.digest}`);
      }
    }
  }
}

async function objectsOf(driver: Driver): Promise<string[]> {
  const found: string[] = [];
  for (const prefix of ['docker', 'leases', 'collectors', 'clock', 'tmp'] as StorePath[]) {
    for await (const { name } of entriesIn(driver, prefix, { deep: true })) found.push(`${prefix}/${name}`);
  }
  return found;
}
