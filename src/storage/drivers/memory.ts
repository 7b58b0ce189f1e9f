import { OciError } from '../../model/errors.ts';
import type { Driver, StorePath } from '../driver.ts';
import { MemoryTree, memoryReader } from './memory-objects.ts';
import { createMemoryUploads } from './memory-uploads.ts';
import { pageOf } from './page.ts';

/** Keeps a store in memory, for tests and for temporary registries. */
export function createMemoryDriver(): Driver {
  const tree = new MemoryTree();
  const locked = new Set<StorePath>();

  const put = (path: StorePath, bytes: Uint8Array): void =>
    tree.set(path, { chunks: [Uint8Array.from(bytes)], size: bytes.length, storedAt: new Date() });

  return {
    name: 'memory',
    readOnly: false,
    uploads: createMemoryUploads(tree),
    locks: {
      async tryAcquire(path) {
        if (locked.has(path)) return undefined;
        locked.add(path);
        let released = false;
        return {
          async release() {
            if (!released) locked.delete(path);
            released = true;
          },
        };
      },
      isHeld: async (path) => locked.has(path),
    },
    async get(path, maxBytes) {
      const object = tree.find(path);
      if (object === undefined) return undefined;
      if (object.size > maxBytes) {
        throw new OciError('TOO_LARGE', `${path} has ${object.size} bytes, more than the ${maxBytes} allowed`);
      }
      return Uint8Array.from(Buffer.concat(object.chunks, object.size));
    },
    async open(path, range) {
      const object = tree.find(path);
      return object === undefined ? undefined : memoryReader(object, range);
    },
    put: async (path, bytes) => put(path, bytes),
    async putIfAbsent(path, bytes) {
      if (tree.find(path) !== undefined) return false;
      put(path, bytes);
      return true;
    },
    async stat(path) {
      const object = tree.find(path);
      return object && { size: object.size, storedAt: object.storedAt };
    },
    list: async (prefix, opts) => pageOf(tree.entries(prefix, opts?.deep === true), opts),
    async copy(from, to) {
      const object = tree.find(from);
      if (object !== undefined) tree.set(to, { ...object, storedAt: new Date() });
      return object !== undefined;
    },
    delete: async (path) => tree.delete(path),
    async deleteIf(path, bytes) {
      const object = tree.find(path);
      const holds = object?.size === bytes.length && Buffer.concat(object.chunks).equals(bytes);
      return holds && tree.delete(path);
    },
  };
}
