/** Files of an image into a directory. */
import { copyFile, link, mkdir, open, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { onFiles } from '../../artifacts/pull/on-files.ts';
import { checkPlace, makeParents, openOutputDirectory } from '../../artifacts/pull/output-directory.ts';
import { placeDirectory, placeFile } from '../../artifacts/pull/place.ts';
import { readPath, workPrefix } from '../../artifacts/pull/titles.ts';
import type { UnpackedDirectory } from '../../artifacts/pull/unpack.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { OciError } from '../../model/errors.ts';
import { quote, visible } from '../../model/quote.ts';
import type { ImageFiles } from '../image-files.ts';
import type { Reading } from '../layers/image-layers.ts';
import { isText } from '../tar/names.ts';
import type { Inode, TreeNode } from '../tree/node.ts';
import { partsOf } from '../tree/paths.ts';
import { walk } from '../tree/walk.ts';
import { confinedTarget } from './link-target.ts';

/** Permissions alone: no bits that make a program run as its owner. */
const permissions = 0o777;
const ownerMay = 0o700;

interface ExtractOptions {
  /** Where the files go; it is made. */
  readonly directory: string;
  /** Called for what is left out, with the reason. */
  readonly onSkip: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What was written. */
interface Extracted {
  /** In full, one for each path that was asked for. */
  readonly paths: readonly string[];
  readonly files: number;
  /** Links that lead elsewhere than in the image, since they led to its root. */
  readonly changedLinks: number;
}

interface Planned {
  readonly title: string;
  readonly path: readonly string[];
  readonly node: TreeNode;
  readonly isDirectory: boolean;
  readonly staged: string;
  readonly directories: UnpackedDirectory[];
}

/**
 * Writes files and directories of an image to `DIRECTORY/PATH`. Nothing is written outside of the directory, and nothing is in its place
 * before all is there. Modes and times are kept; owners, extended attributes and bits that make a program run as its owner are not.
 *
 * @throws OciError FILE_UNKNOWN; REFUSED for what is in the way; STORAGE_*; what reading the layers throws.
 */
export async function extractFiles(
  files: ImageFiles,
  paths: readonly string[],
  { directory, onSkip, signal }: ExtractOptions,
): Promise<Extracted> {
  const found: Omit<Planned, 'staged'>[] = [];
  for (const title of paths) {
    const node = await files.find(title, { follow: true });
    // `..` that leads out stays at the root, as in a container.
    const path = partsOf(title) ?? [];
    // The contents of a directory may be in every layer.
    const whole = node.children ? await wholeDirectory(files, title) : node;
    found.push({ title, path, node: whole, isDirectory: whole.children !== undefined, directories: [] });
  }
  refuseSame(found);
  for (const one of found) await checkPlace(directory, target(one), false);
  const output = await openOutputDirectory(directory);
  const planned = found.map((one, i) => ({ ...one, staged: join(output.work, String(i)) }));
  try {
    const staging = new Staging(onSkip);
    for (const one of planned) await staging.add(one);
    for await (const { node, reading } of files.contents(staging.nodes())) {
      signal?.throwIfAborted();
      await staging.write(node, reading, signal);
    }
    const written: string[] = [];
    for (const one of planned) {
      signal?.throwIfAborted();
      const path = join(output.path, ...one.path);
      if (!one.isDirectory && !staging.has(one)) continue;
      await makeParents(output.path, one.path);
      await checkPlace(output.path, target(one), false);
      if (one.isDirectory) await placeDirectory(one.staged, path, target(one), one.directories);
      else await placeFile(one.staged, path);
      written.push(path);
    }
    return { paths: written, files: staging.files, changedLinks: staging.changedLinks };
  } finally {
    // What cannot be removed must not hide the first error; the next run tries again.
    await rm(output.work, { recursive: true, force: true }).catch(() => {});
    await output.removeEmpty();
  }
}

async function wholeDirectory(files: ImageFiles, path: string): Promise<TreeNode> {
  await files.tree();
  return await files.find(path, { follow: true });
}

function target({ title, path, isDirectory }: Omit<Planned, 'staged'>) {
  return { title, path, isDirectory, descriptor: noDescriptor, unpackedDigest: undefined };
}

const noDescriptor = { mediaType: '', digest: '' as never, size: 0 };

/** @throws OciError USAGE for two paths that are one file, or of which one lies in the other. */
function refuseSame(planned: readonly Omit<Planned, 'staged'>[]): void {
  const known = new Map(planned.map(({ path, title }) => [path.join('/'), title]));
  const conflict = (a: string, b: string): never => {
    throw new OciError('USAGE', `${quote(a)} and ${quote(b)} are one, or one lies in the other`, {
      hint: 'name the directory alone',
    });
  };
  for (const { path, title } of planned) {
    const other = known.get(path.join('/')) ?? title;
    if (other !== title) conflict(other, title);
    for (let length = 0; length < path.length; length += 1) {
      const above = known.get(path.slice(0, length).join('/'));
      if (above !== undefined) conflict(above, title);
    }
  }
}

/** Files in the work directory, under their last names. */
class Staging {
  readonly #onSkip: (text: string) => void;
  readonly #targets = new Map<Inode, { readonly node: TreeNode; readonly paths: string[] }>();
  readonly #written = new Set<string>();
  files = 0;
  changedLinks = 0;

  constructor(onSkip: (text: string) => void) {
    this.#onSkip = onSkip;
  }

  has({ staged }: Planned): boolean {
    return this.#written.has(staged);
  }

  /** The files whose content is wanted, each once. */
  nodes(): readonly TreeNode[] {
    return [...this.#targets.values()].map(({ node }) => node);
  }

  async add({ node, path, staged, directories }: Planned): Promise<void> {
    if (!node.children) return await this.#one(node, staged, path);
    await this.#directory(node, staged, [], directories);
    const left: string[] = [];
    for (const { path: below, node: child } of walk(node, { deep: true })) {
      if (left.some((name) => below.startsWith(`${name}/`))) continue;
      const names = below.split('/');
      const problem = problemOf(child.name);
      if (problem !== undefined) {
        this.#skip([...path, ...names], problem);
        if (child.children) left.splice(0, left.length, below);
      } else if (child.children) await this.#directory(child, join(staged, ...names), names, directories);
      else await this.#one(child, join(staged, ...names), [...path, ...names]);
    }
  }

  async write(node: TreeNode, reading: Reading, signal: AbortSignal | undefined): Promise<void> {
    const { paths } = this.#targets.get(node.inode) ?? { paths: [] };
    const [first, ...others] = paths;
    if (first === undefined) return;
    const { mode, mtime } = node.inode.entry;
    await onFiles('write', visible(first), async () => {
      await using handle = await open(first, 'wx', mode & permissions);
      for await (const chunk of reading.content()) {
        signal?.throwIfAborted();
        await handle.writeFile(chunk);
      }
      const seconds = mtime.seconds + mtime.nanoseconds / 1e9;
      await handle.utimes(seconds, seconds);
    });
    for (const path of others) {
      await onFiles('write', visible(path), () =>
        link(first, path).catch((error: unknown) => {
          if (!hasErrno(error, 'EPERM', 'ENOTSUP', 'EMLINK')) throw error;
          return copyFile(first, path);
        }),
      );
    }
  }

  async #one(node: TreeNode, staged: string, path: readonly string[]): Promise<void> {
    const { type, linkname } = node.inode.entry;
    if (type === 'symlink') {
      const confined = confinedTarget(path, linkname);
      if (confined !== linkname) this.changedLinks += 1;
      await onFiles('write', visible(path.join('/')), () => symlink(confined, staged));
    } else if (type === 'file') {
      const known = this.#targets.get(node.inode);
      if (known) known.paths.push(staged);
      else this.#targets.set(node.inode, { node, paths: [staged] });
    } else {
      const what =
        type === 'link' ? 'its hard link leads to nothing' : type === 'fifo' ? 'it is a pipe' : 'it is a device';
      return this.#skip(path, what);
    }
    this.files += 1;
    this.#written.add(staged);
  }

  async #directory(
    node: TreeNode,
    staged: string,
    path: readonly string[],
    directories: UnpackedDirectory[],
  ): Promise<void> {
    const { mode, mtime } = node.inode.entry;
    const bits = mode & permissions;
    await onFiles('write', visible(staged), () => mkdir(staged, { mode: bits | ownerMay }));
    const modified = node.implied ? undefined : new Date(mtime.seconds * 1000 + mtime.nanoseconds / 1e6);
    directories.unshift({ path, without: ownerMay & ~bits, modified });
  }

  #skip(path: readonly string[], reason: string): void {
    this.#onSkip(`${quote(`/${path.join('/')}`)} is left out: ${reason}`);
  }
}

/** Why a name is not written here; undefined if it is. */
function problemOf(name: string): string | undefined {
  if (!isText(name)) return 'its name is no UTF-8; ocictl export keeps it';
  if (name.startsWith(workPrefix)) return 'names like this are for unfinished files';
  return process.platform === 'win32' ? readPath(name).problem : undefined;
}
