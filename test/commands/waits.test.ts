import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { ocictl } from '../support/command.ts';
import { json, startFakeServer } from '../support/fake-server.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { startServe } from '../support/registries.ts';

const repo = parseRepositoryName('team/app');
const later = { status: 429, headers: { 'retry-after': '1' }, times: 1 };

/** A registry that answers as a test says, with `team/app:1`. */
async function startBusy(t: TestContext): Promise<FaultProxy & { readonly image: string }> {
  const { registry, url } = await startServe(t);
  await pushImage(registry, repo, parseTag('1'), await buildImage({ layers: [{ files: { a: 'a' } }] }));
  const proxy = await startFaultProxy(t, url);
  return { ...proxy, image: `${proxy.host}/${repo}:1` };
}

function eventsOf(stderr: string): readonly Readonly<Record<string, unknown>>[] {
  return stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('a registry that asks to wait', () => {
  it('is told of by a command that resolves a name, on stderr', async (t) => {
    const { image, host, fail } = await startBusy(t);
    fail({ ...later, path: /manifests/ });
    const { stdout, stderr } = await ocictl(t, ['digest', image]);
    assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/);
    assert.equal(stderr, `${host} asks to wait 1 second (429), waiting for manifest 1 of team/app\n`);
  });

  it('is told of in the lines of a pull', async (t) => {
    const { image, host, fail } = await startBusy(t);
    fail({ ...later, path: /manifests/ });
    const { stderr } = await ocictl(t, ['pull', '--progress', 'plain', image]);
    const text = `pulling ${image}: ${host} asks to wait 1 second (429), waiting for manifest 1 of team/app`;
    assert.ok(stderr.split('\n').includes(text), stderr);
  });

  it('is an event of a pull: of a blob with its digest, of a manifest or a list without', async (t) => {
    const { image, host, fail } = await startBusy(t);
    fail({ ...later, path: /tags\/list/ });
    fail({ ...later, path: /manifests/ });
    fail({ ...later, path: /blobs/, times: 2 });
    const { stderr } = await ocictl(t, ['pull', '-a', '--progress', 'json', image.slice(0, -2)]);
    const waits = eventsOf(stderr).filter(({ type }) => type === 'waiting');
    const asks = `${host} asks to wait 1 second (429)`;
    assert.deepEqual(
      waits.map(({ reason, seconds, digest }) => [reason, seconds, typeof digest]),
      [
        [`${asks}, waiting for the tags of team/app`, 1, 'undefined'],
        [`${asks}, waiting for manifest 1 of team/app`, 1, 'undefined'],
        [asks, 1, 'string'],
        [asks, 1, 'string'],
      ],
    );
  });

  it('is an event of a push: its blobs, and its manifest', async (t) => {
    const { image, host, fail } = await startBusy(t);
    await ocictl(t, ['pull', image]);
    const other = `${host}/team/other:1`;
    await ocictl(t, ['tag', image, other]);
    fail({ ...later, method: 'POST' });
    fail({ ...later, method: 'PUT', path: /manifests/ });
    const { stderr, exitCode } = await ocictl(t, ['push', '--progress', 'json', other]);
    assert.equal(exitCode, 0, stderr);
    const asks = `${host} asks to wait 1 second (429)`;
    const waits = eventsOf(stderr).filter(({ type }) => type === 'waiting');
    assert.deepEqual(
      waits.map(({ reason, digest }) => [reason, typeof digest]),
      [
        [asks, 'string'],
        [`${asks}, waiting for manifest 1 of team/other`, 'undefined'],
      ],
    );
  });
});

describe('a token server that asks to wait', () => {
  it('is told of as well', async (t) => {
    let asked = 0;
    const tokens = await startFakeServer(t, (_, response) => {
      asked += 1;
      if (asked === 1) response.writeHead(429, { 'retry-after': '1' }).end();
      else json(response, 200, { token: 'good' });
    });
    const registry = await startFakeServer(t, ({ headers, path }, response) => {
      if (headers.authorization !== 'Bearer good') {
        response.writeHead(401, { 'www-authenticate': `Bearer realm="${tokens.url}token",service="x"` }).end();
      } else if (path.includes('/tags/')) json(response, 200, { name: repo, tags: ['1'] });
      else json(response, 200, {});
    });
    const { stdout, stderr } = await ocictl(t, ['tags', `${registry.host}/${repo}`]);
    assert.equal(stdout, '1\n');
    assert.equal(stderr, `${tokens.host} asks to wait 1 second (429), waiting for an answer\n`);
  });
});
