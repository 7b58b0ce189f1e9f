import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { randomLayer } from '../../support/layer.ts';
import { start } from '../../support/process.ts';
import { needs } from '../../support/programs.ts';
import { projectRoot } from '../../support/project.ts';
import { startServe } from '../../support/registries.ts';
import { type Scope, sandbox, temporaryDirectory } from '../../support/sandbox.ts';
import { SeenDisk, straceWords } from './seen-disk.ts';

/** Layers that a store takes whole, and one that it writes in parts. */
const layerBytes = [20_000, 20_000, 20_000, 20_000, 20_000, 1_500_000];

async function makeImage() {
  return await buildImage({ layers: await Promise.all(layerBytes.map((bytes, i) => randomLayer(bytes, `cut-${i}`))) });
}

/** Starts ocictl under strace, with a store at `root`. */
async function startTraced(t: Scope, root: string, log: string, words: readonly string[]) {
  const { home, env } = await sandbox(t);
  const program = [process.execPath, join(projectRoot, 'bin', 'ocictl.js'), ...words];
  return start(t, 'strace', [...straceWords, '-o', log, ...program], { cwd: home, env: { ...env, OCICTL_ROOT: root } });
}

describe('a power cut', () => {
  it('costs nothing of a pull that has ended, and no tag appears before its image is safe', async (t) => {
    if (!needs(t, 'strace')) return;
    const origin = await startServe(t);
    await pushImage(origin.registry, parseRepositoryName('app'), parseTag('1'), await makeImage());
    const directory = await temporaryDirectory(t);
    const [root, log] = [join(directory, 'store'), join(directory, 'log')];
    const pulled = await (await startTraced(t, root, log, ['pull', '-q', `${origin.host}/app:1`])).result;
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    const objects = join(root, 'docker');
    let tags = 0;
    const disk = await new SeenDisk((before, to) => {
      if (!to.endsWith('/current/link')) return;
      tags += 1;
      // What leads to the tag itself is made last.
      const lost = before.lost(objects).filter((path) => !path.includes('/_manifests/tags'));
      assert.deepEqual(lost, []);
      assert.ok(before.count(objects) > 2 * layerBytes.length);
    }).follow(log);
    assert.equal(tags, 1);
    assert.deepEqual(disk.lost(objects), []);
  });

  it('costs nothing that serve has acknowledged', async (t) => {
    if (!needs(t, 'strace')) return;
    const origin = await startServe(t);
    await pushImage(origin.registry, parseRepositoryName('app'), parseTag('1'), await makeImage());
    const directory = await temporaryDirectory(t);
    const [root, log] = [join(directory, 'store'), join(directory, 'log')];
    const served = await startTraced(t, root, log, ['serve', '--addr', '127.0.0.1:0', '--root', root]);
    const [, host = ''] = await served.waitFor(/on http:\/\/(\S+)/);
    const copied = await ocictl(t, ['copy', '-q', `${origin.host}/app:1`, `${host}/app:1`]);
    assert.equal(copied.exitCode, 0, copied.stderr);
    served.child.kill('SIGKILL');
    await served.result;
    const disk = await new SeenDisk().follow(log);
    const objects = join(root, 'docker');
    assert.ok(disk.count(objects) > 2 * layerBytes.length);
    assert.deepEqual(
      disk.lost(objects).filter((path) => !path.includes('/_uploads')),
      [],
    );
  });
});
