import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl, spawnOcictl } from '../../support/command.ts';
import { type Built, buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { app, startPlace, writes } from '../copy/places.ts';

const dayMs = 86_400_000;
const builtBefore = (days: number, name = ''): Promise<Built> =>
  buildImage({ layers: [{ files: { name: `${days}${name}` } }], created: new Date(Date.now() - days * dayMs) });
const [today, week, month, year] = [
  await builtBefore(0),
  await builtBefore(7),
  await builtBefore(40),
  await builtBefore(365),
];
const reproducible = await buildImage({ layers: [{ files: { a: 'a' } }], created: new Date(0) });

/** A registry whose team/app has these tags, behind a proxy. */
async function startTagged(t: TestContext, tags: Readonly<Record<string, Built>>) {
  const place = await startPlace(t);
  for (const [tag, built] of Object.entries(tags)) await pushImage(place.registry, app, parseTag(tag), built);
  const name = `${place.host}/team/app`;
  const left = async (): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const tag of place.registry.tags(app)) found.push(tag);
    return found;
  };
  return { ...place, name, left };
}

const dated = { 'pr-1': year, 'pr-2': month, 'pr-3': week, 'pr-4': today, 'pr-5': reproducible, stable: year };

/** DELETE by tag, as docker-registry 2.8 answers it. */
const byDigestOnly = {
  method: 'DELETE',
  path: /\/manifests\/(?!sha256:)/,
  status: 400,
  body: JSON.stringify({ errors: [{ code: 'DIGEST_INVALID', message: 'provided digest did not match' }] }),
  headers: { 'content-type': 'application/json' },
};

describe('ocictl delete by rules', () => {
  const cases: readonly (readonly [title: string, words: readonly string[], gone: readonly string[]])[] = [
    ['deletes the tags that match', ['--match', 'pr-[12]'], ['pr-1', 'pr-2']],
    ['deletes those that match and are older', ['--match', 'pr-*', '--older-than', '30d'], ['pr-1', 'pr-2']],
    ['leaves the youngest', ['--match', 'pr-*', '--keep', '3'], ['pr-1']],
    [
      'leaves an old tag that is one of the youngest',
      ['--match', 'pr-[12]', '--older-than', '1d', '--keep', '1'],
      ['pr-1'],
    ],
    [
      'leaves a young tag that is none of the youngest',
      ['--match', 'pr-*', '--older-than', '2w', '--keep', '1'],
      ['pr-1', 'pr-2'],
    ],
    ['looks at all tags without a pattern', ['--older-than', '52w'], ['pr-1', 'stable']],
    ['deletes nothing where all stay', ['--older-than', '900d'], []],
  ];
  for (const [title, words, gone] of cases) {
    it(`${title}: ${words.join(' ')}`, async (t) => {
      const { name, left } = await startTagged(t, dated);
      const would = await ocictl(t, ['delete', '--dry-run', ...words, name]);
      assert.equal(would.exitCode, gone.length > 0 ? 12 : 0, would.stderr);
      assert.equal(would.stdout, gone.map((tag) => `Would delete: ${name}:${tag}\n`).join(''));
      assert.equal((await left()).length, 6);
      const { exitCode, stdout, stderr } = await ocictl(t, ['delete', '--yes', ...words, name]);
      assert.deepEqual([exitCode, stdout], [0, gone.map((tag) => `Deleted: ${name}:${tag}\n`).join('')], stderr);
      assert.deepEqual(
        await left(),
        Object.keys(dated).filter((tag) => !gone.includes(tag)),
      );
      assert.match(stderr, new RegExp(`^${gone.length} of 6 tags of ${name} deleted$`, 'm'));
    });
  }

  it('leaves a tag whose image has no time, or cannot be read, and says so', async (t) => {
    const { name, proxy } = await startTagged(t, dated);
    proxy.fail({ method: 'GET', path: /manifests\/pr-1$/, status: 404 });
    const { stdout, stderr } = await ocictl(t, ['delete', '--yes', '--match', 'pr-*', '--older-than', '1d', name]);
    assert.equal(stdout, `Deleted: ${name}:pr-2\nDeleted: ${name}:pr-3\n`);
    assert.match(stderr, /team\/app:pr-5 stays: nothing says when its image was built$/m);
    assert.match(stderr, /team\/app:pr-1 stays: its image cannot be read$/m);
  });

  it('leaves tags that belong to an image, unless the pattern is for them', async (t) => {
    const tag = `sha256-${'a'.repeat(64)}.sig`;
    const { name, left } = await startTagged(t, { [tag]: year, old: year, new: today });
    await ocictl(t, ['delete', '--yes', '--older-than', '30d', name]);
    assert.deepEqual(await left(), ['new', tag]);
    const { exitCode } = await ocictl(t, ['delete', '--yes', '--match', 'sha256-*.sig', name]);
    assert.deepEqual([exitCode, await left()], [0, ['new']]);
  });

  it('asks for as little as the rules need', async (t) => {
    const { name, proxy } = await startTagged(t, dated);
    await ocictl(t, ['delete', '--yes', '--match', 'pr-[123]', name]);
    assert.deepEqual(proxy.requests.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`).sort(), [
      ...['pr-1', 'pr-2', 'pr-3'].map((tag) => `DELETE /v2/team/app/manifests/${tag}`),
      'GET /v2/team/app/tags/list',
    ]);
  });

  it('leaves a tag that was moved since it was looked at', async (t) => {
    const { name, registry, proxy, left } = await startTagged(t, { a: year, b: year, c: month });
    // The answers wait, so that there is time between the look and the removal.
    proxy.fail({ method: 'GET', path: /\/blobs\//, delayMs: 700, times: 1 });
    const running = await spawnOcictl(t, ['delete', '--yes', '--match', '[ab]', '--older-than', '30d', name]);
    while (proxy.count(/\/blobs\//) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await registry.pushManifest(app, month.manifest, { tags: [parseTag('b')] });
    const { exitCode, stdout, stderr } = await running.result;
    assert.deepEqual([exitCode, stdout], [0, `Deleted: ${name}:a\n`]);
    assert.match(stderr, /team\/app:b stays: it points at another image by now$/m);
    assert.deepEqual(await left(), ['b', 'c']);
  });

  it('goes on after a tag that the registry does not let go: status 8', async (t) => {
    const { name, proxy, left } = await startTagged(t, dated);
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'the tag is immutable' }] });
    proxy.fail({ method: 'DELETE', path: /pr-2$/, status: 403, body, headers: { 'content-type': 'application/json' } });
    const { exitCode, stdout, stderr } = await ocictl(t, ['delete', '--yes', '--match', 'pr-[123]', name]);
    assert.deepEqual([exitCode, stdout], [8, `Deleted: ${name}:pr-1\nDeleted: ${name}:pr-3\n`], stderr);
    assert.match(stderr, /team\/app:pr-2: .*immutable/);
    assert.ok((await left()).includes('pr-2'));
  });

  it('prints one JSON document', async (t) => {
    const { name } = await startTagged(t, { a: year, b: today });
    const { digest } = year.descriptor;
    for (const [word, dryRun] of [
      ['--dry-run', true],
      ['--yes', false],
    ] as const) {
      const { stdout } = await ocictl(t, ['delete', '--json', word, '--older-than', '30d', name]);
      const document = JSON.parse(stdout) as { deleted: { created: string }[] };
      const [{ created } = { created: '' }] = document.deleted;
      assert.ok(Date.parse(created) < Date.now() - 364 * dayMs);
      assert.deepEqual(document, {
        repository: name,
        dryRun,
        deleted: [{ tag: 'a', digest, created }],
        kept: [{ tag: 'b', reason: 'it is not older than 30d' }],
      });
    }
  });
});

describe('ocictl delete by rules, where a registry deletes by digest only', () => {
  it('deletes manifests that no remaining tag needs, and names kept tags with the reason', async (t) => {
    const part = await builtBefore(50, 'part');
    const [index, both] = [await buildIndex([part]), await builtBefore(60, 'both')];
    const tags = { 'pr-1': year, 'pr-2': month, 'pr-3': part, 'pr-4': both, 'pr-5': both, list: index, stable: month };
    const { name, proxy, registry, left } = await startTagged(t, tags);
    proxy.fail(byDigestOnly);
    const { exitCode, stdout, stderr } = await ocictl(t, ['delete', '--yes', '--match', 'pr-*', name]);
    assert.deepEqual(
      [exitCode, stdout],
      [0, ['pr-1', 'pr-4', 'pr-5'].map((tag) => `Deleted: ${name}:${tag}\n`).join('')],
      stderr,
    );
    const why = 'the registry deletes no tag alone, and';
    assert.ok(stderr.includes(`${name}:pr-2 stays: ${why} ${name}:stable, which stays, is the same image\n`), stderr);
    assert.ok(stderr.includes(`${name}:pr-3 stays: ${why} ${name}:list, which stays, needs it\n`), stderr);
    assert.deepEqual(await left(), ['list', 'pr-2', 'pr-3', 'stable']);
    for (const { descriptor } of [month, part, index]) await registry.statManifest(app, descriptor.digest);
    // One was tried by its tag; two tags of one manifest are one DELETE.
    const deletes = [year, both].map(({ descriptor }) => `DELETE /v2/team/app/manifests/${descriptor.digest}`);
    assert.deepEqual(writes(proxy).sort(), ['DELETE /v2/team/app/manifests/pr-1', ...deletes].sort());
  });

  it('deletes nothing if it cannot read what other tags need', async (t) => {
    const { name, proxy, left } = await startTagged(t, { a: year, b: month });
    proxy.fail(byDigestOnly);
    proxy.fail({ path: /manifests\/b$/, status: 403 });
    const { exitCode, stdout } = await ocictl(t, ['delete', '--yes', '--match', 'a', name]);
    assert.deepEqual([exitCode, stdout], [4, '']);
    assert.deepEqual(await left(), ['a', 'b']);
  });

  it('says that deletes are turned off, where they are', async (t) => {
    const { name, proxy, left } = await startTagged(t, { a: year, b: month });
    proxy.fail({ method: 'DELETE', status: 405 });
    const { exitCode, stdout, stderr } = await ocictl(t, ['delete', '--yes', '--match', 'a', name]);
    assert.deepEqual([exitCode, stdout], [1, '']);
    assert.match(stderr, /deletes are disabled there/);
    assert.deepEqual(await left(), ['a', 'b']);
  });
});

describe('ocictl delete by rules asks', () => {
  it('for --yes without a terminal, and says how many: status 9', async (t) => {
    const { name, proxy } = await startTagged(t, dated);
    const some = await ocictl(t, ['delete', '--match', 'pr-*', name]);
    assert.deepEqual([some.exitCode, some.stdout], [9, '']);
    assert.match(some.stderr, new RegExp(`this would delete 5 of 6 tags of ${name}\nhint: .*--yes.*--dry-run`));
    const all = await ocictl(t, ['delete', '--match', '*', name]);
    assert.equal(all.exitCode, 9);
    assert.match(all.stderr, /this would delete all 6 tags of/);
    assert.equal(proxy.count(undefined, 'DELETE'), 0);
  });

  for (const [answer, exit, gone] of [
    ['y', 0, 2],
    ['', 9, 0],
    ['no', 9, 0],
  ] as const) {
    it(`at a terminal, where ${answer === '' ? 'nothing' : answer} is the answer`, async (t) => {
      const { name, left } = await startTagged(t, dated);
      const running = await spawnOcictl(t, ['delete', '--match', 'pr-[12]', name], { tty: true, typing: true });
      await running.waitFor(/Delete 2 of 6 tags of \S+\? \[y\/N\] /);
      running.child.stdin?.write(`${answer}\r`);
      const { exitCode, stdout } = await running.result;
      assert.equal(exitCode, exit, stdout);
      assert.match(stdout, /team\/app:pr-1\r\n\S*team\/app:pr-2\r\n/);
      assert.equal((await left()).length, 6 - gone);
    });
  }

  it('for --yes at a terminal too, with --json: a question is no JSON', async (t) => {
    const { name, left } = await startTagged(t, dated);
    const { exitCode, stdout } = await ocictl(t, ['delete', '--json', '--match', 'pr-[12]', name], { tty: true });
    assert.equal(exitCode, 9, stdout);
    assert.doesNotMatch(stdout, /\[y\/N\]/);
    assert.equal((await left()).length, 6);
  });

  it('for --yes at a terminal too, where all tags would go', async (t) => {
    const { name, left } = await startTagged(t, { a: year, b: year });
    const { exitCode, stdout } = await ocictl(t, ['delete', '--keep', '0', name], { tty: true });
    assert.equal(exitCode, 9, stdout);
    assert.match(stdout, /this would delete all 2 tags of/);
    assert.equal((await ocictl(t, ['delete', '--yes', '--keep', '0', name])).exitCode, 0);
    assert.deepEqual(await left(), []);
  });

  const refusals: readonly (readonly [string, (name: string) => readonly string[], number, RegExp])[] = [
    ['a pattern that matches nothing', (name) => ['--match', 'x*', name], 3, /has no tag that matches x\*/],
    ['a repository that is not there', (name) => ['--match', 'x*', `${name}/none`], 3, /team\/app\/none/],
    ['a tag', (name) => ['--match', 'x*', `${name}:1`], 2, /names one image/],
    ['two repositories', (name) => ['--keep', '1', name, name], 2, /tags of one repository/],
    ['a pattern that is none', (name) => ['--match', '[', name], 2, /--match takes a pattern/],
    ['an age that is none', (name) => ['--older-than', '30', name], 2, /--older-than takes an age, not "30"\n.*30d/],
    ['no number', (name) => ['--keep', 'ten', name], 2, /--keep takes a whole number/],
    ['the local store', () => ['--keep', '1', 'store:app'], 2, /ocictl rmi/],
  ];
  for (const [title, words, status, message] of refusals) {
    it(`refuses ${title} with status ${status}`, async (t) => {
      const { name } = await startTagged(t, { a: year });
      const { exitCode, stdout, stderr } = await ocictl(t, ['delete', '--yes', ...words(name)]);
      assert.deepEqual([exitCode, stdout], [status, ''], stderr);
      assert.match(stderr, message);
    });
  }
});

describe('ocictl delete --dry-run of references', () => {
  it('lists what would be deleted, and ends with 12', async (t) => {
    const { name, proxy } = await startTagged(t, { a: year, b: year });
    const tag = await ocictl(t, ['delete', '--dry-run', `${name}:a`]);
    assert.deepEqual([tag.exitCode, tag.stdout], [12, `Would delete: ${name}:a\n`]);
    const { digest } = year.descriptor;
    const whole = await ocictl(t, ['delete', '--dry-run', `${name}@${digest}`]);
    const names = [`${name}@${digest}`, `${name}:a`, `${name}:b`];
    assert.deepEqual([whole.exitCode, whole.stdout], [12, names.map((each) => `Would delete: ${each}\n`).join('')]);
    assert.equal((await ocictl(t, ['delete', '--dry-run', `${name}:none`])).exitCode, 3);
    assert.equal(proxy.count(undefined, 'DELETE'), 0);
  });
});
