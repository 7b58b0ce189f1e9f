/** `delete --referrers --save` and its undoing; cosign, oras and regctl make what hangs on an image, and judge. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { isDigestTag } from '../../../src/model/reference/digest-tag.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { app, assertWhole, buildDemoIndex, one, two } from '../../commands/copy/places.ts';
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

for (const [kind, open] of Object.entries(kinds)) {
  describe(`delete --referrers --save at ${kind}`, { concurrency: false }, () => {
    it('takes everything along, and undoing brings it back as it was', async (t) => {
      if (!needs(t, 'docker-registry', 'registry', 'cosign', 'oras', 'regctl')) return;
      const { url, host } = await open(t);
      const remote = openRemote(t, url);
      const image = await buildImage({ layers: [{ files: { a: 'a' } }] });
      const { index } = await buildDemoIndex();
      for (const tag of [one, two]) await pushImage(remote, app, tag, image);
      await pushImage(remote, app, parseTag('other'), index);
      const { digest } = image.descriptor;
      const name = `${host}/team/app`;
      const { home } = await sandbox(t);
      await writeFile(join(home, 'parts.json'), '{"spdxVersion":"SPDX-2.3"}');
      const cosign = await setUpCosign(t);
      const sign = ['sign', '--yes', '--tlog-upload=false', '--key', cosign.key, ...insecure];
      await cosign.run([...sign, `${name}@${digest}`]);
      await cosign.run(['attach', 'sbom', '--sbom', 'parts.json', ...insecure, `${name}@${digest}`]);
      const attach = ['attach', '--plain-http', '--artifact-type', 'application/spdx+json', '--format', 'json'];
      const attached = await program(t, 'oras', [...attach, `${name}@${digest}`, 'parts.json']);
      const { digest: referrer } = JSON.parse(attached) as { digest: string };
      const regctl = ['--host', `reg=${host},tls=disabled`, 'artifact', 'put', '--artifact-type=a/report'];
      await program(t, 'regctl', [...regctl, `--subject=${name}@${referrer}`]);
      await cosign.run([...sign, `${name}@${referrer}`]);
      const before = await hanging(t, host, digest);
      assert.equal(before.length, 5, before.join('\n'));

      const words = ['--referrers', `${name}@${digest}`];
      const would = await ocictl(t, ['delete', '--dry-run', '--json', ...words]);
      assert.equal(would.exitCode, 12, would.stderr);
      const gone = await ocictl(t, ['delete', '--yes', '--json', '--save', 'gone.tar', ...words]);
      assert.equal(gone.exitCode, 0, gone.stderr);
      const { wouldDelete } = JSON.parse(would.stdout) as { wouldDelete: readonly string[] };
      assert.deepEqual(JSON.parse(gone.stdout), { deleted: wouldDelete, leftBehind: [] });
      assert.deepEqual(wouldDelete.slice(-3), [`${name}@${digest}`, `${name}:1`, `${name}:2`]);
      assert.equal((await ocictl(t, ['tags', name])).stdout, 'other\n');
      await assert.rejects(remote.statManifest(app, referrer as typeof digest));
      await assertWhole(remote, app, index);

      const undone = await ocictl(t, ['manifest', 'put', name, 'oci-archive:gone.tar']);
      assert.equal(undone.exitCode, 0, undone.stderr);
      assert.equal((await ocictl(t, ['digest', `${name}:2`])).stdout, `${digest}\n`);
      assert.equal((await ocictl(t, ['pull', '-q', `${name}:1`])).exitCode, 0);
      assert.deepEqual(await hanging(t, host, digest), before);
      const verify = ['verify', '--key', cosign.publicKey, '--insecure-ignore-tlog', '--private-infrastructure'];
      await cosign.run([...verify, ...insecure, `${name}:1`]);
      const tree = await program(t, 'oras', ['discover', '--plain-http', `${name}:1`]);
      assert.match(tree, /application\/spdx\+json/);
      assert.match(tree, /a\/report/);
    });
  });
}

/** Referrers on all levels by subject, and tags that are named after digests. */
async function hanging(t: TestContext, host: string, root: string): Promise<readonly string[]> {
  const remote = openRemote(t, `http://${host}`);
  const subjects = new Set([root as Awaited<ReturnType<typeof remote.statManifest>>['digest']]);
  const found: string[] = [];
  for (const subject of subjects) {
    for await (const { digest, artifactType } of remote.referrers(app, subject)) {
      subjects.add(digest);
      found.push(`${digest} of type ${artifactType} refers to ${subject}`);
    }
  }
  for await (const tag of remote.tags(app)) {
    if (isDigestTag(tag)) found.push(`${tag} is ${(await remote.statManifest(app, tag)).digest}`);
  }
  return found.sort();
}

async function program(t: TestContext, name: string, words: readonly string[]): Promise<string> {
  const { home } = await sandbox(t);
  const env = { PATH: process.env['PATH'] ?? '', HOME: home };
  const { exitCode, stdout, stderr } = await start(t, name, words, { env, cwd: home, timeoutMs: 60_000, input: '' })
    .result;
  assert.equal(exitCode, 0, `${name} ${words.join(' ')}: ${stderr}`);
  return stdout;
}
