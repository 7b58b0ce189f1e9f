/** Clients that `ocictl serve --redirect` sends elsewhere for blobs. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { hashSync } from 'bcryptjs';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl, spawnServe } from '../../support/command.ts';
import { startDocker } from '../../support/docker.ts';
import { writeDockerConfig } from '../../support/doctor.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { randomLayer } from '../../support/layer.ts';
import { start } from '../../support/process.ts';
import { startFileServer } from '../../support/programs/nginx.ts';
import { startVersitygw } from '../../support/programs/versitygw.ts';
import { needs, podman, skopeo } from '../../support/programs.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';

interface Served {
  readonly host: string;
  /** The image, which ada alone may pull with the password "right". */
  readonly name: string;
}

interface Client {
  readonly name: string;
  readonly programs: readonly string[];
  pull(t: TestContext, served: Served): Promise<unknown>;
}

const ada = Buffer.from('ada:right').toString('base64');

const clients: readonly Client[] = [
  {
    name: 'skopeo',
    programs: ['skopeo'],
    pull: (t, { name }) =>
      skopeo(t, ['copy', '--src-tls-verify=false', '--src-creds=ada:right', `docker://${name}`, 'oci:layout:1']),
  },
  {
    name: 'crane',
    programs: ['crane'],
    async pull(t, { name, host }) {
      await writeDockerConfig(t, { auths: { [host]: { auth: ada } } });
      await run(t, 'crane', ['pull', '--insecure', name, 'image.tar']);
    },
  },
  {
    name: 'podman',
    programs: ['podman'],
    pull: (t, { name }) => podman(t, ['pull', '--tls-verify=false', '--creds=ada:right', name]),
  },
  {
    name: 'docker',
    programs: ['docker', 'dockerd'],
    async pull(t, { name, host }) {
      const env = await startDocker(t);
      await writeDockerConfig(t, { auths: { [host]: { auth: ada } } });
      await run(t, 'docker', ['pull', '-q', name], env);
    },
  },
  {
    name: 'ocictl',
    programs: [],
    async pull(t, { name }) {
      const { exitCode, stderr } = await ocictl(t, ['pull', '--creds', 'ada:right', name]);
      assert.equal(exitCode, 0, stderr);
    },
  },
];

describe('a client of ocictl serve --redirect gets blobs from nginx, which gets none of its credentials', () => {
  for (const { name, programs, pull } of clients) {
    it(name, async (t) => {
      if (!needs(t, 'nginx', ...programs)) return;
      const { home } = await sandbox(t);
      const files = await startFileServer(t, join(home, 'images'));
      const served = await serveImage(t, ['--root', 'images', '--redirect', '--redirect-url', files.url]);
      await pull(t, served);
      const expected = served.paths.map((path) => `GET /${path} 200 -`);
      assert.deepEqual((await files.requests()).sort(), expected.sort());
    });
  }
});

describe('a client of ocictl serve --redirect gets blobs from a bucket, with URLs for 20 minutes', () => {
  for (const { name, programs, pull } of clients) {
    it(name, async (t) => {
      if (!needs(t, 'versitygw', ...programs)) return;
      const served = await serveBucket(t);
      await pull(t, served);
      await served.assertSigned();
    });
  }

  it('under the host that clients reach it by', async (t) => {
    if (!needs(t, 'versitygw')) return;
    const served = await serveBucket(t, (gateway) => ['--redirect-host', `http://localhost:${gateway.split(':')[1]}`]);
    const [path = ''] = served.paths;
    const blob = `/v2/team/app/blobs/sha256:${path.split('/').at(-2)}`;
    const headers = { authorization: `Basic ${ada}` };
    const sent = await fetch(`http://${served.host}${blob}`, { headers, redirect: 'manual' });
    const location = new URL(sent.headers.get('location') ?? '');
    assert.equal(location.hostname, 'localhost');
    const part = await fetch(location, { headers: { range: 'bytes=1-3' } });
    assert.deepEqual([part.status, (await part.arrayBuffer()).byteLength], [206, 3]);
    // The signature is for that host: changing it afterwards, as distribution's `rewrite` does, is of no use.
    location.hostname = '127.0.0.1';
    assert.equal((await fetch(location)).status, 403);
  });
});

/** Serves a bucket. @param more Further options, by the host of the gateway. */
async function serveBucket(t: TestContext, more: (gateway: string) => readonly string[] = () => []) {
  const gateway = await startVersitygw(t);
  const root = `s3://${gateway.bucket}/images?endpoint=${gateway.url}`;
  const served = await serveImage(t, ['--root', root, '--redirect', ...more(gateway.host)], gateway.env);
  return {
    ...served,
    /** Each blob was read once with a signed URL, and by nobody else. */
    async assertSigned() {
      const all = await gateway.requests();
      const found = all.filter(({ operation, path }) => operation === 'GetObject' && /\/blobs\/.*X-Amz-/.test(path));
      for (const { path, status } of found) {
        assert.equal(status, 200, path);
        assert.match(path, /[?&]X-Amz-Expires=1200(&|$)/);
      }
      assert.deepEqual(
        found.map(({ path }) => path.replace(/^.*\/(?=docker\/registry)|\?.*$/g, '')).sort(),
        [...served.paths].sort(),
      );
    },
  };
}

/** Serves an image of two layers. @returns Where it is, and the paths of its blobs below the root of the store. */
async function serveImage(
  t: TestContext,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Served & { readonly paths: readonly string[] }> {
  const { home } = await sandbox(t);
  await writeFile(join(home, 'users'), `ada:${hashSync('right', 4)}\n`);
  const { host } = await spawnServe(t, ['--auth', 'htpasswd=users', ...words], { env });
  const layers = [await randomLayer(300_000, 'redirected 1'), await randomLayer(300_000, 'redirected 2')];
  const image = await buildImage({ layers });
  const origin = await startServe(t);
  const [repo, tag] = [parseRepositoryName('team/app'), parseTag('1')];
  await pushImage(origin.registry, repo, tag, image);
  const name = `${host}/${repo}:${tag}`;
  const copied = await ocictl(t, ['copy', '--dest-creds', 'ada:right', `${origin.host}/${repo}:${tag}`, name]);
  assert.equal(copied.exitCode, 0, copied.stderr);
  const hexes = image.blobs.map(({ descriptor: { digest } }) => digest.slice('sha256:'.length));
  return { host, name, paths: hexes.map((hex) => `docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`) };
}

async function run(
  t: TestContext,
  program: string,
  words: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { home, env } = await sandbox(t);
  const { exitCode, stdout, stderr } = await start(t, program, words, { env: { ...env, ...more }, cwd: home }).result;
  assert.equal(exitCode, 0, `${program} ${words[0]}: ${stdout}${stderr}`);
}
