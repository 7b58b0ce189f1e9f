import { maxCopyBytes, type S3Client, type S3Object } from './client.ts';
import type { S3Part } from './multipart.ts';

const usualPartBytes = 512 * 1024 ** 2;
const parallel = 8;
const maxParts = 10_000;

/**
 * Copies an object. A store copies some hundred megabytes a second at best, and at most 5 GiB in a request: large objects are copied in
 * parts, several at once.
 *
 * @returns False if it is gone, or was replaced meanwhile.
 */
export async function copyObject(client: S3Client, from: string, to: string, size: number): Promise<boolean> {
  const { copyPartBytes: partBytes = usualPartBytes } = client.connection.settings;
  if (size <= 2 * partBytes) return await client.copy(from, to);
  const object = await client.head(from);
  return object !== undefined && (await copyLarge(client, from, to, object, partBytes));
}

async function copyLarge(client: S3Client, from: string, to: string, object: S3Object, partBytes: number) {
  const size = Math.min(maxCopyBytes, Math.max(partBytes, Math.ceil(object.size / maxParts)));
  const uploadId = await client.createMultipart(to);
  const upload = { path: to, uploadId };
  const parts: S3Part[] = [];
  let next = 0;
  let isGone = false;
  async function work(): Promise<void> {
    while (!isGone && next * size < object.size) {
      const index = next;
      next += 1;
      const range = { start: index * size, end: Math.min(object.size, (index + 1) * size) };
      const part = await client.copyPart(upload, index + 1, { path: from, ...range, ifMatch: object.etag });
      if (part === undefined) isGone = true;
      else parts[index] = part;
    }
  }
  try {
    await Promise.all(Array.from({ length: parallel }, work));
    const done = !isGone && (await client.completeMultipart(upload, parts)) === 'completed';
    if (!done) await client.abortMultipart(upload);
    return done;
  } catch (error) {
    isGone = true;
    await client.abortMultipart(upload).catch(() => {});
    throw error;
  }
}
