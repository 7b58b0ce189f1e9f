/** What oras, regctl and cosign hang on an image, on all levels, goes through layouts, archives, the local store and sync. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { app, buildDemoIndex, one } from '../../commands/copy/places.ts';
import { ocictl } from '../../support/command.ts';
import { pushImage } from '../../support/images.ts';
import { start } from '../../support/process.ts';
import { insecure, setUpCosign } from '../../support/programs/cosign.ts';
import { needs, startDockerRegistry } from '../../support/programs.ts';
import { startServe } from '../../support/registries.ts';
import { openRemote } from '../../support/remotes.ts';
import { sandbox } from '../../support/sandbox.ts';

const kinds = {
  'docker-registry': (t: TestContext) => startDockerRegistry(t),
  'distribution v3': (t: TestContext) => startDockerRegistry(t, { distribution: 3 }),
  'ocictl serve': (t: TestContext) => startServe(t),
};

const all = ['--referrers', '--digest-tags'];

/** The commands that bring an image from a registry to another one. The file of sync is written before. */
const ways = (from: string, to: string): Readonly<Record<string, readonly (readonly string[])[]>> => ({
  'two layouts': [
    ['copy', ...all, from, 'oci:first:1'],
    ['copy', ...all, 'oci:first:1', 'oci:second:2'],
    ['copy', ...all, 'oci:second:2', to],
  ],
  'save, and copy of the archive': [
    ['save', ...all, '--platform', 'all', '-o', 'saved.tar', from],
    ['copy', ...all, 'oci-archive:saved.tar', to],
  ],
  'save, load and copy from the store': [
    ['save', ...all, '--platform', 'all', '-o', 'again.tar', from],
    ['load', '-q', '-i', 'again.tar'],
    ['copy', ...all, `store:${from}`, to],
  ],
  sync: [['sync', '-q', 'sync.yaml']],
});

for (const [name, startKind] of Object.entries(kinds)) {
  const others = Object.entries(kinds).filter(([other]) => other !== name);
  describe(`what hangs on an image at ${name}`, { concurrency: false }, () => {
    it('hangs on it afterwards, and cosign verifies it', async (t) => {
      if (!needs(t, 'docker-registry', 'registry', 'oras', 'regctl', 'cosign')) return;
      const { host, url } = await startKind(t);
      const { home } = await sandbox(t);
      const { index, arm64, amd64 } = await buildDemoIndex();
      await pushImage(openRemote(t, url), app, one, index);
      const from = `${host}/team/app:1`;
      const [image, child, other] = [index, arm64, amd64].map(
        ({ descriptor }) => `${host}/team/app@${descriptor.digest}`,
      );
      assert.ok(image && child && other);
      const { run: cosign } = await setUpCosign(t);
      const sign = ['sign', '--yes', '--tlog-upload=false', '--key', 'cosign.key', ...insecure];
      await writeFile(join(home, 'sbom.json'), '{}');
      const attach = (subject: string, type: string) =>
        program(t, 'oras', [
          'attach',
          '--plain-http',
          '--format',
          'json',
          '--artifact-type',
          type,
          subject,
          'sbom.json',
        ]);
      for (const subject of [image, child]) await cosign([...sign, subject]);
      await cosign([...sign, '--new-bundle-format', image]);
      await cosign([...sign, '--new-bundle-format', other]);
      const { digest } = JSON.parse(await attach(image, 'a/first')) as { readonly digest: string };
      await attach(`${host}/team/app@${digest}`, 'a/second');
      await attach(child, 'a/child');
      const wanted = await discovered(t, from);
      assert.equal(wanted.length, 8, wanted.join(' '));

      const root = { mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' };
      await writeFile(join(home, 'root.json'), JSON.stringify(root));
      for (const [i, way] of Object.keys(ways('', '')).entries()) {
        const [kind, startOther] = others[i % others.length] ?? [];
        const { host: there } = (await startOther?.(t)) ?? { host: '' };
        const to = `${there}/copied/app:1`;
        const source = { from: from.replace(/:1$/, ''), tags: ['1'] };
        const file = { to: `${there}/copied/app`, referrers: true, 'digest-tags': true, sources: [source] };
        await writeFile(join(home, 'sync.yaml'), JSON.stringify(file));
        for (const words of ways(from, to)[way] ?? []) {
          const { exitCode, stderr } = await ocictl(t, words);
          assert.equal(exitCode, 0, `${way} to ${kind}: ocictl ${words.join(' ')}: ${stderr}`);
        }
        assert.deepEqual(await discovered(t, to), wanted, `${way} to ${kind}`);
        const key = ['--key', 'cosign.pub', '--insecure-ignore-tlog', '--trusted-root', 'root.json', ...insecure];
        const at = (of: typeof index): string => `${there}/copied/app@${of.descriptor.digest}`;
        await cosign(['verify', ...key, at(arm64)]);
        await cosign(['verify', '--new-bundle-format', ...key, at(index)]);
      }

      // regctl's copy has no more.
      const { host: last } = await startServe(t);
      const hosts = [host, last].flatMap((each) => ['--host', `reg=${each},tls=disabled`]);
      await program(t, 'regctl', [...hosts, 'image', 'copy', ...all, from, `${last}/copied/app:1`]);
      assert.deepEqual(await discovered(t, `${last}/copied/app:1`), wanted, 'regctl');
    });
  });
}

/** What hangs on an image, by what it hangs on: `sha256:… a/type`. */
async function discovered(t: TestContext, name: string): Promise<readonly string[]> {
  const { stdout, stderr, exitCode } = await ocictl(t, ['discover', '--json', name]);
  assert.equal(exitCode, 0, stderr);
  return linesOf(JSON.parse(stdout)).sort();
}

interface Found {
  readonly digest: string;
  readonly kind: string;
  readonly tag?: string;
  readonly artifactType?: string;
  readonly referrers: readonly Found[];
}

function linesOf({ digest, referrers }: Found): string[] {
  return referrers.flatMap((each) => [
    ...(each.kind === 'child' ? [] : [`${digest} ${each.kind} ${each.tag ?? each.artifactType} ${each.digest}`]),
    ...linesOf(each),
  ]);
}

async function program(t: TestContext, name: string, words: readonly string[]): Promise<string> {
  const { home } = await sandbox(t);
  const env = { PATH: process.env['PATH'] ?? '', HOME: home };
  const { exitCode, stdout, stderr } = await start(t, name, words, { env, cwd: home, timeoutMs: 60_000 }).result;
  assert.equal(exitCode, 0, `${name} ${words.join(' ')}: ${stderr}`);
  return stdout;
}
