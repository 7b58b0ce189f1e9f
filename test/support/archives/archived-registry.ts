import { spawnSync } from 'node:child_process';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDockerArchive } from '../../../src/archive/docker-archive.ts';
import { openOciArchive } from '../../../src/archive/oci-archive.ts';
import { openLayout } from '../../../src/layout/layout.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { atEnd, type Scope, temporaryDirectory } from '../sandbox.ts';

/** Puts all that a layout holds into a new file or place of another kind. @returns What reads it there. */
export type Pack = (t: Scope, layout: Registry, directory: string, file: string) => Promise<Registry>;

/**
 * A layout that is written to as a directory, and read where it was packed into, which is done again after each change. So what the
 * contract writes is read from there.
 */
export async function archivedRegistry(t: Scope, pack: Pack): Promise<Registry> {
  const directory = join(await temporaryDirectory(t), 'layout');
  const layout = await openLayout({ directory, create: true });
  let packed: { readonly state: string; readonly registry: Promise<Registry> } | undefined;
  const reader = async (): Promise<Registry> => {
    const state = await stateOf(directory);
    if (packed?.state === state) return packed.registry;
    packs += 1;
    const registry = pack(t, layout, directory, `${directory}.${packs}`);
    packed = { state, registry };
    return registry;
  };
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

/** Different whenever a file of the layout is. */
async function stateOf(directory: string): Promise<string> {
  const names = await readdir(directory, { recursive: true });
  const { ino, mtimeNs } = await stat(join(directory, 'index.json'), { bigint: true });
  return [ino, mtimeNs, ...names.sort()].join();
}

let packs = 0;

/** An archive as tar writes it. */
export const tarOci: Pack = async (t, _layout, directory, file) => openPacked(t, directory, file, openOciArchive);

/** Beside a layout that has all images, an empty list is enough for an archive of Docker. */
export const tarDocker: Pack = async (t, _layout, directory, file) => {
  await writeFile(join(directory, 'manifest.json'), '[]');
  return openPacked(t, directory, file, openDockerArchive);
};

async function openPacked(
  t: Scope,
  directory: string,
  file: string,
  openFile: typeof openOciArchive,
): Promise<Registry> {
  const { status, stderr } = spawnSync('tar', ['-cf', file, '--exclude=./.ocictl', '-C', directory, '.']);
  if (status !== 0) throw new Error(`tar: ${stderr}`);
  const { registry, close } = await openFile(`archive ${file}`, { file, stdin: () => process.stdin });
  // Open files are read to their end without a name.
  await rm(file);
  atEnd(t, close);
  return registry;
}

async function* later<T>(list: () => Promise<AsyncIterable<T>>): AsyncGenerator<T, void, undefined> {
  yield* await list();
}
