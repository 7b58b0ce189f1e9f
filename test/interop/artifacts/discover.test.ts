/** What oras, regctl and cosign attach is discovered, and they find what is attached with ocictl. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { digestTagsOf } from '../../../src/model/reference/digest-tag.ts';
import { app, buildDemoIndex, one } from '../../commands/copy/places.ts';
import { ocictl } from '../../support/command.ts';
import { buildArtifact, pushImage } from '../../support/images.ts';
import { start } from '../../support/process.ts';
import { needs, startDockerRegistry } from '../../support/programs.ts';
import { startServe } from '../../support/registries.ts';
import { openRemote } from '../../support/remotes.ts';
import { sandbox } from '../../support/sandbox.ts';

const kinds = {
  'docker-registry': (t: TestContext) => startDockerRegistry(t),
  'distribution v3': (t: TestContext) => startDockerRegistry(t, { distribution: 3 }),
  'ocictl serve': (t: TestContext) => startServe(t),
};

/** Cosign 2.6 asks no transparency log, and needs no roots, with these flags. */
const offline = ['--allow-insecure-registry', '--allow-http-registry'];

for (const [name, startKind] of Object.entries(kinds)) {
  describe(`what is attached at ${name}`, { concurrency: false }, () => {
    it('by oras, regctl and cosign is discovered and copied, and what ocictl attached is found by oras and regctl', async (t) => {
      if (!needs(t, 'docker-registry', 'registry', 'oras', 'regctl', 'cosign')) return;
      const { host, url } = await startKind(t);
      const remote = openRemote(t, url);
      const { index, arm64 } = await buildDemoIndex();
      await pushImage(remote, app, one, index);
      const { digest } = index.descriptor;
      const image = `${host}/team/app@${digest}`;
      const { home } = await sandbox(t);
      await writeFile(join(home, 'sbom.json'), '{}');
      const oras = ['attach', '--plain-http', '--artifact-type', 'a/oras', image, 'sbom.json:application/json'];
      await program(t, 'oras', oras);
      const put = [...tls(host), 'artifact', 'put', '--artifact-type', 'a/regctl'];
      await program(t, 'regctl', [...put, '--subject', `${host}/team/app@${arm64.descriptor.digest}`], 'text');
      await program(t, 'cosign', ['generate-key-pair']);
      const sign = ['sign', '--yes', '--tlog-upload=false', '--key', 'cosign.key', ...offline];
      await program(t, 'cosign', [...sign, image]);
      await program(t, 'cosign', [...sign, '--new-bundle-format', image]);
      const ours = await buildArtifact({ artifactType: 'a/ours', subject: index.descriptor });
      await pushImage(remote, app, undefined, ours);

      const found = await discovered(t, `${host}/team/app:1`);
      const [signature] = digestTagsOf(digest);
      const bundle = 'application/vnd.dev.sigstore.bundle.v0.3+json';
      const wanted = ['a/oras', 'a/ours', 'a/regctl', 'attestation', bundle, signature].sort();
      assert.deepEqual(found, wanted);
      assert.match(await program(t, 'oras', ['discover', '--plain-http', image]), /a\/ours/);
      assert.match(await program(t, 'regctl', [...tls(host), 'artifact', 'tree', image]), /a\/ours/);

      for (const [other, startOther] of Object.entries(kinds)) {
        const to = `${(await startOther(t)).host}/copied/app`;
        const copied = await ocictl(t, ['copy', '--referrers', '--digest-tags', `${host}/team/app:1`, `${to}:1`]);
        assert.equal(copied.exitCode, 0, `${other}: ${copied.stderr}`);
        assert.deepEqual(await discovered(t, `${to}:1`), wanted, other);
        // It asks for roots of trust even where a key is all that it needs.
        const root = { mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' };
        await writeFile(join(home, 'root.json'), JSON.stringify(root));
        const key = ['--key', 'cosign.pub', '--insecure-ignore-tlog', '--trusted-root', 'root.json'];
        const verify = ['verify', ...key, ...offline];
        await program(t, 'cosign', [...verify, `${to}@${digest}`]);
      }
    });
  });
}

/** The types, or digest tags, of all that is discovered. */
async function discovered(t: TestContext, name: string): Promise<readonly string[]> {
  const { stdout, stderr, exitCode } = await ocictl(t, ['discover', '--json', name]);
  assert.equal(exitCode, 0, stderr);
  return wordsIn(JSON.parse(stdout)).sort();
}

interface Found {
  readonly kind: string;
  readonly tag?: string;
  readonly artifactType?: string;
  readonly referrers: readonly Found[];
}

function wordsIn({ referrers }: Found): string[] {
  return referrers.flatMap((each) => [
    ...(each.kind === 'child'
      ? []
      : [each.kind === 'attestation' ? each.kind : (each.tag ?? each.artifactType ?? 'no type')]),
    ...wordsIn(each),
  ]);
}

function tls(host: string): readonly string[] {
  return ['--host', `reg=${host},tls=disabled`];
}

async function program(t: TestContext, name: string, words: readonly string[], input = ''): Promise<string> {
  const { home } = await sandbox(t);
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, COSIGN_PASSWORD: '' };
  const { exitCode, stdout, stderr } = await start(t, name, words, { env, cwd: home, timeoutMs: 60_000, input }).result;
  assert.equal(exitCode, 0, `${name} ${words.join(' ')}: ${stderr}`);
  return stdout;
}
