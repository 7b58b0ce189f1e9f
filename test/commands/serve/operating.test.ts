import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ocictl, spawnOcictl, spawnServe } from '../../support/command.ts';
import { freePort } from '../../support/network/ports.ts';

describe('ocictl serve --metrics', () => {
  it('serves them where it says, with the calls of the storage', async (t) => {
    const words = ['serve', '--memory', '--json', '--addr', '127.0.0.1:0', '--metrics', '0'];
    const { waitFor, output, child, result } = await spawnOcictl(t, words);
    await waitFor(/\n/);
    const { url, metrics } = JSON.parse(output().stdout) as Record<string, string>;
    assert.match(String(metrics), /^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
    await fetch(`${url}/v2/_catalog`);
    const text = await (await fetch(String(metrics))).text();
    assert.match(text, /^registry_http_requests_total\{code="200",handler="catalog",method="get"\} 1$/m);
    assert.match(text, /^registry_storage_action_seconds_count\{action="List",driver="inmemory"\} [1-9]/m);
    child.kill('SIGTERM');
    assert.equal((await result).exitCode, 0);
  });

  it('ends with status 2 where something else listens, and serves nothing', async (t) => {
    const { host } = await spawnServe(t, ['--memory']);
    const words = ['serve', '--memory', '--addr', `127.0.0.1:${await freePort()}`, '--metrics', host];
    const { exitCode, stdout, stderr } = await ocictl(t, words);
    assert.deepEqual([exitCode, stdout], [2, '']);
    assert.match(stderr, /another program listens there/);
  });
});

describe('ocictl serve', () => {
  it('refuses deletes with --disable-delete, and says what is allowed', async (t) => {
    const { url } = await spawnServe(t, ['--memory', '--disable-delete']);
    const digest = `sha256:${'0'.repeat(64)}`;
    for (const [path, allow] of [
      ['manifests/latest', 'GET, HEAD, PUT'],
      [`manifests/${digest}`, 'GET, HEAD, PUT'],
      [`blobs/${digest}`, 'GET, HEAD'],
    ]) {
      const answer = await fetch(`${url}/v2/team/app/${path}`, { method: 'DELETE' });
      assert.deepEqual([answer.status, answer.headers.get('allow')], [405, allow], path);
      assert.match(await answer.text(), /"code":"UNSUPPORTED"/);
    }
    const session = await fetch(`${url}/v2/team/app/blobs/uploads/`, { method: 'POST' });
    const upload = new URL(session.headers.get('location') ?? '', url);
    assert.equal((await fetch(upload, { method: 'DELETE' })).status, 204);
  });

  it('adds headers, and lists so many repositories on a page', async (t) => {
    const words = ['--header', 'X-Team: a', '--header', 'x-team:b', '--header', 'A: 1, 2', '--catalog-limit', '1'];
    const { url } = await spawnServe(t, ['--memory', ...words]);
    for (const name of ['a', 'b']) {
      const init = { method: 'POST', body: '{}' };
      const digest = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a';
      assert.equal((await fetch(`${url}/v2/${name}/blobs/uploads/?digest=${digest}`, init)).status, 201);
      const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest, size: 2 };
      const mediaType = 'application/vnd.oci.image.manifest.v1+json';
      const body = JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] });
      const headers = { 'content-type': mediaType };
      assert.equal((await fetch(`${url}/v2/${name}/manifests/1`, { method: 'PUT', headers, body })).status, 201);
    }
    for (const query of ['', '?n=100']) {
      const answer = await fetch(`${url}/v2/_catalog${query}`);
      assert.deepEqual(await answer.json(), { repositories: ['a'] });
      assert.match(String(answer.headers.get('link')), /last=a/);
      assert.deepEqual([answer.headers.get('x-team'), answer.headers.get('a')], ['a, b', '1, 2']);
    }
  });

  it('refuses words that it does not understand, before it serves', async (t) => {
    const wrong = [
      ['--header', 'Connection: close'],
      ['--header', 'nothing'],
      ['--cors-origin', 'ui.test'],
      ['--catalog-limit', '0'],
      ['--drain', 'soon'],
      ['--metrics', 'here'],
    ];
    for (const words of wrong) {
      const { exitCode, stdout } = await ocictl(t, ['serve', '--memory', '--addr', '127.0.0.1:0', ...words]);
      assert.deepEqual([exitCode, stdout], [2, ''], words.join(' '));
    }
  });
});
