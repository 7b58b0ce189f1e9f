/** What refers to an image, between registries with and without a list of referrers; regctl and oras judge. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { digestTagsOf } from '../../../src/transfer/attached.ts';
import { app, buildDemoIndex, one } from '../../commands/copy/places.ts';
import { ocictl } from '../../support/command.ts';
import { buildArtifact, pushImage } from '../../support/images.ts';
import { start } from '../../support/process.ts';
import { needs, startDockerRegistry } from '../../support/programs.ts';
import { startServe } from '../../support/registries.ts';
import { openRemote } from '../../support/remotes.ts';
import { sandbox } from '../../support/sandbox.ts';

const suite = { concurrency: false };

describe('copy --referrers --digest-tags', suite, () => {
  it('takes a referrer and a signature from docker-registry to a registry with a list, and on to another without', async (t) => {
    if (!needs(t, 'docker-registry', 'regctl', 'oras')) return;
    const [first, second, last] = [await startDockerRegistry(t), await startServe(t), await startDockerRegistry(t)];
    const { index, arm64 } = await buildDemoIndex();
    const remote = openRemote(t, first.url);
    await pushImage(remote, app, one, index);
    const [signature] = digestTagsOf(index.descriptor.digest);
    await pushImage(remote, app, signature, await buildArtifact({ artifactType: 'a/signature' }));
    const subject = `team/app@${arm64.descriptor.digest}`;
    await program(t, 'regctl', [
      ...hosts(first, second, last),
      'artifact',
      'put',
      '--artifact-type=a/parts',
      `--subject=${first.host}/${subject}`,
    ]);
    let from = first.host;
    for (const { host } of [second, last]) {
      const words = ['copy', '--json', '--referrers', '--digest-tags', `${from}/team/app:1`, `${host}/team/app:1`];
      const { exitCode, stdout, stderr } = await ocictl(t, words);
      assert.equal(exitCode, 0, stderr);
      const { referrers, digestTags } = JSON.parse(stdout) as Record<string, readonly string[]>;
      assert.deepEqual([referrers?.length, digestTags], [1, [signature]]);
      const listed = await program(t, 'regctl', [
        ...hosts(first, second, last),
        'artifact',
        'list',
        `${host}/${subject}`,
      ]);
      assert.match(listed, /a\/parts/);
      const discovered = await program(t, 'oras', ['discover', '--plain-http', `${host}/${subject}`]);
      assert.match(discovered, /a\/parts/);
      const tree = ['artifact', 'tree', '--digest-tags', `${host}/team/app:1`];
      assert.match(await program(t, 'regctl', [...hosts(first, second, last), ...tree]), new RegExp(`${signature}`));
      from = host;
    }
  });

  it('takes along what regctl copied into a layout', async (t) => {
    if (!needs(t, 'docker-registry', 'regctl')) return;
    const [first, last] = [await startDockerRegistry(t), await startDockerRegistry(t)];
    const { index } = await buildDemoIndex();
    const remote = openRemote(t, first.url);
    await pushImage(remote, app, one, index);
    const referrer = await buildArtifact({ artifactType: 'a/parts', subject: index.descriptor });
    await pushImage(remote, app, undefined, referrer);
    const { home } = await sandbox(t);
    const layout = `ocidir://${home}/dir:1`;
    const copy = ['image', 'copy', '--referrers', '--digest-tags', `${first.host}/team/app:1`, layout];
    await program(t, 'regctl', [...hosts(first), ...copy]);
    const words = ['copy', '--json', '--referrers', 'oci:dir:1', `${last.host}/team/app:1`];
    const { exitCode, stdout, stderr } = await ocictl(t, words);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual((JSON.parse(stdout) as Record<string, unknown>)['referrers'], [referrer.descriptor.digest]);
  });
});

function hosts(...registries: readonly { readonly host: string }[]): string[] {
  return registries.flatMap(({ host }) => ['--host', `reg=${host},tls=disabled`]);
}

async function program(t: TestContext, name: string, words: readonly string[]): Promise<string> {
  const { home } = await sandbox(t);
  const env = { PATH: process.env['PATH'] ?? '', HOME: home };
  const { exitCode, stdout, stderr } = await start(t, name, words, { env, timeoutMs: 60_000, input: '' }).result;
  assert.equal(exitCode, 0, `${name} ${words.join(' ')}: ${stderr}`);
  return stdout;
}
