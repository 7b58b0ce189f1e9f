import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseLayoutName } from '../../src/layout/layout.ts';
import { newLayout, push, uniqueImage } from '../layout/layouts.ts';
import { ocictl } from '../support/command.ts';
import { needs, podman, skopeo, umoci } from '../support/programs.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

async function ok(t: TestContext, ...words: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await ocictl(t, words);
  assert.equal(exitCode, 0, stderr);
  return stdout.trim();
}

describe('a name in a layout that is no tag', () => {
  it('is the same to skopeo, both ways', async (t) => {
    if (!needs(t, 'skopeo')) return;
    const layout = await newLayout(t);
    const { digest: one } = await push(layout, await uniqueImage(), parseLayoutName('base/app:1.0'));
    const { directory } = layout;
    const [theirs, ours] = [join(await temporaryDirectory(t), 'theirs'), join(await temporaryDirectory(t), 'ours')];
    await skopeo(t, ['copy', `oci:${directory}:base/app:1.0`, `oci:${theirs}:quay.io/a/b:3`]);
    assert.equal(await ok(t, 'digest', `oci:${theirs}:quay.io/a/b:3`), one);
    await ok(t, 'copy', '-q', `oci:${theirs}:quay.io/a/b:3`, `oci:${ours}:c/d:4`);
    const { stdout } = await skopeo(t, ['inspect', `oci:${ours}:c/d:4`]);
    assert.equal((JSON.parse(stdout) as { Digest: string }).Digest, one);
  });

  it('is read from what podman saves', async (t) => {
    if (!needs(t, 'podman')) return;
    const directory = join(await temporaryDirectory(t), 'saved');
    const context = await temporaryDirectory(t);
    await mkdir(context, { recursive: true });
    await writeFile(join(context, 'file'), 'x');
    await writeFile(join(context, 'Containerfile'), 'FROM scratch\nCOPY file /\n');
    await podman(t, ['build', '-q', '-t', 'localhost/team/app:5', context]);
    await podman(t, ['save', '-q', '--format', 'oci-dir', '-o', directory, 'localhost/team/app:5']);
    const listed = await ok(t, 'tags', `oci:${directory}`);
    const name = listed.split('\n').find((each) => each.includes('/'));
    assert.match(await ok(t, 'digest', `oci:${directory}${name === undefined ? '' : `:${name}`}`), /^sha256:/);
  });

  it('stays where umoci collects garbage', async (t) => {
    if (!needs(t, 'umoci')) return;
    const layout = await newLayout(t);
    const { digest } = await push(layout, await uniqueImage(), parseLayoutName('base/app:1.0'));
    await umoci(t, ['gc', '--layout', layout.directory]);
    assert.equal(await ok(t, 'digest', `oci:${layout.directory}:base/app:1.0`), digest);
  });
});
