import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startDocker } from '../test/support/docker.ts';
import { findProgram, startDockerRegistry } from '../test/support/programs.ts';
import type { Scope } from '../test/support/sandbox.ts';
import { type Bench, scoped, tell } from './context.ts';
import { measure } from './measure.ts';
import { type At, docker, type OnDisk, ocictl, type Program, peers, ref, type Scheme } from './programs.ts';
import { type Runner, race } from './race.ts';
import type { Section } from './results.ts';
import { fill, type Shape, shapesOf, tagsOf } from './shapes.ts';

/** Pull, push and copy of every shape, between registries of docker-registry and directories, all on tmpfs. */
export async function* benchTransfers(bench: Bench): AsyncGenerator<Section> {
  for (const shape of shapesOf(bench)) {
    if (Date.now() < bench.until)
      yield* await scoped(bench, (scope, directory) => races(bench, shape, scope, directory));
  }
}

async function races(bench: Bench, shape: Shape, scope: Scope, directory: string): Promise<Section[]> {
  const source = await startDockerRegistry(scope, { root: join(directory, 'source') });
  const destination = await startDockerRegistry(scope, { root: join(directory, 'destination') });
  tell(`making ${shape.title}`);
  const from: At = { host: source.host, path: 'bench/image', tags: tagsOf(shape) };
  const to: At = { ...from, host: destination.host };
  await fill(from.host, from.path, shape);
  const disk: OnDisk = { store: join(directory, 'store'), layouts: join(directory, 'oci') };
  const target = join(directory, 'target');
  const emptied = (path: string) => () => rm(path, { recursive: true, force: true });
  // docker-registry keeps nothing in memory: without its directory it begins anew.
  const emptyDestination = emptied(join(destination.root, 'docker'));
  const programs = contenders(bench, 'http');
  const run = (part: string, title: string, runners: readonly Runner[]): Promise<Section> =>
    race(bench, { part, title: `${title} of ${shape.title}`, runners, base: (name) => isPeer(name) });
  const sections: Section[] = [];
  if (bench.only.includes('pull')) {
    const runners = programs.map(({ name, pull }) => {
      const env = { OCICTL_ROOT: target };
      return { name, commands: pull(from, target), env, before: emptied(target) };
    });
    sections.push(await run('pull', 'pull', [...runners, ...(await dockerPulls(bench, scope, from))]));
    await emptied(target)();
  }
  if (bench.only.includes('push')) {
    await prepare(bench, from, to, disk);
    const runners = programs.map(({ name, push }) => {
      const env = { OCICTL_ROOT: disk.store };
      return { name, commands: push(disk, to), env, before: emptyDestination };
    });
    sections.push(await run('push', 'push', runners));
  }
  if (bench.only.includes('copy')) {
    const runners = programs.map(({ name, copy }) => {
      const env = { OCICTL_ROOT: target };
      return { name, commands: copy(from, to), env, before: emptyDestination };
    });
    sections.push(await run('copy', 'copy between registries', runners));
  }
  return sections;
}

/** ocictl with every Node, and the peers that are there. */
export function contenders(bench: Bench, scheme: Scheme): Program[] {
  const found = peers(scheme).filter(({ name }) => findProgram(name) !== undefined);
  return [...bench.nodes.map((node) => ocictl(bench, node)), ...found];
}

/** docker is no base: it does more than the others. */
function isPeer(name: string): boolean {
  return peers('http').some((peer) => peer.name === name);
}

async function dockerPulls(bench: Bench, scope: Scope, from: At): Promise<Runner[]> {
  // Its daemon does the work, and only root can start one.
  if (!findProgram('dockerd') || !findProgram('docker') || process.getuid?.() !== 0) return [];
  const env = await startDocker(scope).catch((error: unknown) => tell(`without docker: ${error}`));
  if (!env) return [];
  const forget = () => measure(docker.remove(from), { env: { ...bench.env, ...env } }).catch(() => {});
  return [{ name: docker.name, commands: docker.pull(from), env, before: forget, elsewhere: true }];
}

/** The images as they lie before a push: in the local store under the name that is pushed, and as OCI layouts. */
export async function prepare(
  bench: Pick<Bench, 'env' | 'bin'>,
  from: At,
  to: At,
  { store, layouts }: OnDisk,
): Promise<void> {
  await mkdir(layouts);
  const run = (...words: string[]) =>
    measure([process.execPath, bench.bin, ...words], { env: { ...bench.env, OCICTL_ROOT: store } });
  for (const tag of from.tags) {
    await run('pull', '-q', ref(from, tag));
    await run('tag', ref(from, tag), ref(to, tag));
    await run('copy', '-q', `store:${ref(from, tag)}`, `oci:${join(layouts, tag)}:${tag}`);
  }
}
