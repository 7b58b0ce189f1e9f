import { dirname } from 'node:path/posix';
import type { StorePath, UploadFacts, Uploads } from '../../driver.ts';
import type { S3Client } from './client.ts';
import { deleteObjects } from './delete-objects.ts';
import { endlessList } from './list.ts';
import { PartsUpload } from './upload.ts';
import { findState, latestState, parseStateKey, type StoredState, sizeOf, statesPrefix } from './upload-state.ts';

/**
 * Uploads in a bucket. What they have is in the store when they rest, and no process is known to hold one: of two that go on
 * with the same bytes, the first to rest is kept, and the other is refused.
 */
export function createS3Uploads(client: S3Client): Uploads {
  async function abort(path: StorePath): Promise<void> {
    for await (const upload of client.listMultipartUploads(path)) {
      if (upload.path === path) await client.abortMultipart(upload);
    }
    const state = await latestState(client, path).catch(() => undefined);
    if (state?.uploadId !== undefined) await client.abortMultipart({ path, uploadId: state.uploadId });
    const keys = [path as string];
    for await (const { key } of keysBelow(client, statesPrefix(path))) keys.push(key);
    await deleteObjects(client, keys);
  }

  return {
    begin: async (path, { to } = {}) => new PartsUpload({ client, path, to }),

    async resume(path, { maxBytes = Number.POSITIVE_INFINITY } = {}) {
      const state = await latestState(client, path);
      if (state === undefined) return undefined;
      if (sizeOf(state) <= maxBytes) return new PartsUpload({ client, path }, state);
      await abort(path);
      return undefined;
    },

    async find(path) {
      return factsOf(path, await findState(client, path));
    },

    async *list(prefix) {
      let last: StorePath | undefined;
      for await (const { key } of keysBelow(client, `${prefix}/`)) {
        const path = parseStateKey(key)?.path;
        if (path === undefined || path === last) continue;
        last = path;
        const facts = factsOf(path, await findState(client, path));
        if (facts !== undefined) yield facts;
      }
    },

    abort,

    // One look tells all: the latest state is listed before the others, and before `startedat`.
    async session(path, begun) {
      const { entries, more } = await client.list({ prefix: `${dirname(path)}/` });
      const listed = entries.find(({ key }) => key === begun)?.object;
      const begunAt = (listed ?? (more ? await client.head(begun) : undefined))?.storedAt;
      if (begunAt === undefined) return undefined;
      const latest = entries.map(({ key }) => parseStateKey(key)).find((parsed) => parsed?.path === path);
      const state = latest && (await latestState(client, path, latest.sequence));
      // It was ended after it was listed. Without its bytes it must not begin again.
      if (latest !== undefined && state === undefined) return undefined;
      return {
        size: state === undefined ? 0 : sizeOf(state),
        begunAt,
        open: async ({ to } = {}) => new PartsUpload({ client, path, begun, to }, state),
      };
    },

    // Those of a session end with it. What remains are those of sessions that are gone, and of blobs of killed processes.
    async *left(prefix, before) {
      for await (const { path, uploadId, startedAt } of client.listMultipartUploads(`${prefix}/`)) {
        if (!(startedAt < before) || (await client.head(`${dirname(path)}/startedat`)) !== undefined) continue;
        const parts = (await client.listParts({ path, uploadId })) ?? [];
        // One that takes long is not left as long as parts arrive.
        if (parts.some(({ storedAt }) => storedAt !== undefined && storedAt >= before)) continue;
        const size = parts.reduce((sum, part) => sum + part.size, 0);
        yield { path: path as StorePath, size, remove: () => client.abortMultipart({ path, uploadId }) };
      }
    },
  };
}

async function* keysBelow(client: S3Client, prefix: string): AsyncGenerator<{ readonly key: string }> {
  for (let after: string | undefined; ; ) {
    const { entries, more } = await client.list({ prefix, after });
    const last = entries.at(-1)?.key;
    if (last !== undefined && !isBehind(last, after)) throw endlessList(client.connection, prefix);
    yield* entries;
    if (!more || last === undefined) return;
    after = last;
  }
}

function isBehind(key: string, after = ''): boolean {
  return Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0;
}

// A damaged one is empty and old, so that it is removed with those that nobody goes on with.
function factsOf(path: StorePath, state: StoredState | 'damaged' | undefined): UploadFacts | undefined {
  if (state === 'damaged') return { path, size: 0, storedAt: new Date(0), held: false };
  return state && { path, size: sizeOf(state), storedAt: state.storedAt, held: false };
}
