import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';
import { type Running, start } from '../support/process.ts';
import { projectRoot } from '../support/project.ts';
import { startServe } from '../support/registries.ts';
import { openRemote } from '../support/remotes.ts';
import { sandbox } from '../support/sandbox.ts';

/** Runs a compiled example, which imports `ocictl` through the package's exports, as any program does. */
async function example(t: TestContext, name: string, words: readonly string[]): Promise<Running> {
  const { env, home } = await sandbox(t);
  return start(t, process.execPath, [join(projectRoot, '.build', 'examples', `${name}.js`), ...words], {
    env,
    cwd: home,
  });
}

const repo = parseRepositoryName('team/app');

describe('the examples', () => {
  it('are short', async () => {
    for (const name of ['copy', 'list-and-copy', 'own-registry']) {
      const text = await readFile(join(projectRoot, 'examples', `${name}.ts`), 'utf8');
      assert.ok(text.split('\n').length <= 60, name);
    }
  });

  it('list the tags of a repository and copy an image into a registry of their own', async (t) => {
    const source = memoryRegistry();
    const image = await buildImage({ layers: [] });
    for (const tag of ['1', '2']) await pushImage(source, repo, parseTag(tag), image);
    const { host } = await startServe(t, { registry: source });
    const own = await example(t, 'own-registry', ['0']);
    const [, url = ''] = await own.waitFor(/listening on (\S+)/);

    const target = `${new URL(url).host}/kept/app`;
    const copied = await (await example(t, 'list-and-copy', [`${host}/team/app:2`, `${target}:2`])).result;
    assert.equal(copied.exitCode, 0, copied.stderr);
    const { digest } = image.descriptor;
    assert.match(copied.stdout, new RegExp(`^1\n2\ncopied ${digest}, \\d+ bytes\n$`));
    await own.waitFor(new RegExp(`kept/app:2 is ${digest}`));
    const there = await openRemote(t, url).statManifest(parseRepositoryName('kept/app'), parseTag('2'));
    assert.equal(there.digest, digest);

    const byName = await (await example(t, 'copy', [`${host}/team/app:1`, `${target}:1`])).result;
    assert.equal(byName.stdout, `${target}:1 took 0 bytes\n${digest}\n`, byName.stderr);

    const refused = await (await example(t, 'list-and-copy', [`${host}/team/app:2`, `${target}:latest`])).result;
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /^DENIED: .*says nothing about what it is/m);

    own.child.kill('SIGTERM');
    assert.equal((await own.result).exitCode, 0);
  });
});
