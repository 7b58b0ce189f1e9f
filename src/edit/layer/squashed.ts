/** Layers as one: what they change in the layers below them, no more. */
import { partsOf } from '../../image/export.ts';
import type { ImageFiles } from '../../image/image-files.ts';
import type { LayerEntry } from '../../image/layers/layer-entry.ts';
import { type TarPart, writeTar } from '../../image/tar/write.ts';
import { FileTree } from '../../image/tree/merge.ts';
import type { Inode, TreeNode } from '../../image/tree/node.ts';
import { walk } from '../../image/tree/walk.ts';

/**
 * The tar archive of one layer that does to the layers below what several did. It is made of both file systems: what the upper one lacks gets
 * a whiteout, what differs is written whole. A file with several names of which one is new gets all of them, since no hard link leads into a
 * layer below.
 *
 * @param from The lowest of the layers that become one, from 0.
 */
export async function* squashedTar(files: ImageFiles, from: number): AsyncGenerator<Uint8Array, void, undefined> {
  const lower = new FileTree();
  for (let layer = 0; layer < from; layer += 1) lower.add(await files.layers.entries(layer), layer);
  const { root } = await files.tree();
  yield* writeTar(partsBetween(files, lower.root, root));
}

async function* partsBetween(files: ImageFiles, lower: TreeNode, upper: TreeNode): AsyncGenerator<TarPart> {
  for (const path of whiteouts(lower, upper)) yield { entry: { path, type: 'file' } };
  const changed = changedInodes(lower, upper);
  yield* partsOf(files, upper, (node) => changed.has(node.inode));
}

/** One for each name that is gone, not for what was in it. What has something else in its place needs none. */
function* whiteouts(lower: TreeNode, upper: TreeNode, path = ''): Generator<string> {
  const open: { readonly below: TreeNode; readonly above: TreeNode; readonly path: string }[] = [
    { below: lower, above: upper, path },
  ];
  for (let next = open.pop(); next; next = open.pop()) {
    const names = [...(next.below.children ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    const deeper: typeof open = [];
    for (const [name, below] of names) {
      const above = next.above.children?.get(name);
      if (!above) yield `${next.path}.wh.${name}`;
      else if (below.children && above.children) deeper.push({ below, above, path: `${next.path}${name}/` });
    }
    open.push(...deeper.reverse());
  }
}

function changedInodes(lower: TreeNode, upper: TreeNode): ReadonlySet<Inode> {
  const changed = new Set<Inode>();
  const counterparts = new Map<TreeNode, TreeNode | undefined>([[upper, lower]]);
  const look = (node: TreeNode, other: TreeNode | undefined): void => {
    counterparts.set(node, other);
    if (!other || !isSame(node, other)) changed.add(node.inode);
  };
  look(upper, lower);
  for (const { node } of walk(upper, { deep: true })) {
    const parent = node.parent && counterparts.get(node.parent);
    look(node, parent?.children?.get(node.name));
  }
  return changed;
}

function isSame(node: TreeNode, other: TreeNode): boolean {
  if ((node.children === undefined) !== (other.children === undefined)) return false;
  if (node.implied !== other.implied) return false;
  const [one, two] = [node.inode, other.inode];
  if (node.children) return isSameEntry(one.entry, two.entry);
  return one.layer === two.layer && one.entry.position === two.entry.position && isSameEntry(one.entry, two.entry);
}

/** What the header of a later name may change, for all names. */
function isSameEntry(one: LayerEntry, two: LayerEntry): boolean {
  if (one === two) return true;
  const told = ({ mode, uid, gid, mtime, linkname, xattrs }: LayerEntry): string =>
    JSON.stringify([
      mode,
      uid,
      gid,
      mtime.seconds,
      mtime.nanoseconds,
      linkname,
      [...xattrs].map(([k, v]) => [k, [...v]]),
    ]);
  return told(one) === told(two);
}
