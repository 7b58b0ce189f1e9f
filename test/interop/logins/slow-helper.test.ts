import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { writeConfig } from '../../commands/login/stored-credentials.ts';
import { ocictl } from '../../support/command.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { startTokenRegistry } from '../../support/login-servers.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';

describe('a credential helper that hangs', () => {
  it('is given up after its limit with one warning, and a public pull goes on', { timeout: 120_000 }, async (t) => {
    const { home, env } = await sandbox(t);
    const served = await startServe(t);
    const image = await buildImage({ layers: [{ files: { name: 'app' } }] });
    await pushImage(served.registry, parseRepositoryName('app'), parseTag('1'), image);
    // This registry requires a login, so the helper is called.
    const registry = await startTokenRegistry(t, { target: served.url });
    await writeConfig(t, { credsStore: 'slow' });
    await mkdir(join(home, 'bin'));
    await writeFile(join(home, 'bin', 'docker-credential-slow'), '#!/bin/sh\nexec sleep 300\n', { mode: 0o755 });
    const name = `${registry.registry.host}/app:1`;
    const pulled = await ocictl(t, ['pull', '-q', name], { env: { PATH: `${home}/bin:${env['PATH']}` } });
    assert.deepEqual([pulled.exitCode, pulled.stdout], [0, `${name}\n`], pulled.stderr);
    const warnings = pulled.stderr.split('\n').filter((line) => /docker-credential-slow/.test(line));
    assert.equal(warnings.length, 1, pulled.stderr);
    assert.match(warnings[0] ?? '', /did not answer within 30 s; continuing without credentials/);
  });
});
