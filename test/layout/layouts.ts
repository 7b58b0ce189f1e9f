import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { layoutRepository, openLayout } from '../../src/layout/layout.ts';
import { type Digest, digestHex } from '../../src/model/digest.ts';
import type { Descriptor } from '../../src/model/manifest/descriptor.ts';
import { parseTag, type Tag } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { type Built, type BuiltImage, buildImage, pushImage } from '../support/images.ts';
import { type Scope, temporaryDirectory } from '../support/sandbox.ts';

export interface TestLayout {
  readonly directory: string;
  readonly registry: Registry;
}

export interface RawEntry {
  readonly mediaType?: string;
  readonly digest?: string;
  readonly size?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const refName = 'org.opencontainers.image.ref.name';
export const imageName = 'io.containerd.image.name';
export const latest: Tag = parseTag('latest');

export async function newLayout(t: Scope): Promise<TestLayout> {
  const directory = join(await temporaryDirectory(t), 'layout');
  return { directory, registry: await openLayout({ directory, create: true }) };
}

let made = 0;

/** An image that no other test uses. */
export async function uniqueImage(): Promise<BuiltImage> {
  made += 1;
  return buildImage({ layers: [{ files: { name: `layout ${process.pid} ${made}` } }] });
}

export function push({ registry }: TestLayout, image: Built, tag?: Tag): Promise<Descriptor> {
  return pushImage(registry, layoutRepository, tag, image);
}

export async function readEntries(directory: string): Promise<RawEntry[]> {
  return JSON.parse(await readFile(join(directory, 'index.json'), 'utf8')).manifests;
}

export async function writeEntries(directory: string, manifests: readonly unknown[], more = {}): Promise<void> {
  await writeFile(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests, ...more }));
}

/** The entry of a descriptor in index.json. */
export function entryOf(
  { mediaType, digest, size }: Descriptor,
  annotations?: Readonly<Record<string, string>>,
): RawEntry {
  return { mediaType, digest, size, ...(annotations && { annotations }) };
}

export function blobFile(directory: string, digest: Digest): string {
  return join(directory, 'blobs', 'sha256', digestHex(digest));
}

/** Every file below a directory, by its relative path. */
export async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
}
