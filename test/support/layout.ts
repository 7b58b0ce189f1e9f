import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../../src/model/digest.ts';
import { digestAlgorithm, digestHex } from '../../src/model/digest.ts';
import type { Built } from './images.ts';
import { blobsIn } from './images.ts';

/** Writes an image as an OCI layout, which skopeo and umoci read. Large layers are streamed. */
export async function writeLayout(directory: string, tag: string, built: Built): Promise<void> {
  await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
  for (const { descriptor, source } of blobsIn(built)) {
    await using file = await open(layoutBlob(directory, descriptor.digest), 'w');
    await (await source.open(0)).drainTo({
      write: async (chunk) => {
        await file.writeFile(chunk);
      },
    });
  }
  await writeManifests(directory, built);
  const { platform: _, ...root } = built.descriptor;
  const entry = { ...root, annotations: { 'org.opencontainers.image.ref.name': tag } };
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
}

/** The path of a blob in a layout. */
export function layoutBlob(directory: string, digest: Digest): string {
  return join(directory, 'blobs', digestAlgorithm(digest), digestHex(digest));
}

/** The path of a blob in distribution's storage, and in our store. */
export function storedBlob(root: string, digest: Digest): string {
  const hex = digestHex(digest);
  return join(root, 'docker/registry/v2/blobs', digestAlgorithm(digest), hex.slice(0, 2), hex, 'data');
}

/** The sha256 of a file's bytes, as hex. */
export async function fileHash(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}

/** The digest of the only image of a layout. */
export async function layoutRoot(directory: string): Promise<Digest> {
  const index = JSON.parse(await readFile(join(directory, 'index.json'), 'utf8')) as {
    manifests: { digest: Digest }[];
  };
  const [first] = index.manifests;
  if (!first) throw new Error(`${directory} is empty`);
  return first.digest;
}

async function writeManifests(directory: string, built: Built): Promise<void> {
  await writeFile(layoutBlob(directory, built.descriptor.digest), built.manifest.bytes);
  for (const child of built.children) await writeManifests(directory, child);
}
