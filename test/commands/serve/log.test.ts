import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { digestBytes } from '../../../src/model/digest.ts';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { ocictl, spawnOcictl, spawnServe } from '../../support/command.ts';
import { pushImage } from '../../support/images.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, imageFor, one } from '../copy/places.ts';

const accessLine =
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z 127\.0\.0\.1 (\w+) (\S+) (\d+) in=\d+ out=\d+ ms=[\d.]+(?: agent="([^"]*)")?(?: error="(.*)")?$/gm;

/** Serves a directory with an image whose manifest is damaged. */
async function serveDamaged(t: TestContext, words: readonly string[]) {
  const root = join((await sandbox(t)).home, 'images');
  const image = await imageFor('amd64');
  const registry = createStorage({ driver: await openFilesystemDriver({ root }), name: 'damaged' });
  await pushImage(registry, app, one, image);
  const blobs = join(root, 'docker/registry/v2/blobs/sha256');
  const hex = image.descriptor.digest.slice('sha256:'.length);
  const file = join(blobs, hex.slice(0, 2), hex, 'data');
  await rm(file);
  await writeFile(file, '{"damaged":true}');
  return spawnServe(t, ['--root', root, ...words]);
}

describe('ocictl serve -v', () => {
  it('writes a line for every request, without queries and credentials', async (t) => {
    const { url, output, waitFor } = await spawnServe(t, ['--memory', '-v']);
    const headers = { authorization: 'Bearer secret-1', 'user-agent': 'skopeo/1.9 (linux)' };
    await fetch(`${url}/v2/?token=secret-2`, { headers });
    await fetch(`${url}/v2/team/app/manifests/1%0a\u001b[31m?secret-3`, { headers });
    await waitFor(/error=.*\n/);
    const { stderr } = output();
    const lines = [...stderr.matchAll(accessLine)].map(([, method, path, status, agent]) => [
      method,
      path,
      status,
      agent,
    ]);
    assert.deepEqual(lines, [
      ['GET', '/v2/', '200', 'skopeo/1.9'],
      ['GET', '/v2/team/app/manifests/1%0a%1B[31m', '400', 'skopeo/1.9'],
    ]);
    assert.doesNotMatch(stderr, /secret/);
  });

  it('writes JSON with --json, and says so where it listens', async (t) => {
    const { waitFor, output } = await spawnOcictl(t, ['serve', '--memory', '-v', '--json', '--addr', '127.0.0.1:0']);
    await waitFor(/\n/);
    const { url, ...told } = JSON.parse(output().stdout) as Record<string, unknown>;
    assert.deepEqual(told, { serving: 'memory', address: new URL(String(url)).host, readOnly: false });
    await fetch(`${url}/v2/team/app/tags/list`);
    await waitFor(/NAME_UNKNOWN.*\n/);
    const entry = JSON.parse(output().stderr) as Record<string, unknown>;
    assert.deepEqual(Object.keys(entry), [
      ...['type', 'time', 'level', 'msg', 'instance.id'],
      ...['http.request.id', 'http.request.method', 'http.request.uri', 'http.request.host', 'http.request.remoteaddr'],
      ...['http.request.useragent', 'http.request.received', 'http.response.status', 'http.response.contenttype'],
      ...['http.response.written', 'http.response.duration', 'vars.name', 'err.code', 'err.detail'],
    ]);
    assert.deepEqual(
      [entry['type'], entry['level'], entry['http.request.uri'], entry['http.response.status'], entry['vars.name']],
      ['request', 'info', '/v2/team/app/tags/list', 404, 'team/app'],
    );
    assert.match(String(entry['http.response.duration']), /^\d+\.\d{3}ms$/);
    assert.match(String(entry['err.detail']), /^NAME_UNKNOWN: /);
  });
});

describe('ocictl serve --access-log', () => {
  it('combined: writes what log analysers read, of a query only what is no secret', async (t) => {
    const { url, output, waitFor } = await spawnServe(t, ['--memory', '--access-log', 'combined']);
    await fetch(`${url}/livez`);
    const headers = { 'user-agent': 'a "b" \\ c' };
    await fetch(`${url}/v2/_catalog?n=5&account=ada&token=secret&last=a%22b`, { headers });
    await waitFor(/_catalog.*\n/);
    const { stderr } = output();
    const lines = stderr.split('\n').filter((line) => line.startsWith('127.0.0.1 '));
    assert.equal(lines.length, 1, stderr);
    const [stamp] = /\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\]/.exec(lines[0] ?? '') ?? [];
    const agent = String.raw`"a \x22b\x22 \x5c c"`;
    assert.equal(lines[0], `127.0.0.1 - - ${stamp} "GET /v2/_catalog?n=5&last=a%22b HTTP/1.1" 200 20 "-" ${agent}`);
  });

  it('none: is silent even with -v, except for failures of the registry itself', async (t) => {
    const { url, output, waitFor } = await serveDamaged(t, ['-v', '--access-log', 'none']);
    await fetch(`${url}/v2/`);
    await fetch(`${url}/v2/${app}/manifests/${one}`);
    await waitFor(/error=.*\n/);
    assert.equal([...output().stderr.matchAll(accessLine)].length, 1);
  });

  it('is refused where it is unknown, or not JSON beside --json', async (t) => {
    for (const words of [['xml'], ['combined', '--json'], ['text', '--json']]) {
      const { exitCode } = await ocictl(t, ['serve', '--memory', '--access-log', ...words]);
      assert.equal(exitCode, 2, words.join(' '));
    }
  });
});

describe('ocictl serve', () => {
  it('logs its own failures in full, also without -v, while the client gets less', async (t) => {
    const { url, output, waitFor } = await serveDamaged(t, []);
    assert.equal((await fetch(`${url}/v2/nothing/tags/list`)).status, 404);
    const answer = await fetch(`${url}/v2/${app}/manifests/${one}`);
    assert.equal(answer.status, 500);
    assert.doesNotMatch(await answer.text(), /sha256/);
    await waitFor(/error=.*\n/);
    const lines = [...output().stderr.matchAll(accessLine)];
    assert.equal(lines.length, 1, output().stderr);
    assert.match(String(lines[0]?.[5]), /sha256/);
  });

  it('tells of a full disk or whatever else takes no push', async (t) => {
    const { home } = await sandbox(t);
    const root = join(home, 'images');
    const { host, output, waitFor } = await spawnServe(t, ['--root', root]);
    await writeFile(join(root, 'docker'), 'in the way');
    assert.deepEqual(await readdir(root), ['docker', 'tmp']);
    const session = await fetch(`http://${host}/v2/team/app/blobs/uploads/`, { method: 'POST' });
    assert.equal(session.status, 202);
    const upload = new URL(session.headers.get('location') ?? '', `http://${host}`);
    upload.searchParams.set('digest', await digestBytes(Buffer.from('x')));
    assert.equal((await fetch(upload, { method: 'PUT', body: 'x' })).status, 500);
    await waitFor(/error="STORAGE.*images.*\n/);
    assert.match(output().stderr, /PUT \/v2\/team\/app\/blobs\/uploads\/[^ ]+ 500 /);
  });
});
