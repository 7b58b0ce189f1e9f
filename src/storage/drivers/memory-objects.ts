import { OciError } from '../../model/errors.ts';
import type { ByteRange } from '../../registry/registry.ts';
import type { Entry, ObjectReader } from '../driver.ts';

interface MemoryObject {
  readonly chunks: readonly Uint8Array[];
  readonly size: number;
  readonly storedAt: Date;
}
type Branch = Map<string, Branch | MemoryObject>;

/** Objects by path. A prefix exists as long as it has an object. */
export class MemoryTree {
  readonly #root: Branch = new Map();

  find(path: string): MemoryObject | undefined {
    const node = this.#node(path);
    return node instanceof Map ? undefined : node;
  }

  set(path: string, object: MemoryObject): void {
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    let branch = this.#root;
    for (const part of parts) {
      const next = branch.get(part) ?? new Map();
      if (!(next instanceof Map)) throw new OciError('STORAGE', `cannot write ${path}: ${part} is an object`);
      branch.set(part, next);
      branch = next;
    }
    if (branch.get(name) instanceof Map) throw new OciError('STORAGE', `cannot write ${path}: it is a prefix`);
    branch.set(name, object);
  }

  delete(path: string): boolean {
    if (this.find(path) === undefined) return false;
    for (let at = path; at !== ''; ) {
      const cut = at.lastIndexOf('/');
      const parent = cut < 0 ? this.#root : this.#node(at.slice(0, cut));
      if (!(parent instanceof Map)) break;
      parent.delete(at.slice(cut + 1));
      if (parent.size > 0 || cut < 0) break;
      at = at.slice(0, cut);
    }
    return true;
  }

  /** In the order of keys. */
  *entries(prefix: string, deep: boolean): Generator<Entry> {
    const branch = this.#node(prefix);
    if (branch instanceof Map) yield* below(branch, '', deep);
  }

  #node(path: string): Branch | MemoryObject | undefined {
    let node: Branch | MemoryObject | undefined = this.#root;
    for (const part of path.split('/')) node = node instanceof Map ? node.get(part) : undefined;
    return node;
  }
}

function* below(branch: Branch, at: string, deep: boolean): Generator<Entry> {
  const keys = [...branch].map(([name, node]) => (node instanceof Map ? `${name}/` : name)).sort();
  for (const key of keys) {
    const name = key.endsWith('/') ? key.slice(0, -1) : key;
    const node = branch.get(name);
    if (node === undefined) continue;
    if (!(node instanceof Map)) {
      yield { name: `${at}${name}`, kind: 'object', facts: { size: node.size, storedAt: node.storedAt } };
    } else if (deep) yield* below(node, `${at}${key}`, true);
    else yield { name, kind: 'prefix' };
  }
}

/** Reads the chunks of this moment; chunks added later are not read. */
export function memoryReader({ chunks, size }: Pick<MemoryObject, 'chunks' | 'size'>, range?: ByteRange): ObjectReader {
  const end = Math.min(range?.end ?? size, size);
  let position = range?.start ?? 0;
  let index = 0;
  let indexStart = 0;
  return {
    size,
    async read(into) {
      let filled = 0;
      while (filled < into.length && position < end) {
        const chunk = chunks[index];
        if (chunk === undefined) break;
        if (position >= indexStart + chunk.length) {
          indexStart += chunk.length;
          index += 1;
          continue;
        }
        const from = position - indexStart;
        const part = chunk.subarray(from, from + Math.min(into.length - filled, end - position));
        into.set(part, filled);
        filled += part.length;
        position += part.length;
      }
      return filled;
    },
    async close() {},
  };
}
