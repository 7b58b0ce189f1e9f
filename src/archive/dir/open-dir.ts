import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { hasErrno } from '../../files/file-errors.ts';
import { readerOf } from '../../files/file-reader.ts';
import { openRegular } from '../../files/open-regular.ts';
import { readWhole } from '../../files/read-whole.ts';
import { IndexReader } from '../../layout/format/index-reader.ts';
import { blobsPath, indexPath, versionPath } from '../../layout/format/paths.ts';
import { maxManifestBytes } from '../../layout/format/readable-layout.ts';
import { versionDocument } from '../../layout/format/version.ts';
import { type Digest, digestBytes, digestHex } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { detectMediaType } from '../../model/manifest/manifest.ts';
import { quote } from '../../model/quote.ts';
import type { Registry } from '../../registry/registry.ts';
import { archiveError, invalidArchive } from '../envelope/errors.ts';
import { type ArchiveFiles, withFiles } from '../files.ts';
import { readOnlyRegistry } from '../read-only.ts';

const manifestFile = 'manifest.json';
const versionFile = 'version';
const maxVersionBytes = 1024;

/** A directory of skopeo's as a registry: it holds one image or index, without a name. */
export interface OpenDir {
  readonly registry: Registry;
  readonly root: Digest;
}

/**
 * Opens a directory as skopeo's `dir:` writes it: `version`, `manifest.json`, other manifests as `<hex>.manifest.json`, and blobs
 * under their bare hex digits. Only regular files are read, and no links.
 *
 * @param name Its name in messages: `dir:DIR`.
 * @throws OciError NAME_UNKNOWN for a directory that does not exist; ARCHIVE_INVALID if it is not such a directory, or has no
 * manifest, as after a copy that failed; UNSUPPORTED for another version than 1; STORAGE_*.
 * @see https://github.com/containers/image/blob/v5.36.2/directory/directory_transport.go
 */
export async function openDir(name: string, directory: string): Promise<OpenDir> {
  const files = dirFiles(await realRoot(directory), directory);
  const version = await files.read(versionFile, maxVersionBytes);
  if (version === undefined) throw notDir(directory);
  refuseOtherVersion(directory, Buffer.from(version).toString('latin1'));
  const bytes = await files.read(manifestFile, maxManifestBytes);
  if (bytes === undefined) {
    throw invalidArchive(directory, `is not complete: it has no ${manifestFile}`, 'copy the image to it again');
  }
  const root = await digestBytes(bytes);
  const entry = { mediaType: detectMediaType(bytes), digest: root, size: bytes.length };
  const more = new Map<string, Uint8Array | string>([
    [versionPath, Buffer.from(versionDocument)],
    [indexPath, Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [entry] }))],
    [`${blobsPath}/sha256/${digestHex(root)}`, manifestFile],
  ]);
  const layout = withFiles(files, more);
  return { registry: readOnlyRegistry({ name, files: layout, index: new IndexReader(layout) }), root };
}

function dirFiles(root: string, shownRoot: string): ArchiveFiles {
  /** Runs an operation on the first of the files that a path may be; undefined if there is none. */
  async function found<T>(
    path: string,
    use: (file: Awaited<ReturnType<typeof openRegular>>) => Promise<T>,
  ): Promise<T | undefined> {
    for (const candidate of candidates(path)) {
      const shown = join(shownRoot, candidate);
      try {
        return await use(await openRegular(join(root, candidate), shown));
      } catch (error) {
        if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw archiveError(error, 'read', shown);
      }
    }
    return undefined;
  }
  return {
    archive: shownRoot,
    hasEnd: true,
    shown: (path) => join(shownRoot, candidates(path).at(-1) ?? path),
    remedy: 'copy the image to the directory again',
    list: async () => [],

    stat: (path) =>
      found(path, async ({ handle, size }) => {
        const { mtimeNs, ino } = await handle.stat({ bigint: true });
        await handle.close();
        return { size, version: `${ino} ${mtimeNs}` };
      }),

    read: (path, maxBytes) =>
      found(path, async ({ handle }) => {
        try {
          return await readWhole(handle.fd, path, maxBytes);
        } finally {
          await handle.close();
        }
      }),

    open: (path, range) =>
      found(path, async ({ handle, size }) =>
        readerOf(handle, size, range, (error) => archiveError(error, 'read', path)),
      ),
  };
}

// A digest was parsed, so its hex digits are a safe name of a file. Other paths are this file's constants.
function candidates(path: string): readonly string[] {
  if (!path.startsWith(`${blobsPath}/`)) return [path];
  const hex = path.slice(path.lastIndexOf('/') + 1);
  return [`${hex}.manifest.json`, hex];
}

async function realRoot(directory: string): Promise<string> {
  try {
    return await realpath(resolve(directory));
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw archiveError(error, 'read', directory);
    throw new OciError('NAME_UNKNOWN', `there is no directory ${directory}`, { hint: 'check the path', cause: error });
  }
}

function refuseOtherVersion(directory: string, text: string): void {
  const [, version] = /^Directory Transport Version: (\d+)\.\d+\s*$/.exec(text) ?? [];
  if (version === '1') return;
  const found = version === undefined ? quote(text) : `version ${version}`;
  throw new OciError('UNSUPPORTED', `${directory} has ${found} of skopeo's directories; only version 1 is read`, {
    hint: 'copy it to oci:DIR with the skopeo that wrote it',
  });
}

function notDir(directory: string): OciError {
  const problem = `is not a directory of skopeo: it has no ${versionFile} file`;
  return invalidArchive(directory, problem, `an OCI layout is read as oci:${directory}`);
}
