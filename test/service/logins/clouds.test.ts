import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { cloudRegistry } from '../../../src/service/cloud-logins/hosts.ts';
import { ocictl } from '../../support/command.ts';
import { hosts, keys, secrets, startClouds } from '../../support/logins/clouds.ts';
import { type Scope, sandbox, temporaryDirectory } from '../../support/sandbox.ts';

describe('the registries of clouds', () => {
  it('are known by their names alone', () => {
    const kinds = (name: string): string | undefined => cloudRegistry(name)?.cloud;
    for (const name of [hosts.amazon, `${hosts.amazon}/team/app`, '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn']) {
      assert.equal(kinds(name), 'amazon', name);
    }
    for (const name of [hosts.azure, 'team.geo.azurecr.io']) assert.equal(kinds(name), 'azure', name);
    for (const name of [hosts.google, 'gcr.io', 'eu.gcr.io']) assert.equal(kinds(name), 'google', name);
    const others = [
      'docker.io',
      'evil-azurecr.io',
      'team.azurecr.io.example.com',
      `x${hosts.amazon}`,
      `${hosts.amazon}.example.com`,
      `${hosts.amazon}:5000`,
      'docker.pkg.dev.example.com',
      'example.com/team.azurecr.io',
      '123456789012.dkr.ecr.evil.example/amazonaws.com',
    ];
    for (const name of others) assert.equal(kinds(name), undefined, name);
  });

  it('of Amazon have an API in their region, also for FIPS and in China', () => {
    const api = (name: string): unknown => {
      const found = cloudRegistry(name);
      return found?.cloud === 'amazon' ? [found.region, found.api] : undefined;
    };
    assert.deepEqual(api(hosts.amazon), ['eu-west-1', 'https://api.ecr.eu-west-1.amazonaws.com/']);
    assert.deepEqual(api('123456789012.dkr.ecr-fips.us-east-1.amazonaws.com'), [
      'us-east-1',
      'https://ecr-fips.us-east-1.amazonaws.com/',
    ]);
    assert.deepEqual(api('123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn'), [
      'cn-north-1',
      'https://api.ecr.cn-north-1.amazonaws.com.cn/',
    ]);
  });
});

/** Packages in the place of the clouds' own. @returns The variable with which Node finds them. */
async function packages(t: Scope, sources: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const directory = await temporaryDirectory(t);
  for (const [name, source] of Object.entries(sources)) {
    const file = join(directory, name, 'index.js');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, source);
  }
  return { NODE_PATH: directory };
}

const awsKeys = { AWS_ACCESS_KEY_ID: keys.id, AWS_SECRET_ACCESS_KEY: keys.secret, AWS_SESSION_TOKEN: keys.session };

const run = (t: TestContext, words: readonly string[], env: Readonly<Record<string, string>>) =>
  ocictl(t, words, { env, ownProcess: true });

function assertNoSecret(text: string): void {
  for (const secret of [...Object.values(secrets), keys.secret, keys.session]) assert.ok(!text.includes(secret), text);
}

describe('a login for the registry of a cloud', () => {
  it('is made with the keys of AWS, where none is stored', async (t) => {
    const { api, registry, env } = await startClouds(t);
    const { exitCode, stdout, stderr } = await run(t, ['-vv', 'digest', `${hosts.amazon}/app:1`], {
      ...env,
      ...awsKeys,
      AWS_ENDPOINT_URL_ECR: api.url,
    });
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^sha256:a{64}$/m);
    assert.deepEqual(api.lines, ['POST /']);
    assert.equal(api.requests[0]?.headers['x-amz-security-token'], keys.session);
    assert.equal(registry.requests.at(-1)?.headers.host, hosts.amazon);
    assertNoSecret(stdout + stderr);
  });

  it('is made with an identity of Azure, and with one of Google Cloud', async (t) => {
    const { env } = await startClouds(t);
    const found = await packages(t, {
      '@azure/identity': `exports.DefaultAzureCredential = class {
        async getToken(scope) { return scope === 'https://containerregistry.azure.net/.default' && { token: '${secrets.entra}' }; }
      };`,
      'google-auth-library': `exports.GoogleAuth = class { async getAccessToken() { return '${secrets.google}'; } };`,
    });
    for (const host of [hosts.azure, hosts.google]) {
      const { exitCode, stdout, stderr } = await run(t, ['-vv', 'digest', `${host}/team/app:1`], { ...env, ...found });
      assert.equal(exitCode, 0, stderr);
      assertNoSecret(stdout + stderr);
    }
  });

  it('is not made where a login is stored, nor with cloud-logins: off', async (t) => {
    const { api, registry, env } = await startClouds(t);
    const { dockerConfig, home } = await sandbox(t);
    const words = ['digest', `${hosts.amazon}/app:1`];
    const all = { ...env, ...awsKeys, AWS_ENDPOINT_URL_ECR: api.url };
    const auth = Buffer.from('ada:stored').toString('base64');
    const config = join(dockerConfig, 'config.json');
    await writeFile(config, JSON.stringify({ auths: { [hosts.amazon]: { auth } } }));
    assert.equal((await run(t, words, all)).exitCode, 4);
    assert.ok(registry.requests.some(({ headers }) => headers.authorization === `Basic ${auth}`));
    await writeFile(config, '{}');
    await mkdir(join(home, 'config', 'ocictl'), { recursive: true });
    await writeFile(join(home, 'config', 'ocictl', 'config.yaml'), 'cloud-logins: off\n');
    assert.equal((await run(t, words, all)).exitCode, 4);
    assert.deepEqual(api.lines, []);
  });

  it('is not made for a host whose certificate is not verified', async (t) => {
    const { api, env } = await startClouds(t);
    const words = ['digest', '--insecure-registry', hosts.amazon, `${hosts.amazon}/app:1`];
    const { exitCode } = await run(t, words, { ...env, ...awsKeys, AWS_ENDPOINT_URL_ECR: api.url });
    assert.equal(exitCode, 4);
    assert.deepEqual(api.lines, []);
  });

  it('that cannot be made is told in one warning, without secrets, and the registry is asked anonymously', async (t) => {
    const { api, env } = await startClouds(t);
    const failing = await packages(t, {
      '@azure/identity': `exports.DefaultAzureCredential = class {
        async getToken() { throw new Error('there is no identity\\nwith many lines'); }
      };`,
    });
    const wrong = { ...awsKeys, AWS_SECRET_ACCESS_KEY: 'wrong', AWS_ENDPOINT_URL_ECR: api.url };
    const amazon = await run(t, ['digest', `${hosts.amazon}/app:1`], { ...env, ...wrong });
    assert.equal(amazon.exitCode, 4);
    const refusal = `warning: no login was made for AWS: ${api.host} refuses a login for Amazon ECR: 400 InvalidSignatureException\n`;
    assert.ok(amazon.stderr.includes(refusal), amazon.stderr);
    assertNoSecret(amazon.stderr);
    const azure = await run(t, ['digest', `${hosts.azure}/app:1`], { ...env, ...failing });
    assert.equal(azure.exitCode, 4);
    assert.match(azure.stderr, /^warning: no login was made for Azure: there is no identity$/m);
  });

  it('is made once for all repositories, and tried once where it cannot be made', async (t) => {
    for (const secret of [keys.secret, 'wrong']) {
      const { api, env } = await startClouds(t);
      const images = ['a', 'b', 'c'].map((name) => `${hosts.amazon}/${name}:1`);
      const given = { ...awsKeys, AWS_SECRET_ACCESS_KEY: secret, AWS_ENDPOINT_URL_ECR: api.url };
      await run(t, ['pull', '-q', ...images], { ...env, ...given });
      assert.deepEqual(api.lines, ['POST /'], secret);
    }
  });

  it('is named by doctor, and so is the package that is missing', async (t) => {
    const { api, env } = await startClouds(t);
    const image = `${hosts.amazon}/app:1`;
    const made = await run(t, ['doctor', image], { ...env, ...awsKeys, AWS_ENDPOINT_URL_ECR: api.url });
    assert.match(made.stdout, /AWS, by password, from the AWS identity of this machine/);
    const missing = await run(t, ['doctor', image], env);
    assert.match(missing.stdout, /install @aws-sdk\/credential-provider-node beside ocictl/);
  });
});
