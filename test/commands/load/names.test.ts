/** An archive may give an image thousands of names: what that costs is counted here. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Context } from '../../../src/app/context.ts';
import { chooseImages } from '../../../src/commands/load/choose.ts';
import { LoadPlanner } from '../../../src/commands/load/plan.ts';
import { loadIntoStore } from '../../../src/commands/load/store.ts';
import { readManifest } from '../../../src/model/manifest/manifest.ts';
import { parseRepositoryName } from '../../../src/model/reference/reference.ts';
import { type LoadableArchive, openLoadable } from '../../../src/places/loadable-archive.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import type { Progress } from '../../../src/terminal/progress/progress.ts';
import type { Terminal } from '../../../src/terminal/terminal.ts';
import { hybridSave, layoutEntries } from '../../support/archives/docker-saves.ts';
import { ocictl } from '../../support/command.ts';
import { rawManifest } from '../../support/images.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { sandbox } from '../../support/sandbox.ts';
import { imageOf, writeTar } from './archived.ts';

/** An index of images of which only one is there. */
async function indexOfAbsent(t: TestContext, absent: number, names: readonly string[]): Promise<void> {
  const image = await imageOf(['a']);
  const { mediaType } = image.descriptor;
  const entries = Array.from({ length: absent }, (_, i) => {
    return { mediaType, digest: `sha256:${i.toString(16).padStart(64, '0')}`, size: 1 };
  });
  const raw = rawManifest('application/vnd.oci.image.index.v1+json', { manifests: [...entries, image.descriptor] });
  const { descriptor } = await readManifest(raw);
  const manifests = names.map((name) => {
    return { ...descriptor, annotations: { 'org.opencontainers.image.ref.name': name } };
  });
  await writeTar(t, [
    ...(await layoutEntries([image])),
    { name: `blobs/sha256/${descriptor.digest.slice(7)}`, content: raw.bytes },
    { name: 'index.json', content: JSON.stringify({ schemaVersion: 2, manifests }) },
  ]);
}

const namesOf = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `app:${i}`);

async function openArchive(t: TestContext): Promise<LoadableArchive> {
  const file = join((await sandbox(t)).home, 'x.tar');
  return await openLoadable(file, { stdin: () => process.stdin, signal: t.signal });
}

/** Loads x.tar into memory. @returns How often each of the ends was called, and what was printed. */
async function loadCounted(t: TestContext): Promise<{ calls: Record<string, number>; lines: readonly string[] }> {
  const { signal } = t;
  await using archive = await openArchive(t);
  const calls: Record<string, number> = {};
  const counted = (registry: Registry): Registry => {
    const count = (call: string): void => {
      calls[call] = (calls[call] ?? 0) + 1;
    };
    return {
      ...registry,
      extension: (key) => registry.extension(key),
      async getManifest(...words) {
        count('reads');
        return await registry.getManifest(...words);
      },
      async pushManifest(...words) {
        count('pushes');
        return await registry.pushManifest(...words);
      },
    };
  };
  const lines: string[] = [];
  const say = async (line: string): Promise<void> => void lines.push(line);
  const progress: Partial<Progress> = { event() {}, say };
  const terminal: Partial<Terminal> = { note() {} };
  const store = counted(memoryRegistry({ sparseIndexes: true }));
  const context = { signal, terminal, store: async () => store, parallelDownloads: async () => undefined };
  const counting = { ...archive, registry: counted(archive.registry) };
  const chosen = await chooseImages(counting, [], signal);
  const wish = { archive: counting, chosen, platforms: [], progress: progress as Progress, json: false };
  const outcome = await loadIntoStore(wish, context as Partial<Context> as Context);
  outcome.throwFailures();
  const tags: string[] = [];
  for await (const tag of store.tags(parseRepositoryName('docker.io/library/app'))) tags.push(tag);
  assert.equal(tags.length, lines.length);
  return { calls, lines };
}

describe('ocictl load of an image with many names in a repository', () => {
  it('reads and writes the image once, and prints a line for each name', async (t) => {
    const seen = [];
    for (const count of [1, 300]) {
      await indexOfAbsent(t, 50, namesOf(count));
      const { calls, lines } = await loadCounted(t);
      assert.deepEqual(
        lines,
        namesOf(count).map((name) => `Loaded image: ${name}`),
      );
      seen.push(calls);
    }
    assert.deepEqual(seen[1], seen[0]);
  });

  it('tells of each name whether it is new, and of the first what was transferred', async (t) => {
    const image = await imageOf(['a']);
    const load = async (...names: string[]): Promise<unknown> => {
      await writeTar(t, await hybridSave([{ image, names }]));
      const { exitCode, stdout, stderr } = await ocictl(t, ['load', '--json', '-i', 'x.tar']);
      assert.equal(exitCode, 0, stderr);
      const records = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      return records.map(({ reference, changed, transferredBytes }) => [reference, changed, transferredBytes]);
    };
    const bytes = image.blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    const app = 'docker.io/library/app';
    assert.deepEqual(await load('app:1', 'app:2'), [
      [`${app}:1`, true, bytes],
      [`${app}:2`, true, 0],
    ]);
    assert.deepEqual(await load('app:2', 'app:3'), [
      [`${app}:2`, false, 0],
      [`${app}:3`, true, 0],
    ]);
  });

  it('is refused where names and absent images are too many together, before anything is loaded', async (t) => {
    await indexOfAbsent(t, 3000, namesOf(400));
    const { exitCode, stdout, stderr } = await ocictl(t, ['load', '-i', 'x.tar']);
    assert.deepEqual([exitCode, stdout], [7, ''], stderr.slice(0, 500));
    assert.match(stderr, /^error: x\.tar gives large images too many names\nhint: choose some of them: /m);
  });
});

describe('ocictl load of an image with many names in as many repositories', () => {
  it('is refused before it has looked a hundred thousand times for images that are absent', async (t) => {
    await indexOfAbsent(t, 3000, ['app:1']);
    await using archive = await openArchive(t);
    const planner = new LoadPlanner(archive, { platforms: [], signal: t.signal });
    const [image] = archive.images;
    assert.ok(image);
    let plans = 0;
    const planAll = async (): Promise<void> => {
      for (; plans < 1000; plans += 1) await planner.plan(image, 1);
    };
    await assert.rejects(planAll(), { code: 'ARCHIVE_INVALID', message: /gives large images too many names/ });
    assert.ok(plans * 3000 < 100_000, `${plans} repositories`);
    await assert.rejects(planner.plan(image, 1), { code: 'ARCHIVE_INVALID' });
  });
});
