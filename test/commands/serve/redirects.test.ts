import assert from 'node:assert/strict';
import { createVerify, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { hashSync } from 'bcryptjs';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl, spawnServe } from '../../support/command.ts';
import { type FakeServer, startFakeServer } from '../../support/fake-server.ts';
import { type Built, buildImage, pushImage } from '../../support/images.ts';
import { randomLayer } from '../../support/layer.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';

const app = parseRepositoryName('team/app');
const one = parseTag('1');

/** A server over the files of `root`, that records its requests. @param admits Whether a request may read. */
function serveFiles(t: TestContext, root: string, admits: (url: URL) => boolean = () => true): Promise<FakeServer> {
  return startFakeServer(t, async ({ path, headers }, response, incoming) => {
    const url = new URL(`http://${headers.host}${incoming.url}`);
    const bytes = admits(url) ? await readFile(join(root, path)).catch(() => undefined) : undefined;
    response.writeHead(bytes ? 200 : 403).end(bytes);
  });
}

/** Checks what CloudFront does: the signature of the canned policy, and the time. */
function edge(publicKey: KeyObject): (url: URL) => boolean {
  return (url) => {
    const [expires, id] = [url.searchParams.get('Expires'), url.searchParams.get('Key-Pair-Id')];
    const condition = `"Condition":{"DateLessThan":{"AWS:EpochTime":${expires}}}`;
    const policy = `{"Statement":[{"Resource":"${url.origin}${url.pathname}",${condition}}]}`;
    const signature = (url.searchParams.get('Signature') ?? '').replaceAll('-', '+').replaceAll('_', '=');
    const isSigned = createVerify('RSA-SHA1')
      .update(policy)
      .verify(publicKey, signature.replaceAll('~', '/'), 'base64');
    return isSigned && id === 'K1' && Number(expires) > Date.now() / 1000;
  };
}

/** Serves `images` to ada alone, with an image of two layers of 100 kB. */
async function serveImage(t: TestContext, words: readonly string[]) {
  const { home } = await sandbox(t);
  await writeFile(join(home, 'users'), `ada:${hashSync('right', 4)}\n`);
  const layers = [await randomLayer(100_000, 'redirected 1'), await randomLayer(100_000, 'redirected 2')];
  const image = await buildImage({ layers });
  const origin = await startServe(t);
  await pushImage(origin.registry, app, one, image);
  const served = await spawnServe(t, ['--root', 'images', '--auth', 'htpasswd=users', '-v', ...words]);
  const name = `${served.host}/team/app:1`;
  const copied = await ocictl(t, ['copy', '--dest-creds', 'ada:right', `${origin.host}/team/app:1`, name]);
  assert.equal(copied.exitCode, 0, copied.stderr);
  return { ...served, name, image };
}

function pathsOf(image: Built): string[] {
  return image.blobs
    .map(({ descriptor: { digest } }) => digest.slice('sha256:'.length))
    .map((hex) => `GET /docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`)
    .sort();
}

describe('ocictl serve --redirect', () => {
  it('sends our client for blobs to a server of the files, which gets no credentials', async (t) => {
    const { home } = await sandbox(t);
    const files = await serveFiles(t, join(home, 'images'));
    const { name, image } = await serveImage(t, ['--redirect', '--redirect-url', files.url]);
    assert.equal((await ocictl(t, ['pull', name])).exitCode, 4, 'without a password');
    const pulled = await ocictl(t, ['pull', '--creds', 'ada:right', name]);
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    assert.deepEqual([...files.lines].sort(), pathsOf(image));
    for (const { headers } of files.requests) assert.equal(headers.authorization, undefined);
  });

  it('signs for CloudFront, and neither side tells or logs the signature', async (t) => {
    const { home } = await sandbox(t);
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await writeFile(join(home, 'key.pem'), privateKey.export({ type: 'pkcs1', format: 'pem' }));
    const files = await serveFiles(t, join(home, 'images'), edge(publicKey));
    const words = ['--redirect', '--redirect-url', files.url, '--redirect-cloudfront', 'K1=key.pem'];
    const { name, image, output } = await serveImage(t, words);
    const pulled = await ocictl(t, ['-vv', 'pull', '--creds', 'ada:right', name]);
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    assert.deepEqual([...files.lines].sort(), pathsOf(image));
    const { stdout, stderr } = output();
    assert.match(stderr, /GET \/v2\/team\/app\/blobs\/\S+ 307 /);
    assert.doesNotMatch(`${stdout}${stderr}${pulled.stdout}${pulled.stderr}`, /Signature=[^…*]/);
  });

  it('leaves out small blobs, and clients of some networks', async (t) => {
    const { home } = await sandbox(t);
    const files = await serveFiles(t, join(home, 'images'));
    const redirects = ['--redirect', '--redirect-url', files.url];
    const { name, image } = await serveImage(t, [...redirects, '--redirect-min', '50kB']);
    assert.equal((await ocictl(t, ['pull', '--creds', 'ada:right', name])).exitCode, 0);
    const small = image.blobs.filter(({ descriptor }) => descriptor.size < 50_000);
    assert.equal(small.length, 1);
    assert.equal(files.requests.length, image.blobs.length - 1);

    const here = await spawnServe(t, ['--root', 'images', ...redirects, '--redirect-except', '10.0.0.0/8,127.0.0.1']);
    const [blob] = image.blobs;
    const got = await fetch(`${here.url}/v2/team/app/blobs/${blob?.descriptor.digest}`, { redirect: 'manual' });
    assert.equal(got.status, 200);
  });

  it('says that its passwords do not protect files that another server has', async (t) => {
    const { output } = await serveImage(t, ['--redirect', '--redirect-url', 'http://127.0.0.1:9/files']);
    assert.match(output().stderr, /whoever knows a digest gets the blob at http:\/\/127\.0\.0\.1:9\/files/);
  });

  it('is refused where it cannot work, with what to do: status 2', async (t) => {
    const { home } = await sandbox(t);
    await writeFile(join(home, 'text'), 'no key\n');
    const url = ['--redirect-url', 'https://files.example.com'];
    const refused: readonly (readonly [number, readonly string[], RegExp])[] = [
      [2, ['--memory', '--redirect'], /gives out no URLs/],
      [2, ['--root', 'images', '--redirect'], /gives out no URLs .*\n.*--redirect-url/],
      [2, ['--root', 'images', ...url], /--redirect-url is of no use without --redirect/],
      [2, ['--root', 'images', '--redirect-min', '1MB'], /--redirect-min is of no use without --redirect/],
      [2, ['--root', 'images', '--redirect', ...url, '--redirect-min', '1 parsec'], /invalid --redirect-min/],
      [2, ['--root', 'images', '--redirect', ...url, '--redirect-except', '10.0.0.0/99'], /invalid --redirect-except/],
      [
        2,
        ['--root', 'images', '--redirect', ...url, '--redirect-host', 'https://s3.example.com'],
        /conflicting options/,
      ],
      [2, ['--root', 'images', '--redirect', '--redirect-host', 's3.example.com'], /invalid --redirect-host/],
      [2, ['--root', 'images', '--redirect', '--redirect-url', 'files'], /invalid base/],
      [2, ['--root', 'images', '--redirect', '--redirect-cloudfront', 'K1=text'], /--redirect-url/],
      [2, ['--root', 'images', '--redirect', ...url, '--redirect-cloudfront', 'text'], /KEYPAIRID=KEYFILE/],
      [2, ['--root', 'images', '--redirect', ...url, '--redirect-cloudfront', 'K1=text'], /text: .* is not in PEM/],
      [2, ['--root', 'images', '--redirect', ...url, '--redirect-cloudfront', 'K1=gone'], /gone/],
    ];
    for (const [status, words, said] of refused) {
      const { exitCode, stderr } = await ocictl(t, ['serve', '--addr', '127.0.0.1:0', ...words]);
      assert.match(stderr, said, words.join(' '));
      assert.equal(exitCode, status, stderr);
    }
  });
});
