/** Several clients that attach to one image, at registries where clients maintain the list of referrers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { all } from '../../contract/contract.ts';
import { type Built, buildArtifact, buildImage, pushImage } from '../../support/images.ts';
import { needs, startDockerRegistry } from '../../support/programs.ts';
import { openRemote } from '../../support/remotes.ts';

const repo = parseRepositoryName('team/app');
/** Of each of two clients. */
const count = Number(process.env['OCICTL_TEST_ATTACHMENTS'] ?? 25);

for (const distribution of [2, 3] as const) {
  describe(`the list of referrers at distribution ${distribution}`, { concurrency: false }, () => {
    it('loses nothing of what two clients add and remove at the same time', async (t) => {
      if (!needs(t, distribution === 2 ? 'docker-registry' : 'registry')) return;
      const { url } = await startDockerRegistry(t, distribution === 3 ? { distribution } : {});
      const [reader, ...clients] = [openRemote(t, url), openRemote(t, url), openRemote(t, url)];
      const image = await buildImage({ layers: [] });
      await pushImage(reader, repo, parseTag('1'), image);
      const attached = await Promise.all(
        clients.map((_, c) =>
          Promise.all(
            Array.from({ length: count }, (_, i) =>
              buildArtifact({ artifactType: `a/${c}`, subject: image.descriptor, annotations: { i: String(i) } }),
            ),
          ),
        ),
      );
      const listed = async (): Promise<readonly string[]> =>
        (await all(reader.referrers(repo, image.descriptor.digest))).map(({ digest }) => digest);
      const digests = (built: readonly Built[]): readonly string[] =>
        built.map(({ descriptor }) => descriptor.digest).sort();
      await Promise.all(
        clients.map(async (client, c) => {
          for (const built of attached[c] ?? []) await pushImage(client, repo, undefined, built);
        }),
      );
      assert.deepEqual(await listed(), digests(attached.flat()));

      // One removes what it added while the other goes on.
      const [first = [], second = []] = attached;
      const more = await buildArtifact({ artifactType: 'a/more', subject: image.descriptor });
      await Promise.all([
        (async () => {
          for (const { descriptor } of first) await clients[0]?.deleteManifest(repo, descriptor.digest);
        })(),
        pushImage(reader, repo, undefined, more),
      ]);
      assert.deepEqual(await listed(), digests([...second, more]));
    });
  });
}
