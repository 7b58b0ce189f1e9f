import { spawnSync } from 'node:child_process';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDockerArchive } from '../../../src/archive/docker-archive.ts';
import { openOciArchive } from '../../../src/archive/oci-archive.ts';
import { openLayout } from '../../../src/layout/layout.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { atEnd, type Scope, temporaryDirectory } from '../sandbox.ts';

/**
 * A layout that is written to as a directory, and read from an archive of that directory, which is packed again after each change. So
 * what the contract writes is read from an archive.
 */
export async function archivedRegistry(t: Scope, form: 'oci' | 'docker'): Promise<Registry> {
  const directory = join(await temporaryDirectory(t), 'layout');
  const layout = await openLayout({ directory, create: true });
  // Beside a layout that has all images, an empty list is enough for an archive of Docker.
  if (form === 'docker') await writeFile(join(directory, 'manifest.json'), '[]');
  let packed: { readonly state: string; readonly registry: Promise<Registry> } | undefined;
  const reader = async (): Promise<Registry> => {
    const state = await stateOf(directory);
    if (packed?.state === state) return packed.registry;
    const registry = openPacked(t, directory, form === 'oci' ? openOciArchive : openDockerArchive);
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

let archives = 0;

/** Opens an archive of a directory as it is now. */
async function openPacked(t: Scope, directory: string, openFile: typeof openOciArchive): Promise<Registry> {
  archives += 1;
  const file = `${directory}.${archives}.tar`;
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
