/** Two processes attach to one image at the same moment, where clients maintain the list of referrers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { all } from '../contract/contract.ts';
import { spawnOcictl } from '../support/command.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { needs, startDockerRegistry } from '../support/programs.ts';
import { openRemote } from '../support/remotes.ts';

const each = 50;
const repo = parseRepositoryName('team/app');

for (const distribution of [2, 3] as const) {
  describe(`two writers of one fallback tag at distribution ${distribution}`, { concurrency: false }, () => {
    it(`lose none of ${each} attachments each`, async (t) => {
      if (!needs(t, distribution === 2 ? 'docker-registry' : 'registry')) return;
      const { host, url } = await startDockerRegistry(t, distribution === 3 ? { distribution } : {});
      const remote = openRemote(t, url);
      const image = await buildImage({ layers: [] });
      await pushImage(remote, repo, parseTag('1'), image);
      const attached: string[] = [];
      const writer = async (name: string): Promise<void> => {
        for (let n = 0; n < each; n += 1) {
          const words = ['attach', `${host}/${repo}:1`, '--artifact-type', `a/${name}`, '-a', `n=${n}`, '--json'];
          const { exitCode, stdout, stderr } = await (await spawnOcictl(t, words, { timeoutMs: 120_000 })).result;
          assert.equal(exitCode, 0, `${name} ${n}: ${stderr}`);
          attached.push((JSON.parse(stdout) as { readonly digest: string }).digest);
        }
      };
      await Promise.all(['one', 'two'].map(writer));
      const listed = await all(remote.referrers(repo, image.descriptor.digest, { checked: true }));
      assert.equal(new Set(attached).size, 2 * each);
      assert.deepEqual(
        listed.map(({ digest }) => digest),
        attached.sort(),
      );
      assert.deepEqual(new Set(listed.map(({ artifactType }) => artifactType)), new Set(['a/one', 'a/two']));
    });
  });
}
