import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { type Built, buildArtifact, pushImage } from '../../support/images.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, assertWhole, buildDemoIndex, imageFor, one, type Place, startPlace, writes } from './places.ts';

describe('ocictl copy --plan and --apply', () => {
  it('copies what the plan says, to each of its destinations', async (t) => {
    const { from, to, index } = await places(t);
    const other = await startPlace(t);
    const words = [`${from.host}/team/app:1`, `${to.host}/team/app:1`, `${other.host}/team/app:1`];
    const planned = await ocictl(t, ['copy', '--plan', 'plan.json', '--referrers', ...words]);
    assert.equal(planned.exitCode, 12, planned.stderr);
    assert.deepEqual([writes(to.proxy), writes(other.proxy)], [[], []]);
    const plan = JSON.parse(await readFile(join((await sandbox(t)).home, 'plan.json'), 'utf8')) as Plan;
    assert.deepEqual([plan.ocictlPlan, plan.copies.length], [1, 2]);
    assert.equal(plan.copies[0]?.preview.digest, index.descriptor.digest);
    const applied = await ocictl(t, ['copy', '--apply', 'plan.json', '--check']);
    assert.deepEqual([applied.exitCode, applied.stdout], [0, `${words.slice(1).join('\n')}\n`], applied.stderr);
    for (const { registry } of [to, other]) await assertWhole(registry, app, index);
    const again = await ocictl(t, ['copy', '--apply', 'plan.json', '--json']);
    assert.equal(again.exitCode, 0, again.stderr);
    assert.ok(again.stdout.split('\n').every((line) => line === '' || line.includes('"changed":false')));
  });

  it('refuses where the source has moved since, before anything is written: status 9', async (t) => {
    const { from, to } = await places(t);
    await plan(t, from, to);
    await pushImage(from.registry, app, one, await imageFor('arm64', ['newer']));
    await refused(t, to, /team\/app:1 is sha256:\w+ now, and sha256:\w+ in the plan\nhint: make the plan again/);
  });

  it('refuses where the tag at the destination has moved since, or something was signed', async (t) => {
    const { from, to, index } = await places(t);
    await plan(t, from, to);
    await pushImage(to.registry, app, one, await imageFor('arm64', ['another']));
    await refused(t, to, /the tag 1 of \S+ is sha256:\w+ now, and was not there/);
    await to.registry.deleteTag(app, one);
    const referrer = await buildArtifact({ artifactType: 'a/parts', subject: index.descriptor });
    await pushImage(from.registry, app, undefined, referrer);
    await refused(t, to, /what belongs to \S+ has changed since the plan was made/);
  });

  it('refuses a plan of another version (9), and a file that is none (2)', async (t) => {
    const { from, to } = await places(t);
    await plan(t, from, to);
    const file = join((await sandbox(t)).home, 'plan.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('"ocictlPlan": 1', '"ocictlPlan": 2'));
    await refused(t, to, /is of another version/);
    for (const broken of ['', '[]', '{}', '{"ocictlPlan":1}', text.replace('"tags": [', '"tags": [null, ')]) {
      await writeFile(file, broken);
      const { exitCode, stderr } = await ocictl(t, ['copy', '--apply', 'plan.json']);
      assert.equal(exitCode, 2, stderr);
      assert.match(stderr, /cannot read the plan "plan\.json": /);
    }
    assert.equal((await ocictl(t, ['copy', '--apply', 'none.json'])).exitCode, 2);
    assert.equal((await ocictl(t, ['copy', '--apply', 'plan.json', 'a', 'b'])).exitCode, 2);
  });

  it('asks nobody before it is known that the plan can be written: status 10', async (t) => {
    const { from, to } = await places(t);
    const before = from.proxy.requests.length;
    const words = [`${from.host}/team/app:1`, `${to.host}/team/app:1`];
    const { exitCode, stderr } = await ocictl(t, ['copy', '--plan', 'absent/plan.json', ...words]);
    assert.equal(exitCode, 10, stderr);
    assert.match(stderr, /^error: cannot write the plan absent\/plan\.json: there is no directory absent\nhint: /m);
    assert.deepEqual([from.proxy.requests.length - before, to.proxy.requests.length], [0, 0]);
  });
});

interface Plan {
  readonly ocictlPlan: number;
  readonly copies: readonly { readonly preview: { readonly digest: string } }[];
}

async function places(t: TestContext): Promise<{ from: Place; to: Place; index: Built }> {
  const [from, to] = [await startPlace(t), await startPlace(t)];
  const { index } = await buildDemoIndex();
  await pushImage(from.registry, app, one, index);
  return { from, to, index };
}

async function plan(t: TestContext, from: Place, to: Place): Promise<void> {
  const words = ['--referrers', `${from.host}/team/app:1`, `${to.host}/team/app:1`];
  const { exitCode, stderr } = await ocictl(t, ['copy', '--plan', 'plan.json', ...words]);
  assert.equal(exitCode, 12, stderr);
}

async function refused(t: TestContext, to: Place, message: RegExp): Promise<void> {
  const before = to.proxy.requests.length;
  const { exitCode, stdout, stderr } = await ocictl(t, ['copy', '--apply', 'plan.json']);
  assert.deepEqual([exitCode, stdout], [9, ''], stderr);
  assert.match(stderr, message);
  assert.deepEqual(writes(to.proxy, before), []);
}
