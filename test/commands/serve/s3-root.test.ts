import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { fault } from '../../storage/drivers/s3/s3-fake.ts';
import { ocictl } from '../../support/command.ts';
import { type Answer, startFakeServer } from '../../support/fake-server.ts';
import { deadAddress } from '../../support/network/ports.ts';

const secret = 'wJalrXUtnFEMI';
const keys = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: secret };

interface Ended {
  readonly exitCode: number | null;
  readonly stderr: string;
}

async function serve(t: TestContext, root: string, env: Record<string, string> = keys): Promise<Ended> {
  const { exitCode, stderr } = await ocictl(t, ['serve', '--addr', '127.0.0.1:0', '--root', root], { env });
  assert.ok(!stderr.includes(secret), stderr);
  return { exitCode, stderr };
}

describe('serve --root s3://… does not start', () => {
  it('without keys, and says how to give some', async (t) => {
    const { exitCode, stderr } = await serve(t, 's3://images?region=eu-central-1', {});
    assert.equal(exitCode, 2);
    assert.match(stderr, /there are no keys for S3: \$AWS_ACCESS_KEY_ID is not set/);
    assert.match(stderr, /npm install @aws-sdk\/credential-provider-node/);
  });

  it('with a URL that has them, and does not show it', async (t) => {
    const { exitCode, stderr } = await serve(t, `s3://AKIDEXAMPLE:${secret}@images?region=eu-central-1`);
    assert.equal(exitCode, 2);
    assert.match(stderr, /the URL has a user or a password/);
  });

  it('where nothing listens', async (t) => {
    const { exitCode, stderr } = await serve(t, `s3://images?endpoint=http://${await deadAddress()}`);
    assert.equal(exitCode, 5);
    assert.match(stderr, /s3:\/\/images: cannot list docker\/registry\/v2\/: 127\.0\.0\.1:\d+: connection refused/);
  });

  const answers: readonly (readonly [string, Answer, RegExp])[] = [
    [
      'over a web server',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><p>It works!'),
      /answers with something else than XML[\s\S]*check the endpoint/,
    ],
    ['with a wrong secret', (_, response) => fault(response, 403, 'SignatureDoesNotMatch'), /\$AWS_SECRET_ACCESS_KEY/],
    ['in a bucket that is not there', (_, response) => fault(response, 404, 'NoSuchBucket'), /there is no such bucket/],
    [
      'with keys that may only read',
      ({ method }, response) =>
        method === 'GET' ? response.end('<ListBucketResult></ListBucketResult>') : fault(response, 403, 'AccessDenied'),
      /cannot write clock\/\S+: the key may not do that[\s\S]*docs\/serving\.md[\s\S]*or use --read-only/,
    ],
  ];
  for (const [name, answer, told] of answers) {
    it(name, async (t) => {
      const { host } = await startFakeServer(t, answer);
      const { exitCode, stderr } = await serve(t, `s3://images/team?endpoint=http://${host}`);
      assert.equal(exitCode, 10, stderr);
      assert.match(stderr, told);
    });
  }
});

describe('storage gc --root s3://…', () => {
  it('leaves a bucket alone in which no registry is', async (t) => {
    const server = await startFakeServer(t, (_, response) => {
      response.end('<ListBucketResult></ListBucketResult>');
    });
    const { exitCode, stderr } = await ocictl(
      t,
      ['storage', 'gc', '--root', `s3://images/team?endpoint=http://${server.host}`],
      {
        env: keys,
      },
    );
    assert.equal(exitCode, 10);
    assert.match(stderr, /s3:\/\/images\/team holds no registry: there is nothing below docker\/registry\/v2 in it/);
    assert.deepEqual(server.lines, ['GET /images/']);
  });
});
