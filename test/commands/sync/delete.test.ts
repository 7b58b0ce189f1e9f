import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { openMirror, pushTo } from './mirror.ts';

const file = (rules = '', to = 'DESTINATION/{{.Path}}'): string =>
  `to: '${to}'\nsources:\n  - from: SOURCE/team/app\n${rules}`;
const app = parseRepositoryName('team/app');

describe('sync --delete', () => {
  it('removes tags that are gone at the source, and says so', async (t) => {
    const { source, destination, push, sync, tags } = await openMirror(t);
    await push('team/app:1');
    await push('team/app:2');
    await sync(file());
    await source.registry.deleteTag(app, parseTag('1'));
    const dry = await sync(file(), '--delete', '--dry-run');
    assert.equal(dry.exitCode, 12);
    assert.equal(dry.stdout, `Would delete: ${destination.host}/team/app:1\n`);
    assert.match(dry.stderr, /^1 image: 0 would be copied, 1 unchanged, 1 would be deleted$/m);
    assert.equal((await sync(file())).stdout, '', 'without --delete it stays');
    assert.equal(await tags('team/app'), '1 2');
    const { exitCode, stdout, stderr } = await sync(file(), '--delete');
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, `Deleted: ${destination.host}/team/app:1\n`);
    assert.equal(await tags('team/app'), '2');
    assert.equal((await sync(file(), '--delete', '--dry-run')).exitCode, 0);
  });

  it('removes only what the rules cover, and what is not among the newest any more', async (t) => {
    const { destination, push, sync, tags } = await openMirror(t);
    for (const tag of ['1.0', '1.1', '1.2', 'edge']) await push(`team/app:${tag}`);
    for (const tag of ['0.9', '1.0', 'local', `sha256-${'a'.repeat(64)}.sig`]) {
      await pushTo(destination.registry, `team/app:${tag}`);
    }
    const rules = "    tags: {match: '1.*', newest: 2}";
    assert.equal((await sync(file(rules), '--delete')).exitCode, 0);
    assert.equal(await tags('team/app'), `0.9 1.1 1.2 local sha256-${'a'.repeat(64)}.sig`);
  });

  it('keeps signature tags that the source does not have', async (t) => {
    const { destination, push, sync, tags } = await openMirror(t);
    await push('team/app:1');
    const signature = `sha256-${'a'.repeat(64)}.sig`;
    for (const tag of ['2', signature]) await pushTo(destination.registry, `team/app:${tag}`);
    assert.equal((await sync(file(), '--delete')).exitCode, 0);
    assert.equal(await tags('team/app'), `1 ${signature}`);
  });

  it('finds the tag of the source in the middle of a name, and keeps what another source has', async (t) => {
    const { destination, push, sync, tags } = await openMirror(t);
    for (const name of ['team/app:1', 'team/app-b:1']) await push(name);
    for (const tag of ['app-old-x', 'app-b-1-x', 'other-1-x', 'app-1']) {
      await pushTo(destination.registry, `all:${tag}`);
    }
    const text = file('  - from: SOURCE/team/app-b\n', 'DESTINATION/all:{{.Name}}-{{.Tag}}-x');
    assert.equal((await sync(text, '--delete')).exitCode, 0);
    assert.equal(await tags('all'), 'app-1 app-1-x app-b-1-x other-1-x');
  });

  it('refuses a name that does not tell the tag', async (t) => {
    const { push, sync } = await openMirror(t);
    await push('team/app:1');
    for (const to of ['{{lower .Tag}}', '{{.Tag}}-{{.Tag}}', 'x{{truncate .Tag 3}}']) {
      const { exitCode, stderr } = await sync(file('', `DESTINATION/all:${to}`), '--delete');
      assert.equal(exitCode, 2);
      assert.match(stderr, /mirror\.yaml:1:5: .* does not tell which tag an image had at its source/);
    }
  });

  it('removes nothing where the list is empty, has nothing that is wanted, or cannot be read', async (t) => {
    const { source, destination, push, sync, tags } = await openMirror(t);
    await push('team/app:1');
    await sync(file());
    const gone = await sync(
      "to: 'DESTINATION/team/app'\nsources: [{from: SOURCE/team/none}]",
      '--delete',
      '--keep-going',
    );
    assert.equal(gone.exitCode, 3);
    const unwanted = await sync(file("    tags: '9.*'"), '--delete', '--keep-going');
    assert.equal(unwanted.exitCode, 3);
    await source.registry.deleteTag(app, parseTag('1'));
    const empty = await sync(file(), '--delete', '--keep-going');
    assert.equal(empty.exitCode, 3, empty.stderr);
    assert.equal(await tags('team/app'), '1');
    await pushTo(destination.registry, 'all:app-1');
    await pushTo(destination.registry, 'all:tool-1');
    await push('team/tool:2');
    // The other source has images in the same repository, of which nothing is known.
    const shared = file('  - from: SOURCE/team/tool\n', 'DESTINATION/all:{{.Name}}-{{.Tag}}');
    assert.equal((await sync(shared, '--delete', '--keep-going')).exitCode, 8);
    assert.equal(await tags('all'), 'app-1 tool-1 tool-2');
  });

  it('removes names of a layout', async (t) => {
    const { source, push, sync } = await openMirror(t);
    await push('team/app:1');
    await push('team/app:2');
    const text = file('', 'oci:dir:{{.Registry}}/{{.Path}}');
    await sync(text);
    await source.registry.deleteTag(app, parseTag('1'));
    const { exitCode, stdout, stderr } = await sync(text, '--delete');
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, `Deleted: oci:dir:${source.host}/team/app:1\n`);
    assert.equal((await sync(text, '--delete', '--dry-run')).exitCode, 0);
  });
});
