import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { type Scope, temporaryDirectory } from '../../test/support/sandbox.ts';
import type { Bench } from '../context.ts';
import { measure } from '../measure.ts';
import { type At, ref } from '../programs.ts';
import { fill, tagsOf } from '../shapes.ts';
import { prepare } from '../transfers.ts';
import type { RowKind, Stage } from './rows.ts';
import type { Site, Spot } from './site.ts';

/** Fills a site for a row, beside the relays: nothing of it is delayed or counted. */
export async function setStage(
  bench: Pick<Bench, 'env' | 'bin'>,
  scope: Scope,
  site: Site,
  row: RowKind,
): Promise<Stage> {
  const [first, last] = [site.spots[0], site.spots[row.registries - 1]];
  if (!first || !last) throw new Error(`${row.name} needs ${row.registries} registries`);
  const path = `bench/${row.name}`;
  const tags = tagsOf(row);
  await fill(first.behind, path, row);
  if (row.moreTags) await addTags(first, path, row.moreTags);
  const work = await temporaryDirectory(scope);
  const disk = { store: join(work, 'store'), layouts: join(work, 'layouts') };
  const from: At = { host: first.host, path, tags };
  const to: At = { host: last.host, path: `${path}-copy`, tags };
  if (row.pushes) {
    // Pulled under another name, so that the store knows no repository of this registry to mount from.
    const behind: At = { ...from, host: first.behind };
    await prepare(bench, behind, to, disk);
    await again(bench, behind, from, disk.store);
  }
  return { site, from, to, disk, target: join(work, 'target') };
}

/** What commands need in their environment to find the stage's directories. */
export function stageEnv({ disk, target }: Stage, { pushes }: RowKind): Readonly<Record<string, string>> {
  return { OCICTL_ROOT: pushes ? disk.store : target };
}

async function again(bench: Pick<Bench, 'env' | 'bin'>, from: At, to: At, store: string): Promise<void> {
  for (const tag of from.tags) {
    const words = [process.execPath, bench.bin, 'tag', ref(from, tag), ref(to, tag)];
    await measure(words, { env: { ...bench.env, OCICTL_ROOT: store } });
  }
}

/** More names of `v1`, beside the server: docker-registry refuses some of many that come at the same time. */
async function addTags({ behind, registry, root }: Spot, path: string, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, i) => `tag-${String(i).padStart(5, '0')}`);
  if (registry) {
    const { mediaType, bytes } = await manifestOf(`http://${behind}/v2/${path}/manifests/v1`);
    await registry.pushManifest(parseRepositoryName(path), { mediaType, bytes }, { tags: names.map(parseTag) });
    return;
  }
  if (root === undefined) throw new Error(`${behind} cannot be given tags`);
  const tags = join(root, 'docker/registry/v2/repositories', path, '_manifests', 'tags');
  const link = await readFile(join(tags, 'v1', 'current', 'link'));
  for (const name of names) {
    await mkdir(join(tags, name, 'current'), { recursive: true });
    await writeFile(join(tags, name, 'current', 'link'), link);
  }
}

async function manifestOf(url: string): Promise<{ readonly mediaType: string; readonly bytes: Uint8Array }> {
  const response = await fetch(url, { headers: { accept: '*/*' } });
  const mediaType = response.headers.get('content-type') ?? '';
  return { mediaType, bytes: new Uint8Array(await response.arrayBuffer()) };
}

/** Takes away what was learned in earlier runs: facts of hosts and tokens, but not Node's compiled code. */
export async function forget(env: Readonly<Record<string, string>>): Promise<void> {
  const [cache, run] = [env['XDG_CACHE_HOME'] ?? '', env['XDG_RUNTIME_DIR'] ?? ''];
  for (const name of await readdir(join(cache, 'ocictl')).catch(() => [])) {
    if (name !== 'code') await rm(join(cache, 'ocictl', name), { recursive: true, force: true });
  }
  await rm(run, { recursive: true, force: true });
  await mkdir(run, { mode: 0o700 });
}
