import { compareNames } from '../tar/names.ts';
import type { TreeNode } from './node.ts';

/** A name with its path below where the walk began; empty for that itself. */
interface Walked {
  readonly path: string;
  readonly node: TreeNode;
}

/** Walks a directory, in the order of bytes, each directory before what is in it. */
export function* walk(start: TreeNode, { deep }: { readonly deep: boolean }): Generator<Walked, void, undefined> {
  const open: { readonly path: string; readonly names: Iterator<TreeNode> }[] = [{ path: '', names: sorted(start) }];
  for (let top = open.at(-1); top; top = open.at(-1)) {
    const { done, value: node } = top.names.next();
    if (done) {
      open.pop();
      continue;
    }
    const path = top.path === '' ? node.name : `${top.path}/${node.name}`;
    yield { path, node };
    if (deep && node.children) open.push({ path, names: sorted(node) });
  }
}

function sorted({ children }: TreeNode): Iterator<TreeNode> {
  return [...(children?.values() ?? [])].sort((a, b) => compareNames(a.name, b.name)).values();
}
