import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { StorePath, Upload, UploadFacts, Uploads } from '../driver.ts';
import { type MemoryTree, memoryReader } from './memory-objects.ts';

interface Bytes {
  readonly path: StorePath;
  readonly chunks: Uint8Array[];
  size: number;
  storedAt: Date;
  held: boolean;
  aborted: boolean;
  /** Of these bytes. */
  digest: Digest | undefined;
}

/** Uploads that become objects of a tree. */
export function createMemoryUploads(tree: MemoryTree): Uploads {
  const kept = new Set<Bytes>();

  const at = (path: StorePath): Bytes[] =>
    [...kept].filter((bytes) => bytes.path === path).sort((a, b) => Number(a.held) - Number(b.held) || b.size - a.size);
  const facts = ({ path, size, storedAt, held }: Bytes): UploadFacts => ({ path, size, storedAt, held });

  function open(bytes: Bytes): Upload {
    let ended = false;
    return {
      get size() {
        return bytes.size;
      },
      get digest() {
        return bytes.digest;
      },
      async write(chunk) {
        if (!bytes.aborted) kept.add(bytes);
        bytes.chunks.push(Uint8Array.from(chunk));
        bytes.size += chunk.length;
        bytes.digest = undefined;
        bytes.storedAt = new Date();
      },
      read: async () => memoryReader({ chunks: [...bytes.chunks], size: bytes.size }),
      async commit(to) {
        if (bytes.aborted) {
          throw new OciError('STORAGE', `${bytes.path} was removed while it was written`, { retryable: true });
        }
        tree.set(to, { chunks: bytes.chunks, size: bytes.size, storedAt: new Date() });
        kept.delete(bytes);
        ended = true;
      },
      async rest({ digest } = {}) {
        if (ended) return;
        ended = true;
        bytes.digest = digest;
        bytes.held = false;
        if (bytes.size === 0) kept.delete(bytes);
      },
      async abort() {
        if (ended) return;
        ended = true;
        kept.delete(bytes);
      },
    };
  }

  return {
    begin: async (path) =>
      open({ path, chunks: [], size: 0, storedAt: new Date(), held: true, aborted: false, digest: undefined }),
    async resume(path, { maxBytes = Number.POSITIVE_INFINITY } = {}) {
      for (const bytes of at(path)) if (bytes.size > maxBytes && !bytes.held) kept.delete(bytes);
      const found = at(path).find(({ size }) => size <= maxBytes);
      if (found === undefined) return undefined;
      const mine = found.held ? { ...found, chunks: [...found.chunks] } : found;
      mine.held = true;
      kept.add(mine);
      return open(mine);
    },
    async find(path) {
      const [first] = at(path);
      return first && facts(first);
    },
    async *list(prefix) {
      for (const bytes of [...kept]) if (bytes.path.startsWith(`${prefix}/`)) yield facts(bytes);
    },
    async abort(path) {
      for (const bytes of at(path)) {
        bytes.aborted = true;
        kept.delete(bytes);
      }
    },
  };
}
