import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { keepImage } from '../../support/local-store.ts';
import { projectRoot } from '../../support/project.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';

const app = parseRepositoryName('team/app');
const image = await buildImage({ layers: [{ files: { a: 'a' } }] });

/** A registry with this many tags, behind a proxy that counts requests. */
async function startTagged(t: TestContext, count: number) {
  const { url, registry } = await startServe(t);
  const tags = Array.from({ length: count }, (_, at) => `v${String(at).padStart(4, '0')}`);
  await pushImage(registry, app, undefined, image);
  await registry.pushManifest(app, image.manifest, { tags: tags.map(parseTag) });
  const proxy = await startFaultProxy(t, url);
  return { proxy, name: `${proxy.host}/team/app`, tags };
}

/** A registry that gives a list in pages of 1,000, and counts them. */
async function startPaging(t: TestContext, count: number) {
  let asked = 0;
  const { host } = await startFakeServer(t, ({ path, query }, response) => {
    if (path === '/v2/') return response.end('{}');
    asked += 1;
    const last = query.get('last');
    const from = last === null ? 0 : Number(last.slice(1)) + 1;
    const tags = Array.from({ length: 1000 }, (_, at) => `v${String(from + at).padStart(5, '0')}`);
    if (from + 1000 < count * 1000) {
      response.setHeader('link', `</v2/team/app/tags/list?last=${tags.at(-1)}&n=1000>; rel="next"`);
    }
    return response.end(JSON.stringify({ name: 'team/app', tags }));
  });
  return { name: `${host}/team/app`, pages: () => asked };
}

describe('ocictl tags', () => {
  it('takes a long list in one answer from a registry that gives it so', async (t) => {
    const { name, tags, proxy } = await startTagged(t, 2345);
    const { exitCode, stdout } = await ocictl(t, ['tags', name]);
    assert.equal(exitCode, 0);
    assert.deepEqual(stdout.trimEnd().split('\n'), tags);
    assert.equal(proxy.count(/\/tags\/list/), 1);
  });

  it('follows every page of a registry that gives pages', async (t) => {
    const { name, pages } = await startPaging(t, 3);
    const { exitCode, stdout, stderr } = await ocictl(t, ['tags', name]);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual([stdout.trimEnd().split('\n').length, pages()], [3000, 3]);
  });

  it('stops after --limit, and starts behind --after, asking for no more than that', async (t) => {
    const { name, tags, proxy } = await startTagged(t, 1200);
    const { stdout } = await ocictl(t, ['tags', '--limit', '3', name]);
    assert.deepEqual(stdout.trimEnd().split('\n'), tags.slice(0, 3));
    assert.ok(proxy.sentBytes(/\/tags\/list/) < 200);
    const after = await ocictl(t, ['tags', '--limit', '2', '--after', 'v1100', name]);
    assert.equal(after.stdout, 'v1101\nv1102\n');
    assert.equal((await ocictl(t, ['tags', '--after', 'v1198', name])).stdout, 'v1199\n');
    const all = await ocictl(t, ['tags', name]);
    assert.equal((await ocictl(t, ['tags', '--limit', '0', name])).stdout, all.stdout, '0 is the default');
  });

  it('prints one JSON document with --json', async (t) => {
    const { name } = await startTagged(t, 3);
    const { stdout } = await ocictl(t, ['tags', '--json', name]);
    assert.deepEqual(JSON.parse(stdout), { repository: name, tags: ['v0000', 'v0001', 'v0002'] });
  });

  it('ends quietly when its reader has seen enough, and stops asking', async (t) => {
    const { name, pages } = await startPaging(t, 20);
    const { env, home } = await sandbox(t);
    const child = spawn(process.execPath, [join(projectRoot, 'bin', 'ocictl.js'), 'tags', name], { env, cwd: home });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    const [first] = (await once(child.stdout, 'data')) as [Buffer];
    child.stdout.destroy();
    const [exitCode] = await once(child, 'close');
    assert.match(first.toString(), /^v00000\n/);
    assert.deepEqual([exitCode, errors], [0, '']);
    assert.ok(pages() < 20, `${pages()} of 20 pages`);
  });

  it('asks a mirror of Docker Hub first', async (t) => {
    const { url, registry } = await startServe(t);
    await pushImage(registry, parseRepositoryName('library/alpine'), parseTag('3.20'), image);
    await writeFile((await sandbox(t)).daemonJson, JSON.stringify({ 'registry-mirrors': [url] }));
    const { stdout, stderr } = await ocictl(t, ['tags', 'alpine']);
    assert.equal(stdout, '3.20\n', stderr);
  });

  it('lists a layout, also one that may not be written, and the local store', async (t) => {
    for (const tag of ['1', '2']) await keepImage(t, `localhost:5000/team/app:${tag}`, image);
    assert.equal((await ocictl(t, ['tags', 'store:localhost:5000/team/app'])).stdout, '1\n2\n');
    for (const tag of ['x', 'y']) await ocictl(t, ['copy', 'store:localhost:5000/team/app:1', `oci:dir:${tag}`]);
    const directory = join((await sandbox(t)).home, 'dir');
    await chmod(directory, 0o555);
    const { stdout, stderr } = await ocictl(t, ['tags', 'oci:dir']);
    await chmod(directory, 0o755);
    assert.equal(stdout, 'x\ny\n', stderr);
    const store = await ocictl(t, ['tags', '--json', 'store:localhost:5000/team/app']);
    assert.equal((JSON.parse(store.stdout) as { repository: string }).repository, 'store:localhost:5000/team/app');
  });

  it('prints nothing for a list that is null, as some registries send for an empty one', async (t) => {
    const server = await startFakeServer(t, (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"name":"team/app","tags":null}');
    });
    const { exitCode, stdout } = await ocictl(t, ['tags', `${server.host}/team/app`]);
    assert.deepEqual([exitCode, stdout], [0, '']);
  });

  it('refuses a list that leads in a circle: status 5', async (t) => {
    const server = await startFakeServer(t, (_request, response) => {
      const link = '</v2/team/app/tags/list?last=a&n=1>; rel="next"';
      response.writeHead(200, { 'content-type': 'application/json', link }).end('{"name":"team/app","tags":["a"]}');
    });
    const { exitCode, stderr } = await ocictl(t, ['tags', `${server.host}/team/app`]);
    assert.equal(exitCode, 5, stderr);
    assert.match(stderr, /circle/);
    assert.ok(server.requests.length < 5);
  });

  const refusals: readonly (readonly [string, (name: string) => readonly string[], number, RegExp])[] = [
    ['a tag', (name) => ['tags', `${name}:1`], 2, /names one image/],
    ['a number that is none', (name) => ['tags', '--limit', 'ten', name], 2, /--limit takes a whole number/],
    ['a repository that is not there', (name) => ['tags', `${name}/none`], 3, /team\/app\/none/],
    ['a directory that is no layout', () => ['tags', 'oci:none'], 3, /no OCI layout/],
    ['a name that is not in the store', () => ['tags', 'store:none'], 3, /none/],
  ];
  for (const [title, words, status, message] of refusals) {
    it(`refuses ${title} with status ${status}`, async (t) => {
      const { name } = await startTagged(t, 1);
      const { exitCode, stdout, stderr } = await ocictl(t, words(name));
      assert.deepEqual([exitCode, stdout], [status, ''], stderr);
      assert.match(stderr, message);
    });
  }
});
