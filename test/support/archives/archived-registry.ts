import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openOciArchive } from '../../../src/archive/oci-archive.ts';
import { openLayout } from '../../../src/layout/layout.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { atEnd, type Scope, temporaryDirectory } from '../sandbox.ts';

/**
 * A layout that is written to as a directory, and read from an archive of that directory: each read packs it again. So
 * what the contract writes is read from an archive.
 */
export async function archivedRegistry(t: Scope): Promise<Registry> {
  const directory = join(await temporaryDirectory(t), 'layout');
  const layout = await openLayout({ directory, create: true });
  const reader = (): Promise<Registry> => openPacked(t, directory);
  return {
    ...layout,
    statBlob: async (...words) => (await reader()).statBlob(...words),
    getBlob: async (...words) => (await reader()).getBlob(...words),
    statManifest: async (...words) => (await reader()).statManifest(...words),
    getManifest: async (...words) => (await reader()).getManifest(...words),
    repositories: (...words) => later(async () => (await reader()).repositories(...words)),
    tags: (...words) => later(async () => (await reader()).tags(...words)),
    referrers: (...words) => later(async () => (await reader()).referrers(...words)),
  };
}

let packed = 0;

/** Opens an archive of a directory as it is now. */
export async function openPacked(t: Scope, directory: string): Promise<Registry> {
  packed += 1;
  const file = `${directory}.${packed}.tar`;
  const { status, stderr } = spawnSync('tar', ['-cf', file, '--exclude=./.ocictl', '-C', directory, '.']);
  if (status !== 0) throw new Error(`tar: ${stderr}`);
  const { registry, close } = await openOciArchive(`oci-archive:${file}`, { file, stdin: () => process.stdin });
  // Open files are read to their end without a name.
  await rm(file);
  atEnd(t, close);
  return registry;
}

async function* later<T>(list: () => Promise<AsyncIterable<T>>): AsyncGenerator<T, void, undefined> {
  yield* await list();
}
