import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseRepositoryName } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { pushImage } from '../../support/images.ts';
import { app, buildDemoIndex, one } from '../copy/places.ts';
import { sign, startJudged } from './signed-place.ts';

const { index } = await buildDemoIndex();

describe('an image that a policy judges again', () => {
  it('may be a smaller index that a sync made', async (t) => {
    const { registry, name, host, home, demand, run } = await startJudged(t);
    await pushImage(registry, app, one, index);
    await sign(registry, index);
    await demand();
    const platforms = 'platforms: [linux/amd64, linux/arm64]';
    await writeFile(join(home, 'sync.yaml'), `to: ${host}/copies/app\n${platforms}\nsources:\n- from: ${name}:1\n`);
    for (const _ of ['first', 'again']) {
      const { exitCode, stderr } = await run('sync', 'sync.yaml');
      assert.equal(exitCode, 0, stderr);
    }
    const dry = await run('sync', '--dry-run', 'sync.yaml');
    assert.equal(dry.exitCode, 0, dry.stderr);
    const { digest } = await registry.statManifest(parseRepositoryName('copies/app'), one);
    assert.notEqual(digest, index.descriptor.digest);
  });

  it('may be by a digest of an index, which is not known then', async (t) => {
    const { registry, name, demand, run } = await startJudged(t);
    await pushImage(registry, app, one, index);
    await sign(registry, index);
    await demand();
    const [child] = index.children;
    const refused = await run('pull', `${name}@${child?.descriptor.digest}`);
    assert.deepEqual([refused.exitCode, /has no signature/.test(refused.stderr)], [11, true], refused.stderr);
    assert.equal((await run('pull', `${name}@${index.descriptor.digest}`)).exitCode, 0);
  });

  it('may be under a tag of signatures, which holds something else', async (t) => {
    const { registry, name, host, demand, run } = await startJudged(t);
    const [child] = index.children;
    assert.ok(child);
    const tag = `sha256-${'0'.repeat(64)}.sig`;
    await pushImage(registry, app, undefined, child);
    await registry.pushManifest(app, child.manifest, { tags: [tag as typeof one] });
    await demand();
    for (const words of [
      ['pull', `${name}:${tag}`],
      ['copy', `${name}:${tag}`, `${host}/copies/app:1`],
      ['copy', '-a', name, `${host}/copies/app`],
    ]) {
      const { exitCode, stderr } = await run(...words);
      assert.equal(exitCode, 11, stderr);
    }
    assert.equal((await ocictl(t, ['images', '-q'])).stdout, '');
  });
});
