import { randomBytes } from 'node:crypto';
import { digestBytes } from '../../src/model/digest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { readContent } from '../../src/registry/content.ts';
import type { GetBlobOptions, Registry } from '../../src/registry/registry.ts';
import type { Answer } from '../support/fake-server.ts';
import { repo } from './fake-registry.ts';

export const bytes = randomBytes(300_000);
export const digest = await digestBytes(bytes);
export const blob = { mediaType: mediaTypes.ociLayerGzip, digest, size: bytes.length };

export async function read(
  registry: Registry,
  what: Parameters<Registry['getBlob']>[1] = blob,
  opts?: GetBlobOptions,
): Promise<Buffer> {
  return Buffer.from(await readContent(await registry.getBlob(repo, what, opts), 10_000_000));
}

/** Reads the same blob by iteration. */
export async function iterate(registry: Registry): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await registry.getBlob(repo, blob)) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

/** Serves ranges. If `cut` returns a number for the nth request, the connection is cut after that many bytes. */
export function ranged(cut: (nth: number) => number | undefined): Answer {
  return ({ headers, nth }, response) => {
    const start = Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
    const length = bytes.length - start;
    const partial = headers.range !== undefined;
    response.writeHead(partial ? 206 : 200, {
      'content-length': length,
      ...(partial && { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
    });
    const sent = cut(nth);
    if (sent === undefined) return response.end(bytes.subarray(start));
    response.write(bytes.subarray(start, start + sent), () => setTimeout(() => response.destroy(), 5));
  };
}
