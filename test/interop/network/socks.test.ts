import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { buildImage } from '../../support/images.ts';
import { writeLayout } from '../../support/layout.ts';
import { freePort } from '../../support/network/ports.ts';
import { start } from '../../support/process.ts';
import { needs, startDockerRegistry, waitForPort } from '../../support/programs.ts';
import { sandbox, temporaryDirectory } from '../../support/sandbox.ts';

describe('ocictl behind microsocks', () => {
  it('pulls and pushes large blobs through socks5h://, with a password, and says what is wrong without', async (t) => {
    if (!needs(t, 'docker-registry', 'microsocks')) return;
    const registry = await startDockerRegistry(t);
    const port = await freePort();
    const { env } = await sandbox(t);
    const words = ['-i', '127.0.0.1', '-p', String(port), '-u', 'ada', '-P', 'p@ss'];
    const socks = start(t, 'microsocks', words, { env });
    await waitForPort(port, socks.result);
    const through = (proxy: string) => ({ ALL_PROXY: proxy, NO_PROXY: '<-loopback>' });
    const known = through(`socks5h://ada:p%40ss@127.0.0.1:${port}`);
    const layout = await temporaryDirectory(t);
    await writeLayout(layout, '1', await buildImage({ layers: [{ files: { name: 'app'.repeat(1_000_000) } }] }));
    const name = `${registry.host}/team/app:1`;
    const pushed = await ocictl(t, ['-v', 'copy', '-q', `oci:${layout}:1`, name], { env: known });
    assert.equal(pushed.exitCode, 0, pushed.stderr);
    assert.match(pushed.stderr, new RegExp(`through 127.0.0.1:${port}`));
    assert.doesNotMatch(pushed.stderr, /p%40ss|p@ss/);
    const pulled = await ocictl(t, ['pull', '-q', name], { env: known });
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    const doctor = await ocictl(t, ['doctor', name], { env: known });
    assert.match(doctor.stdout, new RegExp(`proxy +127.0.0.1:${port}, set by ALL_PROXY`));
    for (const user of ['', 'ada:wrong@']) {
      const refused = await ocictl(t, ['digest', name], { env: through(`socks5://${user}127.0.0.1:${port}`) });
      assert.equal(refused.exitCode, 5, refused.stderr);
      assert.match(refused.stderr, user === '' ? /wants a user and a password/ : /refuses the user or the password/);
    }
  });

  it('tells of a proxy of an unknown kind, and fails only where it is needed', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { host } = await startDockerRegistry(t);
    const layout = await temporaryDirectory(t);
    await writeLayout(layout, '1', await buildImage({ layers: [{ files: { name: 'app' } }] }));
    const words = ['copy', '-q', `oci:${layout}:1`, `${host}/app:1`];
    const spared = await ocictl(t, words, { env: { ALL_PROXY: 'ftp://proxy.lan' } });
    assert.equal(spared.exitCode, 0, spared.stderr);
    assert.match(spared.stderr, /^warning: ALL_PROXY names a proxy of the kind "ftp", which is not supported/i);
    const needed = await ocictl(t, words, { env: { ALL_PROXY: 'ftp://proxy.lan', NO_PROXY: '<-loopback>' } });
    assert.equal(needed.exitCode, 2);
    assert.match(needed.stderr, /^error: ALL_PROXY names a proxy of the kind "ftp"/m);
  });
});
