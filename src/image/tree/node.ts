import { impliedDirectory, type LayerEntry } from '../layers/layer-entry.ts';

/** A file, whatever its names are: hard links share it. */
export interface Inode {
  entry: LayerEntry;
  /** The layer that has its content, from 0. */
  layer: number;
  /** Whether a hard link gave it another name. */
  linked?: boolean;
}

/** A name in the file system of an image. */
export interface TreeNode {
  readonly name: string;
  readonly parent: TreeNode | undefined;
  inode: Inode;
  /** Of a directory. */
  readonly children: Map<string, TreeNode> | undefined;
  /** The layer that named it last, from 0. */
  layer: number;
  /** Whether it is only on the path of an entry: a lower layer may have something else there, such as a link. */
  implied: boolean;
}

/** A node, which is not in its directory yet. */
export function newNode(name: string, parent: TreeNode | undefined, inode: Inode, layer: number): TreeNode {
  const children = inode.entry.type === 'directory' ? new Map<string, TreeNode>() : undefined;
  return { name, parent, inode, children, layer, implied: false };
}

/** A directory that no layer names. */
export function impliedNode(name: string, parent: TreeNode | undefined, layer: number): TreeNode {
  return { ...newNode(name, parent, { entry: impliedDirectory, layer }, layer), implied: true };
}

/** The path of a node, from the root and without a slash before it; empty for the root. */
export function pathOf(node: TreeNode): string {
  const names: string[] = [];
  for (let at = node; at.parent; at = at.parent) names.push(at.name);
  return names.reverse().join('/');
}
