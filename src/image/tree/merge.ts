/**
 * Layers on each other, as they are in a container.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#applying-changesets
 */
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import type { LayerEntry } from '../layers/layer-entry.ts';
import { directoryAt, lookUp, put } from './lookup.ts';
import { impliedNode, type TreeNode } from './node.ts';
import { maxPathBytes, partsOf } from './paths.ts';
import { metadata, opaque, whiteout } from './whiteouts.ts';

/** The most names that a tree has: an attacker could name directories in each other without end. */
const maxNodes = 3_000_000;
/** No image has more directories in each other, and no system would open them. */
const maxDepth = maxPathBytes / 2;

export interface MergeOptions {
  /** Called for an entry that is left out, with the reason: it leads out of the image, or no system could make it. */
  readonly onSkip?: ((text: string) => void) | undefined;
  /** Whether whiteouts are files as others, and hide nothing: for a layer by itself. Default false. */
  readonly whiteouts?: boolean | undefined;
}

/** The file system of an image: layers are added from the lowest to the highest. */
export class FileTree {
  readonly root: TreeNode = impliedNode('', undefined, 0);
  readonly #onSkip: (text: string) => void;
  readonly #whiteouts: boolean;
  #nodes = 1;

  constructor({ onSkip = () => {}, whiteouts = false }: MergeOptions = {}) {
    this.#onSkip = onSkip;
    this.#whiteouts = whiteouts;
  }

  /**
   * Adds a layer. Its whiteouts hide what is below it, wherever they are in it; then its entries are added, the last of one name wins.
   *
   * @param layer Its number, from 0.
   * @throws OciError ARCHIVE_INVALID for a whiteout without a name; TOO_LARGE for too many names or directories in each other.
   */
  add(entries: readonly LayerEntry[], layer: number): void {
    for (const { path } of entries) this.#hide(path, layer);
    const late: LayerEntry[] = [];
    for (const entry of entries) if (!this.#add(entry, layer, true)) late.push(entry);
    // Hard links before the file that they name. No runtime takes them; what is left dangles.
    for (const entry of late) this.#add(entry, layer, false);
  }

  #hide(path: string, layer: number): void {
    if (this.#whiteouts || !path.includes(whiteout)) return;
    const parts = partsOf(path) ?? [];
    const name = parts.at(-1) ?? '';
    if (!name.startsWith(whiteout)) return;
    if (name === whiteout) {
      throw new OciError('ARCHIVE_INVALID', `layer ${layer + 1} has a whiteout without a name: ${quote(path)}`, {
        hint: 'build the image again, or ask whoever built it',
      });
    }
    if (name !== opaque && name.startsWith(metadata)) return;
    const directory = lookUp(this.root, parts.slice(0, -1).join('/'), { follow: true });
    if (directory.kind !== 'found') return;
    if (name === opaque) directory.node.children?.clear();
    else directory.node.children?.delete(name.slice(whiteout.length));
  }

  /** @returns False for a hard link whose file is not there yet. */
  #add(entry: LayerEntry, layer: number, mayWait: boolean): boolean {
    const { path, type } = entry;
    if (type === 'global') return true;
    const parts = partsOf(path);
    if (!parts) return this.#skip(entry, layer, 'it leads out of the image');
    if (type === 'unknown') return this.#skip(entry, layer, 'no system has files of its type');
    const name = parts.at(-1);
    if (name === undefined) {
      if (type !== 'directory') return this.#skip(entry, layer, 'it is in the place of the root');
      Object.assign(this.root, { inode: { entry, layer }, layer, implied: false });
      return true;
    }
    if (name.startsWith(whiteout) && !this.#whiteouts) return true;
    if (parts.length > maxDepth) throw tooMany(layer, `${maxDepth} directories in each other`);
    const parent = directoryAt(this.root, parts.slice(0, -1), (missing, above) => {
      this.#count(layer);
      return impliedNode(missing, above, layer);
    });
    if (!parent) return this.#skip(entry, layer, 'links on its path lead in a circle');
    const old = parent.children?.get(name);
    if (type === 'link') return this.#link(entry, { parent, name, old }, layer, mayWait);
    if (type === 'directory' && old?.children) {
      Object.assign(old, { inode: { entry, layer }, layer, implied: false });
      return true;
    }
    this.#count(layer);
    put(parent, name, { entry, layer }, layer);
    return true;
  }

  #link(
    entry: LayerEntry,
    at: { readonly parent: TreeNode; readonly name: string; readonly old: TreeNode | undefined },
    layer: number,
    mayWait: boolean,
  ): boolean {
    const target = partsOf(entry.linkname);
    if (!target) return this.#skip(entry, layer, `it is a link out of the image, to ${quote(entry.linkname)}`);
    const found = lookUp(this.root, target.join('/'), { follow: false });
    const node = found.kind === 'found' && !found.node.children ? found.node : undefined;
    if (!node && mayWait) return false;
    if (node && node === at.old) return true;
    this.#count(layer);
    if (!node) {
      put(at.parent, at.name, { entry, layer }, layer);
      return true;
    }
    // As in Docker: the file takes on what the header of its new name says, for all its names.
    const { mode, uid, gid, mtime, xattrs } = entry;
    const all = xattrs.size === 0 ? node.inode.entry.xattrs : new Map([...node.inode.entry.xattrs, ...xattrs]);
    const changed = node.inode.entry.type === 'symlink' ? { uid, gid, mtime } : { mode, uid, gid, mtime };
    node.inode.entry = { ...node.inode.entry, ...changed, xattrs: all };
    node.inode.linked = true;
    put(at.parent, at.name, node.inode, layer);
    return true;
  }

  #count(layer: number): void {
    this.#nodes += 1;
    if (this.#nodes > maxNodes) throw tooMany(layer, `${maxNodes} names`);
  }

  #skip({ path }: LayerEntry, layer: number, reason: string): true {
    this.#onSkip(`layer ${layer + 1}: ${quote(path)} is left out: ${reason}`);
    return true;
  }
}

function tooMany(layer: number, what: string): OciError {
  return new OciError('TOO_LARGE', `the image has more than ${what}, with layer ${layer + 1}`, {
    hint: 'no program could run such an image',
  });
}
