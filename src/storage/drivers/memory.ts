import { OciError } from '../../model/errors.ts';
import type { Driver, Entry, FileAppender, FileReader } from '../driver.ts';

interface MemoryFile {
  chunks: Uint8Array[];
  size: number;
  modifiedAt: Date;
}
type Directory = Map<string, Directory | MemoryFile>;

/** Keeps a store in memory, for tests and for registries that are to forget. */
export function createMemoryDriver(): Driver {
  const root: Directory = new Map();

  function find(path: string): Directory | MemoryFile | undefined {
    let node: Directory | MemoryFile | undefined = root;
    for (const part of path.split('/')) node = node instanceof Map ? node.get(part) : undefined;
    return node;
  }

  function findFile(path: string): MemoryFile | undefined {
    const node = find(path);
    return node instanceof Map ? undefined : node;
  }

  function parentOf(path: string): [Directory, string] {
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    let directory = root;
    for (const part of parts) {
      const next = directory.get(part) ?? new Map();
      if (!(next instanceof Map)) throw new OciError('STORAGE', `cannot write ${path}: ${part} is a file`);
      directory.set(part, next);
      directory = next;
    }
    return [directory, name];
  }

  function put(path: string, file: MemoryFile): void {
    const [directory, name] = parentOf(path);
    if (directory.get(name) instanceof Map) throw new OciError('STORAGE', `cannot write ${path}: it is a directory`);
    directory.set(name, file);
  }

  function drop(path: string): void {
    const parent = find(path.slice(0, Math.max(path.lastIndexOf('/'), 0)));
    if (parent instanceof Map) parent.delete(path.slice(path.lastIndexOf('/') + 1));
    else if (!path.includes('/')) root.delete(path);
  }

  return {
    name: 'memory',
    readOnly: false,
    locks: {
      // A lock is a file here too, so that leases can be listed; nothing else ever makes one at its path.
      async tryAcquire(path) {
        const file = { chunks: [], size: 0, modifiedAt: new Date() };
        if (findFile(path) !== undefined) return undefined;
        put(path, file);
        return {
          async release() {
            if (findFile(path) === file) drop(path);
          },
        };
      },
      isHeld: async (path) => findFile(path) !== undefined,
    },
    async readSmall(path, maxBytes) {
      const file = findFile(path);
      if (file === undefined) return undefined;
      if (file.size > maxBytes) {
        throw new OciError('TOO_LARGE', `${path} has ${file.size} bytes, more than the ${maxBytes} allowed`);
      }
      return Uint8Array.from(Buffer.concat(file.chunks, file.size));
    },
    async openRead(path, range) {
      const file = findFile(path);
      return file === undefined ? undefined : memoryReader(file, range?.start ?? 0, range?.end);
    },
    async writeSmall(path, bytes) {
      put(path, { chunks: [Uint8Array.from(bytes)], size: bytes.length, modifiedAt: new Date() });
    },
    async openAppend(path) {
      const file = findFile(path) ?? { chunks: [], size: 0, modifiedAt: new Date() };
      put(path, file);
      return memoryAppender(file);
    },
    async stat(path) {
      const file = findFile(path);
      return file === undefined ? undefined : { size: file.size, modifiedAt: file.modifiedAt };
    },
    async list(path) {
      const directory = find(path);
      if (!(directory instanceof Map)) return [];
      return [...directory]
        .map(([name, node]): Entry => ({ name, kind: node instanceof Map ? 'directory' : 'file' }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async move(from, to) {
      const file = findFile(from);
      if (file === undefined) return false;
      put(to, file);
      if (from !== to) drop(from);
      return true;
    },
    async remove(path) {
      if (findFile(path) === undefined) return false;
      drop(path);
      return true;
    },
    async removeTree(path) {
      drop(path);
    },
    async removeEmptyDirectory(path) {
      const directory = find(path);
      if (directory === undefined) return true;
      if (!(directory instanceof Map) || directory.size > 0) return false;
      drop(path);
      return true;
    },
    async touch(path, at) {
      const file = findFile(path);
      if (file !== undefined) file.modifiedAt = at;
      return file !== undefined;
    },
    async removeTemporary() {},
  };
}

function memoryReader(file: MemoryFile, start: number, limit: number | undefined): FileReader {
  const { size, chunks } = file;
  const end = Math.min(limit ?? size, size);
  let position = start;
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

function memoryAppender(file: MemoryFile): FileAppender {
  return {
    get size() {
      return file.size;
    },
    async write(chunk) {
      file.chunks.push(Uint8Array.from(chunk));
      file.size += chunk.length;
      file.modifiedAt = new Date();
    },
    async sync() {},
    async close() {},
  };
}
