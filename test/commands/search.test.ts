import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { ocictl } from '../support/command.ts';
import { type FakeServer, json, startFakeServer } from '../support/fake-server.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';
import { startServe } from '../support/registries.ts';

const long = 'Sixty characters of description, more than a table shows ok?';

function startSearch(t: TestContext): Promise<FakeServer> {
  return startFakeServer(t, ({ path }, response) => {
    if (path === '/v1/_ping') return json(response, 200, true);
    const results = [
      { name: 'nginx', description: long, star_count: 20_000, is_official: true },
      { name: 'ada/nginx', description: 'Mine', star_count: 2 },
    ];
    return json(response, 200, { results });
  });
}

describe('ocictl search', () => {
  it('prints the table that docker prints', async (t) => {
    const { host } = await startSearch(t);
    const { exitCode, stdout, stderr } = await ocictl(t, ['search', `${host}/nginx`]);
    assert.deepEqual([exitCode, stderr], [0, '']);
    assert.deepEqual(stdout.split('\n'), [
      'NAME        DESCRIPTION                                     STARS     OFFICIAL',
      'nginx       Sixty characters of description, more than a…   20000     [OK]',
      'ada/nginx   Mine                                            2',
      '',
    ]);
  });

  it('does not shorten with --no-trunc', async (t) => {
    const { host } = await startSearch(t);
    const { stdout } = await ocictl(t, ['search', '--no-trunc', `${host}/nginx`]);
    assert.match(stdout, new RegExp(`^nginx {7}${long.replace('?', '\\?')} {3}20000`, 'm'));
  });

  it('prints an object a line as JSON, with strings for values', async (t) => {
    const { host } = await startSearch(t);
    for (const words of [['--json'], ['--format', 'json']]) {
      const { stdout } = await ocictl(t, ['search', ...words, `${host}/nginx`]);
      assert.deepEqual(stdout.trimEnd().split('\n'), [
        `{"Description":"${long}","IsOfficial":"true","Name":"nginx","StarCount":"20000"}`,
        '{"Description":"Mine","IsOfficial":"false","Name":"ada/nginx","StarCount":"2"}',
      ]);
    }
  });

  it('prints with a template, also as a table', async (t) => {
    const { host } = await startSearch(t);
    const plain = await ocictl(t, ['search', '--format', '{{.Name}} {{.IsOfficial}}', `${host}/nginx`]);
    assert.equal(plain.stdout, 'nginx [OK]\nada/nginx \n');
    const table = await ocictl(t, ['search', '--format', 'table {{.Name}}\\t{{.StarCount}}', `${host}/nginx`]);
    assert.match(table.stdout, /^NAME +STARS\nnginx +20000\nada\/nginx +2\n$/);
    const wrong = await ocictl(t, ['search', '--format', '{{.Colour}}', `${host}/nginx`]);
    assert.deepEqual([wrong.exitCode, wrong.stdout], [2, '']);
  });

  it('filters and limits', async (t) => {
    const server = await startSearch(t);
    const words = ['search', '--limit', '7', '-f', 'is-official=true', '--filter', 'stars=3'];
    const { stdout } = await ocictl(t, [...words, '--format', '{{.Name}}', `${server.host}/nginx`]);
    assert.equal(stdout, 'nginx\n');
    assert.deepEqual(Object.fromEntries(server.requests.at(-1)?.query ?? []), { q: 'nginx', n: '7' });
  });

  for (const [words, message] of [
    [['--limit', '101'], /limit 101 is outside the range of \[1, 100\]/],
    [['--limit', 'ten'], /invalid limit "ten"/],
    [['--filter', 'color=red'], /invalid filter 'color'/],
  ] as const) {
    it(`ends with status 2 for ${words.join(' ')}`, async (t) => {
      const { exitCode, stdout, stderr } = await ocictl(t, ['search', ...words, '127.0.0.1:1/x']);
      assert.deepEqual([exitCode, stdout], [2, '']);
      assert.match(stderr, message);
    });
  }

  it('finds what ocictl serve serves', async (t) => {
    const registry = memoryRegistry();
    const image = await buildImage({ layers: [{ files: { a: 'a' } }] });
    for (const name of ['team/app', 'app']) {
      await pushImage(registry, parseRepositoryName(name), parseTag('1'), image);
    }
    const { host } = await startServe(t, { registry });
    const { stdout, stderr } = await ocictl(t, ['search', '--format', '{{.Name}}', `${host}/app`]);
    assert.deepEqual([stdout, stderr], ['app\nteam/app\n', '']);
  });

  it('says once that it looked through the catalog, where there is no search', async (t) => {
    const server = await startFakeServer(t, ({ path }, response) => {
      if (path === '/v2/_catalog') json(response, 200, { repositories: ['a/redis', 'nginx', 'redis'] });
      else response.writeHead(404).end();
    });
    const { exitCode, stdout, stderr } = await ocictl(t, ['search', `${server.host}/redis`]);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stderr, `${server.host} has no search: these are names out of its list of repositories\n`);
    assert.deepEqual(stdout.split('\n').slice(1), ['redis                   0', 'a/redis                 0', '']);
  });
});
