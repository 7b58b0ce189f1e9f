/**
 * Writes a directory of one image as skopeo does: `version`, `manifest.json`, and blobs named by their hex digests. Of an
 * index, the other manifests are `<hex>.manifest.json`.
 *
 * @see https://github.com/containers/image/blob/v5.30.0/docs/containers-transports.5.md#dirpath
 */
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { directoryMode, syncDirectory, writeNew } from '../../files/durable.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { removeLeftBehind } from '../../files/left-behind.ts';
import { newProcessId } from '../../files/process-id.ts';
import { type Digest, digestHex } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { childrenOf, type Manifest, schema1Refused } from '../../model/manifest/manifest.ts';
import type { Registry } from '../../registry/registry.ts';
import { writeBlobFile } from './blob-file.ts';
import { onArchive } from './temporary-file.ts';
import { type ArchiveReceiver, createWriteOnly } from './write-only.ts';

/** Begins the names of directories that are not complete, and of those that are being replaced. */
const prefix = '.ocictl-dir.';
const versionName = 'version';
const versionText = 'Directory Transport Version: 1.1\n';

/** A directory that is being written. Disposing without `finish` leaves nothing behind. */
interface DirWriter extends AsyncDisposable {
  readonly registry: Registry;
  finish(): Promise<void>;
}

/**
 * @param name In messages.
 * @param path Is made, or replaced when everything has come if it is empty or such a directory.
 * @throws OciError REFUSED for a file, or a directory with other content; STORAGE_*.
 */
export async function createDirWriter(name: string, path: string): Promise<DirWriter> {
  const target = resolve(path);
  await onArchive('write', path, () => refuseOccupied(target, path));
  await removeLeftBehind(dirname(target), prefix);
  const work = join(dirname(target), prefix + newProcessId());
  await onArchive('write', path, () => mkdir(work, { mode: directoryMode }));
  let root: Digest | undefined;
  const missing = new Set<Digest>();
  const receiver: ArchiveReceiver = {
    expect(image) {
      if (root !== undefined && root !== image.root.digest) throw onlyOne(name, 'one image');
      root = image.root.digest;
      const named = namedFrom(root, image.manifests);
      for (const { descriptor, view } of image.manifests) {
        if (view.kind === 'schema1') throw schema1Refused(String(root));
        if (!named.has(descriptor.digest)) throw onlyOne(name, 'an image without what refers to it');
        missing.add(descriptor.digest);
      }
      for (const { digest } of image.blobs) missing.add(digest);
    },
    complete() {},
    async blob(descriptor, source, opts) {
      const { digest } = descriptor;
      const file = { directory: work, path: join(work, digestHex(digest)), shown: digest };
      await writeBlobFile(file, descriptor, source, opts);
      missing.delete(digest);
      return 'pushed';
    },
    async manifest({ descriptor: { digest }, bytes }) {
      const file = digest === root ? 'manifest.json' : `${digestHex(digest)}.manifest.json`;
      await onArchive('write', path, () => writeNew(join(work, file), bytes));
      missing.delete(digest);
    },
    async finish() {
      const [first] = missing;
      if (first !== undefined || root === undefined) {
        throw new OciError('PARTLY_FAILED', `${name} was not written: ${first ?? 'its image'} could not be copied`, {
          hint: 'a directory is written whole or not at all; the reason is above',
        });
      }
      await onArchive('write', path, async () => {
        await writeNew(join(work, versionName), Buffer.from(versionText));
        await syncDirectory(work);
        await refuseOccupied(target, path);
        await replace(work, target);
      });
    },
  };
  return {
    registry: createWriteOnly(name, receiver),
    finish: () => receiver.finish(),
    [Symbol.asyncDispose]: () => rm(work, { recursive: true, force: true }),
  };
}

async function refuseOccupied(target: string, shown: string): Promise<void> {
  try {
    const names = await readdir(target);
    if (names.length === 0) return;
    const version = names.includes(versionName) ? await readFile(join(target, versionName), 'utf8') : '';
    if (version.startsWith('Directory Transport Version:')) return;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return;
    if (!hasErrno(error, 'ENOTDIR', 'EISDIR')) throw error;
  }
  throw new OciError('REFUSED', `${shown} is something else than a directory of an image: nothing was written`, {
    hint: 'name a directory that is absent, empty, or one that skopeo or ocictl wrote',
  });
}

// Node cannot exchange two directories: for a moment there is none of this name.
async function replace(work: string, target: string): Promise<void> {
  const old = join(dirname(target), prefix + newProcessId());
  const replaced = await rename(target, old).then(
    () => true,
    (error: unknown) => {
      if (hasErrno(error, 'ENOENT')) return false;
      throw error;
    },
  );
  try {
    await rename(work, target);
  } catch (error) {
    if (replaced) await rename(old, target);
    throw error;
  }
  await syncDirectory(dirname(target));
  if (replaced) await rm(old, { recursive: true, force: true });
}

/** The digests of a root, and of what it names directly or through other indexes. */
function namedFrom(root: Digest, manifests: readonly Manifest[]): ReadonlySet<Digest> {
  const children = new Map(manifests.map(({ descriptor, view }) => [descriptor.digest, childrenOf(view)]));
  const named = new Set([root]);
  // A set that grows is walked to its end.
  for (const digest of named) for (const child of children.get(digest) ?? []) named.add(child.digest);
  return named;
}

function onlyOne(name: string, what: string): OciError {
  return new OciError('UNSUPPORTED', `${name} takes ${what}`, { hint: 'write a layout: oci:DIR' });
}
