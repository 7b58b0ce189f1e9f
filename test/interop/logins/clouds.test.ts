import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { hosts, startClouds } from '../../support/logins/clouds.ts';

/** Where the clouds' own packages are installed, since they are too large for a checkout. `.ci/run` installs them. */
const packages = process.env['OCICTL_TEST_CLOUD_PACKAGES'];

function isInstalled(t: TestContext): boolean {
  if (packages !== undefined) return true;
  assert.ok(process.env['OCICTL_TEST_REQUIRE_PROGRAMS'] === undefined, 'OCICTL_TEST_CLOUD_PACKAGES is not set');
  t.skip('OCICTL_TEST_CLOUD_PACKAGES is not set');
  return false;
}

describe("a login that is made with the cloud's own package", () => {
  const identities: Readonly<Record<keyof typeof hosts, (api: URL) => Record<string, string>>> = {
    amazon: (api) => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: new URL('aws-keys', api).href,
      AWS_ENDPOINT_URL_ECR: api.href,
      AWS_EC2_METADATA_DISABLED: 'true',
    }),
    azure: (api) => ({ IDENTITY_ENDPOINT: new URL('azure', api).href, IDENTITY_HEADER: 'header' }),
    google: (api) => ({ GCE_METADATA_HOST: api.host, GOOGLE_CLOUD_PROJECT: 'team' }),
  };
  for (const [cloud, identity] of Object.entries(identities)) {
    it(`is accepted by the registry of ${cloud}`, async (t) => {
      if (!isInstalled(t)) return;
      const { api, env } = await startClouds(t);
      const image = `${hosts[cloud as keyof typeof hosts]}/team/app:1`;
      const found = { ...env, ...identity(new URL(api.url)), NODE_PATH: packages ?? '' };
      const { exitCode, stderr } = await ocictl(t, ['digest', image], { env: found, ownProcess: true });
      assert.equal(exitCode, 0, `${stderr}\n${api.lines.join('\n')}`);
    });
  }
});
