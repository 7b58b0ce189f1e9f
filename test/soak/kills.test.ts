import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { ocictl, spawnOcictl, spawnServe } from '../support/command.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { sandbox } from '../support/sandbox.ts';
import { kills, oneOf } from './bars.ts';
import { assertNothingElse, openStore, tagsOf } from './reached.ts';

const names = ['a', 'b', 'c', 'd', 'e'];
/** Pulled only at the end. */
const late = 'late';
const repo = parseRepositoryName('team/app');

/** A user's store, a registry, and what was confirmed about both. */
interface World {
  readonly t: TestContext;
  readonly host: string;
  /** What must be in the store, by name. */
  readonly stored: Set<string>;
  /** What must be in the registry in addition to its first images, as `repository:tag`. */
  readonly pushed: Set<string>;
}

/** Runs a command and kills it unless it ends first. @returns Whether it succeeded. */
type Run = (words: readonly string[]) => Promise<boolean>;

const operations: Readonly<Record<string, (world: World, run: Run) => Promise<void>>> = {
  async pull({ host, stored }, run) {
    const name = oneOf(names);
    if (await run(['pull', '-q', `${host}/team/app:${name}`])) stored.add(name);
  },
  async rmi({ host, stored }, run) {
    const name = oneOf([...stored, ...names]);
    // The removal may delete it before it is killed, so it need no longer be there.
    stored.delete(name);
    await run(['rmi', '--force', `${host}/team/app:${name}`]);
  },
  async push({ t, host, stored, pushed }, run) {
    const [name = oneOf(names)] = [...stored];
    const [source, to] = [`${host}/team/app:${name}`, `team/${oneOf(names)}:${name}`];
    if (!stored.has(name)) await done(t, ['pull', '-q', source]);
    stored.add(name);
    await done(t, ['tag', source, `${host}/${to}`]);
    if (await run(['push', '-q', `${host}/${to}`])) pushed.add(to);
    await done(t, ['rmi', `${host}/${to}`]);
  },
};

async function done(t: TestContext, words: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await ocictl(t, words);
  assert.equal(exitCode, 0, `ocictl ${words.join(' ')}: ${stderr}`);
}

describe('pulls, removals and pushes that are killed', () => {
  it(`${kills} times, leave all that tags reach, and after a collection nothing else`, async (t) => {
    const { home, store } = await sandbox(t);
    const root = join(home, 'images');
    const serving = await spawnServe(t, ['--root', root]);
    await fill(root);
    const world: World = { t, host: serving.host, stored: new Set(), pushed: new Set() };
    t.diagnostic(`killed: ${JSON.stringify(await killAgainAndAgain(world))}`);

    await assertThere(world, store, root);
    // The server still keeps what killed clients have uploaded, as their manifests might follow.
    const collection = ['storage', 'gc', '--root', root, '--grace', '0', '--untagged'];
    await done(t, collection);
    await assertThere(world, store, root);
    serving.child.kill('SIGTERM');
    await serving.result;
    await done(t, collection);
    await done(t, ['prune']);
    await assertThere(world, store, root);
    for (const place of [store, root]) await assertNothingElse(t, place);
  });
});

/** Images that share a layer, large enough that a kill interrupts the work. */
async function fill(root: string): Promise<void> {
  const registry = await openStore(root);
  const base = { base: randomBytes(3_000_000) };
  for (const name of [...names, late]) {
    const layers = [base, { [name]: randomBytes(1_000_000) }, { small: name }];
    const image = await buildImage({ layers: layers.map((files) => ({ files, compression: 'none' })) });
    await pushImage(registry, repo, parseTag(name), image);
  }
}

async function killAgainAndAgain(world: World): Promise<Readonly<Record<string, number>>> {
  const killed: Record<string, number> = {};
  const usualMs: Record<string, number> = {};
  let count = 0;
  const killing =
    (what: string): Run =>
    async (words) => {
      const began = performance.now();
      const running = await spawnOcictl(world.t, words);
      // The first command of a kind is not killed: it shows how long one takes on this machine.
      const usual = usualMs[what];
      const afterMs = usual === undefined ? 60_000 : Math.random() * usual;
      const timer = setTimeout(() => running.child.kill('SIGKILL'), afterMs);
      const { signal, exitCode, stderr } = await running.result;
      clearTimeout(timer);
      if (signal === 'SIGKILL') {
        killed[what] = (killed[what] ?? 0) + 1;
        count += 1;
        return false;
      }
      assert.equal(exitCode, 0, `ocictl ${words.join(' ')}: ${stderr}`);
      usualMs[what] = performance.now() - began;
      return true;
    };
  while (count < kills) {
    const what = oneOf(Object.keys(operations));
    await operations[what]?.(world, killing(what));
  }
  await killHalfway(world);
  return killed;
}

/** A removal tidies up after pulls that were killed: none comes after this one. */
async function killHalfway({ t, host }: World): Promise<void> {
  const proxy = await startFaultProxy(t, `http://${host}`);
  const blobs = /\/blobs\//;
  proxy.fail({ path: blobs, bytesPerSecond: 1_000_000 });
  const running = await spawnOcictl(t, ['pull', '-q', `${proxy.host}/team/app:${late}`]);
  while (proxy.sentBytes(blobs) < 500_000) {
    assert.equal(running.child.exitCode, null, running.output().stderr);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  running.child.kill('SIGKILL');
  await running.result;
}

/** Checks that everything confirmed is there, and that every image with a tag is complete. */
async function assertThere({ host, stored, pushed }: World, store: string, root: string): Promise<void> {
  const [local, remote] = [await tagsOf(store), await tagsOf(root)];
  for (const name of stored) assert.ok(local.has(`${host.replace(':', '_')}/team/app:${name}`), `${name} was pulled`);
  for (const name of [...names.map((name) => `team/app:${name}`), ...pushed]) {
    assert.ok(remote.has(name), `${name} was pushed`);
  }
}
