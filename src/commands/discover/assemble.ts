/** Puts what hangs on an image together, as it is printed. */
import type { TreeNode } from '../../artifacts/tree/referrers-tree.ts';
import type { Digest } from '../../model/digest.ts';

/** A manifest, in the form that is kept of it, with what hangs on it. */
export interface Hanging<T> {
  readonly kept: T;
  readonly below: readonly Hanging<T>[];
}

interface Growing<T> extends Hanging<T> {
  readonly isWanted: boolean;
  readonly below: Growing<T>[];
}

/**
 * The tree below a root. Images of an index are in it only if something hangs on them.
 *
 * @param types Only manifests of these artifact types, and what leads to them; all if there are none.
 * @param keep What is kept of each: there may be many.
 */
export async function assemble<T>(
  root: Digest,
  nodes: AsyncIterable<TreeNode>,
  types: readonly string[],
  keep: (node: TreeNode) => T,
): Promise<readonly Hanging<T>[]> {
  const trunk: Growing<T>[] = [];
  const byDigest = new Map([[root, trunk]]);
  const isWanted = ({ kind, artifactType }: TreeNode): boolean =>
    kind !== 'child' && (types.length === 0 || (artifactType !== undefined && types.includes(artifactType)));
  for await (const node of nodes) {
    const below: Growing<T>[] = [];
    byDigest.get(node.subject)?.push({ kept: keep(node), isWanted: isWanted(node), below });
    if (!node.repeated) byDigest.set(node.descriptor.digest, below);
  }
  prune(trunk);
  return trunk;
}

function prune<T>(items: Growing<T>[]): void {
  let left = 0;
  for (const item of items) {
    prune(item.below);
    if (item.below.length > 0 || item.isWanted) items[left++] = item;
  }
  items.length = left;
}
