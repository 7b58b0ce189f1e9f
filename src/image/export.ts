/** The file system of an image as a tar archive. */
import type { ImageFiles } from './image-files.ts';
import type { LayerEntry } from './layers/layer-entry.ts';
import { type NewEntry, type TarPart, writeTar } from './tar/write.ts';
import { type Inode, pathOf, type TreeNode } from './tree/node.ts';
import { walk } from './tree/walk.ts';

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
  if (!root.implied && isWanted(root)) yield { entry: newEntry('./', root.inode.entry) };
  // Of most files there is one name, which their node says: a list for each would take more memory than the tree.
  const names = new Map<Inode, string[]>();
  for (const { path, node } of walk(root, { deep: true })) {
    if (node.children) {
      if (isWanted(node)) yield { entry: newEntry(`${path}/`, node.inode.entry) };
    } else if (node.inode.linked && isWanted(node)) {
      const known = names.get(node.inode);
      if (known) known.push(path);
      else names.set(node.inode, [path]);
    }
  }
  const withContent: TreeNode[] = [];
  for (const { path, node } of walk(root, { deep: true })) {
    const { entry } = node.inode;
    if (node.children || !isWanted(node)) continue;
    const paths = names.get(node.inode) ?? [path];
    if (paths[0] !== path) continue;
    if (entry.type === 'file' && entry.size > 0) withContent.push(node);
    else yield* namesOf(paths, newEntry(path, entry), undefined);
  }
  for await (const { node, reading } of files.contents(withContent)) {
    const paths = names.get(node.inode) ?? [pathOf(node)];
    const { sparse } = reading.entry;
    yield* namesOf(paths, { ...newEntry(paths[0] ?? '', node.inode.entry), sparse }, reading.stored());
  }
}

function* namesOf(
  paths: readonly string[],
  entry: NewEntry,
  content: TarPart['content'],
): Generator<TarPart, void, undefined> {
  yield { entry, content };
  for (const path of paths.slice(1))
    yield { entry: { ...entry, path, type: 'link', linkname: entry.path, size: 0, sparse: undefined } };
}

function newEntry(path: string, entry: LayerEntry): NewEntry {
  const { type, mode, uid, gid, mtime, size, linkname, devmajor, devminor, xattrs } = entry;
  return { path, type, mode, uid, gid, mtime, size, linkname, devmajor, devminor, xattrs };
}
