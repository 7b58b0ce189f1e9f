/** Lists of parts that cosign and oras keep, at three registries. BuildKit's are made by hand in test/commands. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { app, one } from '../../commands/copy/places.ts';
import { ocictl } from '../../support/command.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { start } from '../../support/process.ts';
import { insecure, setUpCosign } from '../../support/programs/cosign.ts';
import { needs, startDockerRegistry } from '../../support/programs.ts';
import { startServe } from '../../support/registries.ts';
import { openRemote } from '../../support/remotes.ts';
import { sandbox } from '../../support/sandbox.ts';

const kinds = {
  'docker-registry 2.8': (t: TestContext) => startDockerRegistry(t),
  'distribution 3': (t: TestContext) => startDockerRegistry(t, { distribution: 3 }),
  'ocictl serve': (t: TestContext) => startServe(t),
};

const spdx = '{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"parts"}';
const cyclonedx = '{"bomFormat":"CycloneDX","specVersion":"1.6","version":1}';

for (const [kind, open] of Object.entries(kinds)) {
  describe(`ocictl sbom at ${kind}`, { concurrency: false }, () => {
    it("prints what cosign attached and attested, as tag and as bundle, and oras's artifact", async (t) => {
      if (!needs(t, 'docker-registry', 'registry', 'cosign', 'oras')) return;
      const { url, host } = await open(t);
      const remote = openRemote(t, url);
      const { home } = await sandbox(t);
      await writeFile(join(home, 'spdx.json'), spdx);
      await writeFile(join(home, 'cyclonedx.json'), cyclonedx);
      const cosign = await setUpCosign(t);
      const attest = ['attest', '--yes', '--tlog-upload=false', '--key', cosign.key, ...insecure];
      const forms: readonly (readonly [
        name: string,
        kind: string,
        text: string,
        attach: (ref: string) => Promise<unknown>,
      ])[] = [
        [
          'attached',
          'attachment',
          spdx,
          (ref) =>
            cosign.run([
              'attach',
              'sbom',
              '--sbom',
              'spdx.json',
              '--type',
              'spdx',
              '--input-format',
              'json',
              ...insecure,
              ref,
            ]),
        ],
        [
          'attested',
          'attestation',
          spdx,
          (ref) => cosign.run([...attest, '--type', 'spdxjson', '--predicate', 'spdx.json', ref]),
        ],
        [
          'bundled',
          'bundle',
          cyclonedx,
          (ref) =>
            cosign.run([...attest, '--new-bundle-format', '--type', 'cyclonedx', '--predicate', 'cyclonedx.json', ref]),
        ],
        [
          'referred',
          'referrer',
          cyclonedx,
          (ref) =>
            oras(t, [
              'attach',
              '--plain-http',
              '--artifact-type',
              'application/vnd.cyclonedx+json',
              ref,
              'cyclonedx.json:application/vnd.cyclonedx+json',
            ]),
        ],
      ];
      for (const [name, kept, text, attach] of forms) {
        const image = await buildImage({ layers: [{ files: { name } }] });
        await pushImage(remote, app, one, image);
        await attach(`${host}/team/app@${image.descriptor.digest}`);
        const { exitCode, stdout, stderr } = await ocictl(t, ['sbom', `${host}/team/app:1`]);
        assert.equal(exitCode, 0, `${name}: ${stderr}`);
        assert.deepEqual(JSON.parse(stdout), JSON.parse(text), name);
        if (kept !== 'attestation' && kept !== 'bundle') assert.equal(stdout, text);
        const listed = await ocictl(t, ['sbom', '--list', '--json', `${host}/team/app:1`]);
        assert.equal((JSON.parse(listed.stdout) as { kind: string }).kind, kept, listed.stderr);
      }
    });
  });
}

async function oras(t: TestContext, words: readonly string[]): Promise<void> {
  const { home } = await sandbox(t);
  const env = { PATH: process.env['PATH'] ?? '', HOME: home };
  const { exitCode, stderr } = await start(t, 'oras', words, { env, cwd: home, timeoutMs: 60_000, input: '' }).result;
  assert.equal(exitCode, 0, `oras ${words.join(' ')}: ${stderr}`);
}
