import { newNode, type TreeNode } from './node.ts';
import { maxFollowed, maxPathBytes, stepsOf } from './paths.ts';

/** What a path leads to. */
export type Found =
  | { readonly kind: 'found'; readonly node: TreeNode; readonly certain: boolean }
  /** `at` is the deepest directory on the way, and `name` what it lacks. */
  | { readonly kind: 'missing'; readonly at: TreeNode; readonly name: string }
  | { readonly kind: 'not-directory'; readonly at: TreeNode }
  | { readonly kind: 'circle'; readonly at: TreeNode };

/**
 * Follows a path inside the image, as a program in a container would: absolute links begin at the image's root, and `..` does not lead
 * out of it.
 *
 * @param opts.follow Whether a link at the end of the path is followed too.
 */
export function lookUp(root: TreeNode, path: string, { follow }: { readonly follow: boolean }): Found {
  const steps = [...stepsOf(path)].reverse();
  let node = root;
  let certain = true;
  let followed = 0;
  for (let name = steps.pop(); name !== undefined; name = steps.pop()) {
    if (!node.children) return { kind: 'not-directory', at: node };
    if (name === '..') {
      node = node.parent ?? root;
      continue;
    }
    const child = node.children.get(name);
    if (!child) return { kind: 'missing', at: node, name };
    const { type, linkname } = child.inode.entry;
    if (type === 'symlink' && (follow || steps.length > 0)) {
      followed += 1;
      if (followed > maxFollowed || linkname.length > maxPathBytes) return { kind: 'circle', at: child };
      if (linkname.startsWith('/')) node = root;
      steps.push(...[...stepsOf(linkname)].reverse());
      continue;
    }
    node = child;
    certain &&= !child.implied;
  }
  return { kind: 'found', node, certain };
}

/**
 * The directory at a path, where an entry is put: links on the way are followed, and what lacks is made.
 *
 * @param make Makes a directory that lacks, or that something else is in the place of.
 * @returns Undefined where links lead in a circle.
 */
export function directoryAt(
  root: TreeNode,
  parts: readonly string[],
  make: (name: string, parent: TreeNode) => TreeNode,
): TreeNode | undefined {
  const steps = parts.toReversed();
  let node = root;
  let followed = 0;
  for (let name = steps.pop(); name !== undefined; name = steps.pop()) {
    if (name === '..') {
      node = node.parent ?? root;
      continue;
    }
    const child = node.children?.get(name);
    const entry = child?.inode.entry;
    if (entry?.type === 'symlink') {
      followed += 1;
      if (followed > maxFollowed || entry.linkname.length > maxPathBytes) return undefined;
      if (entry.linkname.startsWith('/')) node = root;
      steps.push(...[...stepsOf(entry.linkname)].reverse());
      continue;
    }
    if (child?.children) node = child;
    else {
      const made = make(name, node);
      node.children?.set(name, made);
      node = made;
    }
  }
  return node;
}

/** Puts a node into its directory, and whatever was there away. */
export function put(parent: TreeNode, name: string, inode: TreeNode['inode'], layer: number): TreeNode {
  const node = newNode(name, parent, inode, layer);
  parent.children?.set(name, node);
  return node;
}
