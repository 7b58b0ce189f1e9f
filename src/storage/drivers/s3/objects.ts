import { OciError } from '../../../model/errors.ts';
import type { Listing, Objects, PageOptions, StorePath } from '../../driver.ts';
import type { S3Client } from './client.ts';
import { copyObject } from './copy-large.ts';
import { deleteObjects } from './delete-objects.ts';
import { endlessList } from './list.ts';
import { openReader } from './reader.ts';

/** Listed at once. More is the most that S3 gives. */
const maxPage = 1000;

/** The objects of a driver. */
export function createS3Objects(client: S3Client): Objects {
  return {
    async get(path, maxBytes) {
      const bytes = (await client.get(path, maxBytes))?.bytes;
      return bytes && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    open: (path, range) => openReader(client, path, range),
    async put(path, bytes) {
      await client.put(path, bytes);
    },
    async putIfAbsent(path, bytes) {
      const outcome = await client.putIfAbsent(path, bytes);
      // The writers of one path write different bytes where it matters who has won.
      if (outcome === 'perhaps') return holds(await client.get(path, bytes.length + 1).catch(tooLarge), bytes);
      return outcome === 'created';
    },
    async stat(path) {
      const found = await client.head(path);
      return found && { size: found.size, storedAt: found.storedAt };
    },
    list: (prefix, opts) => list(client, prefix, opts),
    async copy(from, to) {
      const object = await client.head(from);
      return object !== undefined && (await copyObject(client, from, to, object.size));
    },
    async delete(path) {
      // S3 does not tell whether there was one.
      if ((await client.head(path)) === undefined) return false;
      return await client.delete(path);
    },
    deleteMany: (paths) => deleteObjects(client, paths),
    async deleteIf(path, bytes) {
      const found = await client.get(path, bytes.length).catch(tooLarge);
      if (found === undefined || !holds(found, bytes)) return false;
      return await client.delete(path, { ifMatch: found.etag });
    },
    url: (path, opts) => client.url(path, opts),
  };
}

function holds(found: { readonly bytes: Uint8Array } | undefined, bytes: Uint8Array): boolean {
  return found !== undefined && Buffer.compare(found.bytes, bytes) === 0;
}

function tooLarge(error: unknown): undefined {
  if (error instanceof OciError && error.code === 'TOO_LARGE') return undefined;
  throw error;
}

async function list(client: S3Client, prefix: StorePath, opts: PageOptions = {}): Promise<Listing> {
  const { after = '', limit = maxPage, deep = false } = opts;
  const entries: Listing['entries'][number][] = [];
  const delimiter = deep ? undefined : ('/' as const);
  const start = `${prefix}/`;
  for (let from = after; ; ) {
    // What is behind a common prefix is asked for behind all names in it: they are ASCII, of which `~` is the last.
    const behind = !deep && from.endsWith('/') ? `${from}~` : from;
    const page = await client.list({
      prefix: start,
      delimiter,
      ...(from !== '' && { after: start + behind }),
      limit: Math.min(maxPage, limit - entries.length + 1),
    });
    let last = from;
    for (const { key, object } of page.entries) {
      last = key.slice(start.length);
      if (last <= after || !isOurs(last, deep)) continue;
      if (entries.length === limit) return { entries, next: keyOfLast(entries) };
      entries.push(
        object === undefined
          ? { name: last.slice(0, -1), kind: 'prefix' }
          : { name: last, kind: 'object', facts: object },
      );
    }
    if (!page.more) return { entries, next: undefined };
    if (entries.length > 0 && (opts.limit === undefined || entries.length === limit)) {
      return { entries, next: opts.limit === undefined ? last : keyOfLast(entries) };
    }
    if (last <= from) throw endlessList(client.connection, prefix);
    from = last;
  }
}

function keyOfLast(entries: Listing['entries']): string | undefined {
  const last = entries.at(-1);
  return last && (last.kind === 'prefix' ? `${last.name}/` : last.name);
}

// Other programs make markers of directories, which end with `/`, and names that no path of ours has.
function isOurs(key: string, deep: boolean): boolean {
  const name = !deep && key.endsWith('/') ? key.slice(0, -1) : key;
  return name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
