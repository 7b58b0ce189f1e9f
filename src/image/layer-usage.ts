/** What each layer of an image brings, and how much of it later layers hide. */
import type { ImageFiles } from './image-files.ts';
import { partsOf } from './tree/paths.ts';
import { walk } from './tree/walk.ts';

/** A file of a layer. */
interface LayerFile {
  /** From the root, with a slash before it. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Whether a later layer, or a later entry of the same one, replaces or deletes it. */
  readonly hidden: boolean;
}

export interface LayerUsage {
  /** How many files it has, without links and directories. */
  readonly files: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Those of them that are not in the image any more. */
  readonly hiddenBytes: number;
  readonly largest: readonly LayerFile[];
}

/**
 * Adds up the files of each layer, the lowest first.
 *
 * @param most How many of the largest files are given of each.
 * @throws OciError as {@link ImageFiles.tree}
 */
export async function layerUsage(files: ImageFiles, most: number): Promise<readonly LayerUsage[]> {
  const { root } = await files.tree();
  const alive = Array.from({ length: files.layers.count }, () => new Set<number>());
  for (const { node } of walk(root, { deep: true })) {
    const { inode } = node;
    if (inode.entry.type === 'file') alive[inode.layer]?.add(inode.entry.position);
  }
  const usage: LayerUsage[] = [];
  for (const [layer, positions] of alive.entries()) {
    const found: LayerFile[] = [];
    let [count, bytes, hiddenBytes] = [0, 0, 0];
    for (const { path, type, size, position } of await files.layers.entries(layer)) {
      const parts = type === 'file' ? partsOf(path) : undefined;
      if (!parts || (parts.at(-1) ?? '').startsWith('.wh.')) continue;
      const hidden = !positions.has(position);
      count += 1;
      bytes += size;
      if (hidden) hiddenBytes += size;
      found.push({ path: `/${parts.join('/')}`, size, hidden });
    }
    const largest = found.sort((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1)).slice(0, most);
    usage.push({ files: count, bytes, hiddenBytes, largest });
  }
  return usage;
}
