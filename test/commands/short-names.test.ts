import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { ocictl } from '../support/command.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { ada, startPasswordRegistry } from '../support/login-servers.ts';
import { startServe } from '../support/registries.ts';
import { sandbox } from '../support/sandbox.ts';

/** Writes registries.conf, and the setting that makes ocictl use its short names. */
async function writeShortNames(t: TestContext, conf: string): Promise<string> {
  const { home } = await sandbox(t);
  for (const name of ['ocictl', 'containers']) await mkdir(join(home, 'config', name), { recursive: true });
  await writeFile(join(home, 'config/ocictl/config.yaml'), 'short-names: containers\n');
  const file = join(home, 'config/containers/registries.conf');
  await writeFile(file, conf);
  return file;
}

async function serveApp(t: TestContext): Promise<{ readonly host: string; readonly digest: string }> {
  const image = await buildImage({ layers: [{ files: { a: 'a' } }] });
  const { registry, host } = await startServe(t);
  await pushImage(registry, parseRepositoryName('team/app'), parseTag('latest'), image);
  return { host, digest: image.descriptor.digest };
}

describe('short names, as containers resolve them', () => {
  it('are aliases of full names, and a note says which', async (t) => {
    const { host, digest } = await serveApp(t);
    const file = await writeShortNames(t, `[aliases]\nmyapp = "${host}/team/app"\n`);
    const asked = await ocictl(t, ['digest', 'myapp']);
    assert.equal(asked.stdout, `${digest}\n`, asked.stderr);
    assert.equal(asked.stderr, `myapp is ${host}/team/app (${file}:2)\n`);
    const pulled = await ocictl(t, ['pull', '-q', 'myapp:latest']);
    assert.equal(pulled.stdout, `${host}/team/app:latest\n`, pulled.stderr);
  });

  it('are looked for in each registry in turn; the first that has one is it', async (t) => {
    const [{ host: other }, { host, digest }] = [await startServe(t), await serveApp(t)];
    await writeShortNames(t, `unqualified-search-registries = ["${other}", "${host}", "nowhere.invalid"]\n`);
    const { stdout, stderr } = await ocictl(t, ['digest', 'team/app']);
    assert.equal(stdout, `${digest}\n`, stderr);
    assert.match(stderr, new RegExp(`^team/app is ${host}/team/app `));
  });

  it('are not looked for behind a registry that refuses: somebody else could have the name', async (t) => {
    const [closed, { host }] = [await startPasswordRegistry(t, ada), await serveApp(t)];
    await writeShortNames(t, `unqualified-search-registries = ["${closed.host}", "${host}"]\n`);
    const { exitCode, stdout, stderr } = await ocictl(t, ['pull', 'team/app']);
    assert.equal(stdout, '');
    assert.equal(exitCode, 4, stderr);
  });

  it('that are unknown are refused as invalid references', async (t) => {
    await writeShortNames(t, '');
    const { exitCode, stderr } = await ocictl(t, ['pull', 'alpine']);
    assert.equal(exitCode, 2);
    assert.match(stderr, /the short name "alpine" has no alias, and no registries are searched\n.*short-names: docker/);
  });
});
