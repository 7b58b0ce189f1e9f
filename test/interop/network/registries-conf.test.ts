import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { start } from '../../support/process.ts';
import { findProgram, needs, startDockerRegistry } from '../../support/programs.ts';
import { openRemote } from '../../support/remotes.ts';
import { sandbox } from '../../support/sandbox.ts';

/** Writes one registries.conf where both programs look for it. */
async function writeRegistriesConf(t: TestContext, text: string): Promise<void> {
  const { home } = await sandbox(t);
  for (const directory of ['config/containers', '.config/containers']) {
    await mkdir(join(home, directory), { recursive: true });
    await writeFile(join(home, directory, 'registries.conf'), text);
  }
}

async function skopeo(t: TestContext, words: readonly string[]) {
  const { home, env } = await sandbox(t);
  const { result } = await start(t, findProgram('skopeo') ?? 'skopeo', words, { cwd: home, env, timeoutMs: 30_000 });
  return result;
}

describe('a rule of registries.conf that blocks', () => {
  const rules = [
    '[[registry]]\nlocation = "127.0.0.1:1/foo"\nblocked = true',
    '[[registry]]\nlocation = "127.0.0.1"\nblocked = true',
    '[[registry]]\nprefix = "*.localhost"\nblocked = true',
    '[[registry]]\nlocation = "127.0.0.1:1"\nblocked = true\n[[registry]]\nlocation = "127.0.0.1:1/foo/bar"',
    '[[registry]]\nlocation = "127.0.0.1:1/foo/"\nblocked = true\n[[registry]]\nlocation = "127.0.0.1:2"\nblocked = false',
    '[registries.block]\nregistries = ["127.0.0.1:2"]',
  ];
  const references = [
    '127.0.0.1:1/foo',
    '127.0.0.1:1/foo/bar',
    '127.0.0.1:1/foobar',
    '127.0.0.1:2/foo',
    'a.localhost:1/foo',
    'localhost:1/foo',
  ];
  for (const text of rules) {
    it(`${JSON.stringify(text)} blocks what skopeo finds blocked, and nothing else`, async (t) => {
      if (!needs(t, 'skopeo')) return;
      await writeRegistriesConf(t, text);
      for (const reference of references) {
        const [theirs, ours] = await Promise.all([
          skopeo(t, ['inspect', `docker://${reference}`]),
          ocictl(t, ['digest', reference]),
        ]);
        const [blocked, open] = [/is blocked/, /refused|no such host|lookup|ENOTFOUND|nobody answers/];
        assert.match(theirs.stderr, blocked.test(theirs.stderr) ? blocked : open, `skopeo with ${reference}`);
        assert.equal(blocked.test(ours.stderr), blocked.test(theirs.stderr), `${reference}: ${ours.stderr}`);
        assert.notEqual(ours.exitCode, 0);
      }
    });
  }
});

describe('a location and mirrors of registries.conf', () => {
  it('lead where they lead skopeo', async (t) => {
    if (!needs(t, 'skopeo', 'docker-registry')) return;
    const { url, host } = await startDockerRegistry(t);
    const image = await buildImage({ layers: [{ files: { a: 'a' } }] });
    await pushImage(openRemote(t, url), parseRepositoryName('team/app'), parseTag('1'), image);
    await writeRegistriesConf(
      t,
      [
        `[[registry]]\nprefix = "moved.example/foo"\nlocation = "${host}/team"\ninsecure = true`,
        '[[registry]]\nprefix = "mirrored.example"\nlocation = "127.0.0.1:1"',
        '[[registry.mirror]]\nlocation = "127.0.0.1:1/absent"',
        `[[registry.mirror]]\nlocation = "${host}"\ninsecure = true`,
        `[[registry]]\nprefix = "*.wild.example"\nlocation = "${host}/team"\ninsecure = true`,
      ].join('\n'),
    );
    for (const reference of ['moved.example/foo/app:1', 'mirrored.example/team/app:1', 'any.wild.example/app:1']) {
      const theirs = await skopeo(t, ['inspect', '--raw', `docker://${reference}`]);
      assert.equal(theirs.exitCode, 0, theirs.stderr);
      const ours = await ocictl(t, ['digest', reference]);
      assert.equal(ours.stdout, `${image.descriptor.digest}\n`, ours.stderr);
    }
  });
});
