import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ocictl } from '../support/command.ts';
import { buildImage } from '../support/images.ts';
import { writeLayout } from '../support/layout.ts';
import { needs, startDockerRegistry } from '../support/programs.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

describe('a docker-registry that is read-only', () => {
  it('takes neither pushes nor deletes, which is status 4', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const root = await temporaryDirectory(t);
    const layout = await temporaryDirectory(t);
    await writeLayout(layout, '1', await buildImage({ layers: [{ files: { name: 'app' } }] }));
    const writable = await startDockerRegistry(t, { root });
    const filled = await ocictl(t, ['copy', '-q', `oci:${layout}:1`, `${writable.host}/app:1`]);
    assert.equal(filled.exitCode, 0, filled.stderr);
    const env = { REGISTRY_STORAGE_MAINTENANCE_READONLY: '{enabled: true}' };
    const { host } = await startDockerRegistry(t, { root, env });
    const pushed = await ocictl(t, ['copy', '-q', `oci:${layout}:1`, `${host}/other:1`]);
    assert.equal(pushed.exitCode, 4, pushed.stderr);
    assert.match(pushed.stderr, /takes no pushes/);
    const digest = await ocictl(t, ['digest', `${host}/app:1`]);
    const name = `${host}/app@${digest.stdout.trim()}`;
    const deleted = await ocictl(t, ['delete', '--yes', name]);
    assert.equal(deleted.exitCode, 4, deleted.stderr);
    assert.match(deleted.stderr, /takes no deletes/);
  });
});
