/** The file system of an image as a tar archive. */
import type { ImageFiles } from './image-files.ts';
import type { LayerEntry } from './layers/layer-entry.ts';
import { type NewEntry, type TarPart, writeTar } from './tar/write.ts';
import type { Inode, TreeNode } from './tree/node.ts';
import { walk } from './tree/walk.ts';

interface Named {
  readonly inode: Inode;
  /** All names of the file, the first in the order of bytes first. */
  readonly paths: string[];
  readonly node: TreeNode;
}

/**
 * Writes the merged file system: directories first, parents before what is in them, then everything else, layer by layer. A file with
 * several names is under its first name, and the others are hard links to it. The same image gives the same bytes.
 */
export async function* exportTar(files: ImageFiles): AsyncGenerator<Uint8Array, void, undefined> {
  const { root } = await files.tree();
  yield* writeTar(partsOf(files, root));
}

/** The entries of {@link exportTar}. @param isWanted Leaves out a directory, or all names of a file. Default: nothing. */
export async function* partsOf(
  files: ImageFiles,
  root: TreeNode,
  isWanted: (node: TreeNode) => boolean = () => true,
): AsyncGenerator<TarPart, void, undefined> {
  const named = new Map<Inode, Named>();
  if (!root.implied && isWanted(root)) yield { entry: newEntry('./', root.inode.entry) };
  for (const { path, node } of walk(root, { deep: true })) {
    if (!isWanted(node)) continue;
    if (node.children) yield { entry: newEntry(`${path}/`, node.inode.entry) };
    else {
      const known = named.get(node.inode);
      if (known) known.paths.push(path);
      else named.set(node.inode, { inode: node.inode, paths: [path], node });
    }
  }
  const withContent: Named[] = [];
  for (const one of named.values()) {
    if (one.inode.entry.type === 'file' && one.inode.entry.size > 0) withContent.push(one);
    else yield* namesOf(one, newEntry(one.paths[0] ?? '', one.inode.entry), undefined);
  }
  const byNode = new Map(withContent.map((one) => [one.node, one]));
  for await (const { node, reading } of files.contents(byNode.keys())) {
    const one = byNode.get(node);
    if (!one) continue;
    const { sparse } = reading.entry;
    yield* namesOf(one, { ...newEntry(one.paths[0] ?? '', one.inode.entry), sparse }, reading.stored());
  }
}

function* namesOf({ paths }: Named, entry: NewEntry, content: TarPart['content']): Generator<TarPart, void, undefined> {
  const [first = '', ...others] = paths;
  yield { entry, content };
  for (const path of others)
    yield { entry: { ...entry, path, type: 'link', linkname: first, size: 0, sparse: undefined } };
}

function newEntry(path: string, entry: LayerEntry): NewEntry {
  const { type, mode, uid, gid, mtime, size, linkname, devmajor, devminor, xattrs } = entry;
  return { path, type, mode, uid, gid, mtime, size, linkname, devmajor, devminor, xattrs };
}
