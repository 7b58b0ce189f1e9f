/** cosign as tests run it, its keys, and the registries of the matrix. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ocictl } from '../../../support/command.ts';
import { start } from '../../../support/process.ts';
import { startDockerRegistry } from '../../../support/programs.ts';
import { startServe } from '../../../support/registries.ts';
import { sandbox } from '../../../support/sandbox.ts';

const password = 'secret';
export const variables = { COSIGN_PASSWORD: password };
export const forms = ['tag', 'bundle'] as const;

export async function cosign(t: TestContext, words: readonly string[]) {
  const { home, env } = await sandbox(t);
  const path = process.env['PATH'] ?? '';
  // It looks for sigstore's servers even where it needs none: a proxy that is not there ends that at once.
  const variablesOfCosign = { ...env, ...variables, PATH: path, HTTPS_PROXY: 'http://127.0.0.1:9' };
  const options = { cwd: home, env: variablesOfCosign, timeoutMs: 120_000 };
  return start(t, 'cosign', words, options).result;
}

/** Keys of cosign, and one in PEM that cosign has imported. */
export async function makeKeys(t: TestContext): Promise<readonly { readonly ours: string; readonly prefix: string }[]> {
  const { home } = await sandbox(t);
  const made = await cosign(t, ['generate-key-pair', '--output-key-prefix', 'theirs']);
  assert.equal(made.exitCode, 0, made.stderr);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 3072 });
  await writeFile(join(home, 'rsa.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const imported = await cosign(t, ['import-key-pair', '--key', 'rsa.pem', '--output-key-prefix', 'rsa']);
  assert.equal(imported.exitCode, 0, imported.stderr);
  const generated = await ocictl(t, ['key', 'generate', '--output-prefix', 'ours'], { env: variables });
  assert.equal(generated.exitCode, 0, generated.stderr);
  // What cosign 2.6 asks for, although a key needs none.
  const root = { mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' };
  await writeFile(join(home, 'root.json'), JSON.stringify(root));
  return [
    { prefix: 'theirs', ours: 'theirs.key' },
    { prefix: 'ours', ours: 'ours.key' },
    { prefix: 'rsa', ours: 'rsa.pem' },
  ];
}

export const http = '--allow-http-registry';
export const bundleFlags = { tag: [], bundle: ['--new-bundle-format'] };
export const rootFlags = { tag: [], bundle: ['--new-bundle-format', '--trusted-root', 'root.json'] };

export const registries = {
  'docker-registry 2.8': (t: TestContext) => startDockerRegistry(t),
  'distribution 3': (t: TestContext) => startDockerRegistry(t, { distribution: 3 }),
  'ocictl serve': (t: TestContext) => startServe(t),
};
