/** What cosign signs in a docker-registry complies with a policy, and what it did not sign does not. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { app, buildDemoIndex, imageFor, one, two } from '../../commands/copy/places.ts';
import { ocictl } from '../../support/command.ts';
import { pushImage } from '../../support/images.ts';
import { start } from '../../support/process.ts';
import { needs, startDockerRegistry } from '../../support/programs.ts';
import { openRemote } from '../../support/remotes.ts';
import { sandbox } from '../../support/sandbox.ts';

const [image, { index }] = [await imageFor('amd64', ['a']), await buildDemoIndex()];

async function cosign(t: TestContext, ...words: readonly string[]): Promise<void> {
  const { home, env } = await sandbox(t);
  const path = process.env['PATH'] ?? '';
  // It looks for sigstore's servers even where it needs none: a proxy that is not there ends that at once.
  const variables = { ...env, COSIGN_PASSWORD: 'secret', PATH: path, HTTPS_PROXY: 'http://127.0.0.1:9' };
  const { exitCode, stderr } = await start(t, 'cosign', words, { cwd: home, env: variables, timeoutMs: 120_000 })
    .result;
  assert.equal(exitCode, 0, stderr);
}

describe('a policy over what cosign signs', () => {
  it('lets pulls and copies of it pass, and no others', async (t) => {
    if (!needs(t, 'cosign', 'docker-registry')) return;
    const { url, host } = await startDockerRegistry(t);
    const remote = openRemote(t, url);
    await pushImage(remote, app, one, image);
    await pushImage(remote, app, two, index);
    const { home } = await sandbox(t);
    await cosign(t, 'generate-key-pair', '--output-key-prefix', 'team');
    const rule = `"${host}/**": { signed-by: [{ key: team.pub }] }`;
    await writeFile(join(home, 'policy.yaml'), `default: reject\nregistries:\n  ${rule}\n`);
    const requirement = { type: 'sigstoreSigned', keyPath: 'team.pub', signedIdentity: { type: 'matchRepository' } };
    const scopes = { docker: { [host]: [requirement] } };
    await writeFile(join(home, 'policy.json'), JSON.stringify({ default: [{ type: 'reject' }], transports: scopes }));
    const statuses = async (): Promise<readonly unknown[]> => {
      const found: unknown[] = [];
      for (const policy of ['policy.yaml', 'policy.json']) {
        for (const tag of ['1', '2']) {
          const name = `${host}/team/app:${tag}`;
          const pulled = await ocictl(t, ['pull', '--policy', policy, '--platform', 'linux/amd64', name]);
          const copied = await ocictl(t, ['copy', '--policy', policy, name, `${host}/copies/app:${tag}`]);
          found.push(pulled.exitCode, copied.exitCode);
        }
      }
      return found;
    };
    const all = (exitCode: number) => Array.from({ length: 8 }, () => exitCode);
    assert.deepEqual(await statuses(), all(11));
    const sign = ['sign', '--yes', '--tlog-upload=false', '--key', 'team.key', '--allow-http-registry'];
    await cosign(t, ...sign, `${host}/team/app@${image.descriptor.digest}`);
    await cosign(t, ...sign, `${host}/team/app@${index.descriptor.digest}`);
    // A policy.json asks for each image.
    assert.deepEqual(await statuses(), [0, 0, 0, 0, 0, 0, 11, 11]);
    await cosign(t, ...sign, '--recursive', `${host}/team/app@${index.descriptor.digest}`);
    assert.deepEqual(await statuses(), all(0));
  });
});
