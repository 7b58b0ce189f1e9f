/** Compares the files of two images. */
import { createHasher, type Digest } from '../model/digest.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { ImageFiles } from './image-files.ts';
import type { LayerEntry } from './layers/layer-entry.ts';
import { compareNames } from './tar/names.ts';
import type { TreeNode } from './tree/node.ts';
import { walk } from './tree/walk.ts';

/** One of the two images. */
interface Side {
  readonly files: ImageFiles;
  /** The lowest first. */
  readonly layers: readonly Descriptor[];
}

/** A path that is not the same in both. */
export interface FileChange {
  /** From the root, with a slash before it. */
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Of the first image; undefined for what was added. */
  readonly before: LayerEntry | undefined;
  /** Of the second image; undefined for what was removed. */
  readonly after: LayerEntry | undefined;
  /** Of a changed file: what differs, as `mode`, `owner`, `content`. */
  readonly differs: readonly string[];
}

/**
 * The paths that differ, in the order of bytes. Times do not count: a build that changes nothing else changes them.
 * Files of one size from different layers are read and compared by their digests.
 *
 * @throws OciError as {@link ImageFiles.tree} and {@link ImageFiles.contents}
 */
export async function diffFiles(a: Side, b: Side): Promise<readonly FileChange[]> {
  const before = new Map<string, TreeNode>();
  for (const { path, node } of walk((await a.files.tree()).root, { deep: true })) before.set(path, node);
  const changes: FileChange[] = [];
  const doubtful: {
    readonly path: string;
    readonly old: TreeNode;
    readonly now: TreeNode;
    readonly differs: string[];
  }[] = [];
  for (const { path, node } of walk((await b.files.tree()).root, { deep: true })) {
    const old = before.get(path);
    before.delete(path);
    const after = node.inode.entry;
    if (!old) {
      changes.push({ path: `/${path}`, change: 'added', before: undefined, after, differs: [] });
      continue;
    }
    const differs = differences(old.inode.entry, after);
    const isSame = sourceOf(a, old) === sourceOf(b, node);
    const mayDiffer = after.type === 'file' && old.inode.entry.type === 'file' && after.size === old.inode.entry.size;
    if (mayDiffer && !isSame && after.size > 0) doubtful.push({ path, old, now: node, differs });
    else if (differs.length > 0) changes.push(changed(path, old, node, differs));
  }
  for (const [path, { inode }] of before) {
    changes.push({ path: `/${path}`, change: 'removed', before: inode.entry, after: undefined, differs: [] });
  }
  const digestsA = await digestsOf(
    a.files,
    doubtful.map(({ old }) => old),
  );
  const digestsB = await digestsOf(
    b.files,
    doubtful.map(({ now }) => now),
  );
  for (const { path, old, now, differs } of doubtful) {
    if (digestsA.get(keyOf(old)) !== digestsB.get(keyOf(now))) differs.push('content');
    if (differs.length > 0) changes.push(changed(path, old, now, differs));
  }
  return changes.sort((one, other) => compareNames(one.path, other.path));
}

function changed(path: string, old: TreeNode, now: TreeNode, differs: readonly string[]): FileChange {
  return { path: `/${path}`, change: 'changed', before: old.inode.entry, after: now.inode.entry, differs };
}

function differences(a: LayerEntry, b: LayerEntry): string[] {
  const found: string[] = [];
  if (a.type !== b.type) found.push('type');
  if (a.mode !== b.mode) found.push('mode');
  if (a.uid !== b.uid || a.gid !== b.gid) found.push('owner');
  if (a.linkname !== b.linkname) found.push('link');
  if (a.devmajor !== b.devmajor || a.devminor !== b.devminor) found.push('device');
  if (a.size !== b.size) found.push('size');
  if (xattrsOf(a) !== xattrsOf(b)) found.push('xattrs');
  return found;
}

function xattrsOf({ xattrs }: LayerEntry): string {
  if (xattrs.size === 0) return '';
  const pairs = [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
  return JSON.stringify(pairs.sort(([one = ''], [other = '']) => compareNames(one, other)));
}

/** Where the content of a file is: equal for two images that share the layer. */
function sourceOf({ files, layers }: Side, { inode }: TreeNode): string {
  const { position } = inode.entry;
  return files.layers.digestOf(inode.layer, position) ?? `${layers[inode.layer]?.digest} ${position}`;
}

function keyOf({ inode }: TreeNode): string {
  return `${inode.layer} ${inode.entry.position}`;
}

async function digestsOf(files: ImageFiles, nodes: readonly TreeNode[]): Promise<ReadonlyMap<string, Digest>> {
  const once = new Map(nodes.map((node) => [keyOf(node), node]));
  const digests = new Map<string, Digest>();
  for (const [key, { inode }] of once) {
    const known = files.layers.digestOf(inode.layer, inode.entry.position);
    if (known === undefined) continue;
    digests.set(key, known);
    once.delete(key);
  }
  for await (const { node, reading } of files.contents(once.values())) {
    const hasher = await createHasher();
    for await (const chunk of reading.content()) hasher.update(chunk);
    digests.set(keyOf(node), hasher.digest());
  }
  return digests;
}
