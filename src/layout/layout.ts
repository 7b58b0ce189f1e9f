import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { makeDirectory } from '../files/durable.ts';
import { hasErrno } from '../files/file-errors.ts';
import { checkOptions, type Shape } from '../model/check-arguments.ts';
import { OciError } from '../model/errors.ts';
import { parseRepositoryName, type RepositoryName } from '../model/reference/reference.ts';
import type { ExtensionKey } from '../registry/extensions.ts';
import type { Registry } from '../registry/registry.ts';
import { createDeleter } from './directory/deleter.ts';
import { createDirectoryFiles } from './directory/directory-files.ts';
import { absentDirectories, createEmptyLayout, emptyLayout } from './directory/empty-layout.ts';
import { onFile } from './directory/file-errors.ts';
import { IndexFile } from './directory/index-file.ts';
import type { LayoutDirectory } from './directory/layout-directory.ts';
import { LayoutLock } from './directory/lock.ts';
import { WorkDirectory, workName } from './directory/work-directory.ts';
import { createWriter } from './directory/writer.ts';
import { createLister } from './format/lister.ts';
import { createRootImages, rootImages } from './format/only-image.ts';
import { blobsPath, versionPath } from './format/paths.ts';
import { createReader } from './format/reader.ts';
import { isLayout, versionDocument } from './format/version.ts';

export { emptyLayout } from './directory/empty-layout.ts';
export { parseLayoutName } from './format/names.ts';
export { onlyImage, rootImages } from './format/only-image.ts';

/** A name for a layout's only repository, for callers that need one: a layout ignores the name. */
export const layoutRepository: RepositoryName = parseRepositoryName('layout');

export interface LayoutOptions {
  /** Path of the layout. */
  readonly directory: string;
  /** Turns the directory into a layout if it is absent or empty. Default false. */
  readonly create?: boolean | undefined;
  /** Refuses every change with DENIED. `create` has no effect then. Default false. */
  readonly readOnly?: boolean | undefined;
}

const openLayoutShape: Shape<LayoutOptions> = {
  directory: 'string',
  create: 'boolean',
  readOnly: 'boolean',
};

/**
 * Opens an OCI image layout as a registry. It has one repository without a name: every name means that one, and
 * `repositories()` lists none. Tags are the `org.opencontainers.image.ref.name` annotations in index.json. Several
 * processes may write at the same time, and what they write is never visible in part.
 *
 * @throws OciError NAME_UNKNOWN if the directory is not a layout; with `create`, REFUSED if it contains something else,
 * which is not changed; UNSUPPORTED for another version than 1.0.0; STORAGE_*.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
export async function openLayout(options: LayoutOptions): Promise<Registry> {
  checkOptions('openLayout', options, openLayoutShape, ['directory']);
  const { directory, readOnly = false } = options;
  const create = options.create === true && !readOnly;
  const name = `oci:${directory}`;
  const path = resolve(directory);
  const made = create ? await absentDirectories(path) : [];
  if (create) await createDirectory(path);
  const root = await realRoot(path);
  const work = new WorkDirectory(root);
  const files = createDirectoryFiles(root);
  const index = new IndexFile(files, work);
  const layout: LayoutDirectory = { name, root, readOnly, files, index, work, lock: new LayoutLock(work) };
  const hasVersion = await isLayout(files, path);
  if (!hasVersion && !create) throw noLayout(path, `it has no ${versionPath} file`);
  if (create) await finish(layout, path, hasVersion);
  return asRegistry(layout, hasVersion ? undefined : made);
}

/** @param made The directories that were created for a new layout. */
function asRegistry(layout: LayoutDirectory, made: readonly string[] | undefined): Registry {
  const own = new Map<ExtensionKey<unknown>, unknown>([[rootImages, createRootImages(layout)]]);
  if (made) own.set(emptyLayout, createEmptyLayout(layout, made));
  return {
    name: layout.name,
    ...createReader(layout),
    ...createWriter(layout),
    ...createDeleter(layout),
    ...createLister(layout),
    async ping(opts) {
      opts?.signal?.throwIfAborted();
      return { authorized: true, challenges: [] };
    },
    extension<T>(key: ExtensionKey<T>): T | undefined {
      return own.get(key) as T | undefined;
    },
  };
}

async function createDirectory(path: string): Promise<void> {
  await onFile('create', path, async () => {
    try {
      await makeDirectory(path);
    } catch (error) {
      if (!hasErrno(error, 'EEXIST', 'ENOTDIR')) throw error;
      throw new OciError('REFUSED', `${path} cannot be a layout: a file is in the way`, { cause: error });
    }
  });
}

async function realRoot(path: string): Promise<string> {
  return await onFile('read', path, async () => {
    try {
      return await realpath(path);
    } catch (error) {
      throw hasErrno(error, 'ENOENT', 'ENOTDIR') ? noLayout(path, 'there is no such directory') : error;
    }
  });
}

// Also completes a layout that a killed process began, or that another process is creating now.
async function finish(layout: LayoutDirectory, path: string, hasVersion: boolean): Promise<void> {
  const { files, work, index, lock } = layout;
  if (hasVersion && (await index.exists())) return;
  if (!hasVersion) await refuseOccupied(layout, path);
  await lock.exclusively(async (held) => {
    if (!(await isLayout(files, path))) {
      await work.writeSmall(files.shown(versionPath), Buffer.from(versionDocument));
    }
    const blobs = files.shown(blobsPath);
    await onFile('create', blobs, () => makeDirectory(blobs));
    if (!(await index.exists())) await index.create(held);
  });
}

async function refuseOccupied({ files }: LayoutDirectory, path: string): Promise<void> {
  const others = (await files.list('')).filter((name) => name !== workName);
  if (others.length === 0 || (await isLayout(files, path))) return;
  throw new OciError('REFUSED', `${path} is not empty and not an OCI layout: nothing was written to it`, {
    hint: 'choose a directory that is absent, empty or a layout',
  });
}

function noLayout(path: string, problem: string): OciError {
  return new OciError('NAME_UNKNOWN', `there is no OCI layout at ${path}: ${problem}`, {
    hint: 'check the path; ocictl copy IMAGE oci:DIR makes a layout',
  });
}
