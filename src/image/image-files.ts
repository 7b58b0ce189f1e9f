/** The files of an image: its layers on each other, read only as far as an answer needs. */
import { OciError } from '../model/errors.ts';
import { inOrder } from '../model/in-order.ts';
import { quote } from '../model/quote.ts';
import type { ImageLayers, Reading } from './layers/image-layers.ts';
import type { LayerEntry } from './layers/layer-entry.ts';
import { type Found, lookUp } from './tree/lookup.ts';
import { FileTree, type MergeOptions } from './tree/merge.ts';
import { nearestNames } from './tree/nearest.ts';
import { pathOf, type TreeNode } from './tree/node.ts';

/** How many layers are read at once for their entries. */
const atOnce = 3;

interface ImageFilesOptions extends MergeOptions {
  readonly layers: ImageLayers;
  /** The image in messages. */
  readonly name: string;
  /** Only this layer, from 0. Default: all. */
  readonly only?: number | undefined;
}

export class ImageFiles {
  readonly layers: ImageLayers;
  readonly #options: ImageFilesOptions;
  #tree: Promise<FileTree> | undefined;

  /** @throws OciError USAGE for a layer that there is not. */
  constructor(options: ImageFilesOptions) {
    this.#options = options;
    this.layers = options.layers;
    const { only, layers, name } = options;
    if (only === undefined || (only >= 0 && only < layers.count)) return;
    throw new OciError('USAGE', `${name} has ${layers.count} layers, and no layer ${only + 1}`, {
      hint: 'the lowest is layer 1; ocictl history lists them',
    });
  }

  /** All layers on each other. @throws OciError as {@link ImageLayers.entries} and {@link FileTree.add} */
  tree(): Promise<FileTree> {
    this.#tree ??= this.#merged(this.#wanted());
    return this.#tree;
  }

  /**
   * What a path leads to, from the highest layer down, as few as are needed.
   *
   * @param opts.follow Whether a link at its end is followed.
   * @throws OciError FILE_UNKNOWN for a path that is not there, or leads through a file or in a circle.
   */
  async find(path: string, { follow }: { readonly follow: boolean }): Promise<TreeNode> {
    const all = this.#wanted();
    // What an upper layer has is there, whatever is below; the contents of a directory may be below.
    for (let count = 1; count < all.length; count += 1) {
      const upper = all.slice(-count);
      const { root } = await this.#merged(upper, {});
      const found = lookUp(root, path, { follow });
      if (found.kind === 'found' && found.certain && !isOpen(found.node)) return found.node;
    }
    const { root } = await this.tree();
    const found = lookUp(root, path, { follow });
    if (found.kind === 'found') return found.node;
    throw notFound(found, path, this.#options.name);
  }

  /** Reads the contents of files, layer by layer. @throws OciError as {@link ImageLayers.contents} */
  async *contents(nodes: Iterable<TreeNode>): AsyncGenerator<{ readonly node: TreeNode; readonly reading: Reading }> {
    const wanted = new Map<number, TreeNode[]>();
    for (const node of nodes) {
      const inLayer = wanted.get(node.inode.layer);
      if (inLayer) inLayer.push(node);
      else wanted.set(node.inode.layer, [node]);
    }
    for (const [layer, inLayer] of [...wanted].sort(([a], [b]) => a - b)) {
      const positionOf = ({ inode }: TreeNode): number => inode.entry.position;
      // By their positions, each once: 10^6 files have no set of their own.
      const sorted = inLayer
        .sort((a, b) => positionOf(a) - positionOf(b))
        .filter((node, i) => i === 0 || positionOf(node) !== positionOf(inLayer[i - 1] as TreeNode));
      for await (const reading of this.layers.contents(layer, sorted.map(positionOf))) {
        yield {
          node: sorted[indexIn(sorted.length, (i) => positionOf(sorted[i] as TreeNode) - reading.position)] as TreeNode,
          reading,
        };
      }
    }
  }

  #wanted(): readonly number[] {
    const { only, layers } = this.#options;
    return only === undefined ? Array.from({ length: layers.count }, (_, layer) => layer) : [only];
  }

  async #merged(numbers: readonly number[], options: MergeOptions = this.#options): Promise<FileTree> {
    const tree = new FileTree(options);
    const read = async (
      layer: number,
    ): Promise<{ readonly layer: number; readonly entries: readonly LayerEntry[] }> => ({
      layer,
      entries: await this.layers.entries(layer),
    });
    for await (const { layer, entries } of inOrder(numbers, atOnce, read)) tree.add(entries, layer);
    return tree;
  }
}

/** The index of what is compared as 0, among so many in order. */
function indexIn(count: number, compared: (index: number) => number): number {
  let [low, high] = [0, count - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compared(middle) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether lower layers may add to what was found: to a directory, or to a hard link whose file is below. */
function isOpen({ children, inode }: TreeNode): boolean {
  return children !== undefined || inode.entry.type === 'link';
}

function notFound(found: Exclude<Found, { readonly kind: 'found' }>, path: string, image: string): OciError {
  const at = `/${pathOf(found.at)}`;
  if (found.kind === 'circle') {
    return new OciError('FILE_UNKNOWN', `${image}: ${quote(path)} leads in a circle of links, by ${quote(at)}`, {
      hint: 'ocictl files -l shows where links lead',
    });
  }
  if (found.kind === 'not-directory') {
    return new OciError('FILE_UNKNOWN', `${image} has no ${quote(path)}: ${quote(at)} is not a directory`);
  }
  const near = nearestNames(found.at, found.name).map((name) => quote(at === '/' ? `/${name}` : `${at}/${name}`));
  const hint = near.length > 0 ? `there is ${near.join(', ')}` : `ocictl files IMAGE ${at} lists what is there`;
  return new OciError('FILE_UNKNOWN', `${image} has no ${quote(path)}`, { hint });
}
