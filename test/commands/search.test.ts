import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { ocictl } from '../support/command.ts';
import { type FakeServer, json, startFakeServer } from '../support/fake-server.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { buildImage, buildIndex, pushImage } from '../support/images.ts';
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
    [['--limit', '-1'], /limit -1 is not a number of results/],
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

  it('gets as many results as --limit says, page by page, and tells where 25 are not all', async (t) => {
    const names = Array.from({ length: 230 }, (_, at) => `app${String(at).padStart(3, '0')}`);
    const { url, registry } = await startServe(t);
    const { manifest } = await buildIndex([]);
    for (const name of names) await registry.pushManifest(parseRepositoryName(name), manifest);
    const proxy = await startFaultProxy(t, url);
    const search = (...words: string[]) =>
      ocictl(t, ['search', '--format', '{{.Name}}', ...words, `${proxy.host}/app`]);
    const usual = await search();
    assert.deepEqual(usual.stdout.trimEnd().split('\n'), names.slice(0, 25));
    assert.equal(usual.stderr, 'the first 25 results are shown, and there are more; --limit N shows N\n');
    for (const [limit, requests] of [
      [25, 1],
      [130, 2],
      [230, 3],
      [1000, 3],
    ] as const) {
      const before = proxy.count(/\/v1\/search/);
      const { exitCode, stdout, stderr } = await search('--limit', String(limit));
      assert.deepEqual([exitCode, stderr], [0, '']);
      assert.deepEqual(stdout.trimEnd().split('\n'), names.slice(0, limit), String(limit));
      assert.equal(proxy.count(/\/v1\/search/) - before, requests);
    }
  });

  it('tells of more results as the registry counts them, and of a catalog how to list all of it', async (t) => {
    const results = Array.from({ length: 25 }, (_, at) => ({ name: `app${at}` }));
    const counting = await startFakeServer(t, ({ path }, response) => {
      json(response, 200, path === '/v1/_ping' ? true : { results, num_results: 132 });
    });
    const counted = await ocictl(t, ['search', `${counting.host}/app`]);
    assert.equal(counted.stderr, 'the first 25 of 132 results are shown; --limit 132 shows all\n');
    // A registry that knows no pages sends the first one for each.
    const more = await ocictl(t, ['search', '--limit', '40', `${counting.host}/app`]);
    assert.equal(more.stdout.trimEnd().split('\n').length, 1 + 25);
    assert.match(more.stderr, /^the first 25 of 132 results are shown: the registry gives no more$/m);
    const listing = await startFakeServer(t, ({ path }, response) => {
      if (path !== '/v2/_catalog') return json(response, 404, {});
      json(response, 200, { repositories: Array.from({ length: 300 }, (_, at) => `team/app${at}`) });
    });
    const usual = await ocictl(t, ['search', `${listing.host}/`]);
    assert.ok(
      usual.stderr.endsWith(
        `and there are more; --limit N shows N; ocictl repos ${listing.host} lists every repository\n`,
      ),
    );
    const all = await ocictl(t, ['search', '--limit', '300', `${listing.host}/`]);
    assert.equal(all.stdout.trimEnd().split('\n').length, 1 + 300);
    assert.doesNotMatch(all.stderr, /more/);
  });

  it('notes once that it read the catalog, if the registry has no search', async (t) => {
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
