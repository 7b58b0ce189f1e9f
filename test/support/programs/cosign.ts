/** cosign, with a key pair of its own. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { start } from '../process.ts';
import { sandbox } from '../sandbox.ts';

interface Cosign {
  /** Runs cosign against a registry on loopback. @returns Its output on stdout. */
  run(words: readonly string[]): Promise<string>;
  /** PEM files. */
  readonly key: string;
  readonly publicKey: string;
}

/** Makes a key pair in the home directory. */
export async function setUpCosign(t: TestContext): Promise<Cosign> {
  const { home } = await sandbox(t);
  const run = async (words: readonly string[]): Promise<string> => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: home, COSIGN_PASSWORD: '' };
    const { exitCode, stdout, stderr } = await start(t, 'cosign', words, {
      env,
      cwd: home,
      timeoutMs: 60_000,
      input: '',
    }).result;
    assert.equal(exitCode, 0, `cosign ${words.join(' ')}: ${stderr}`);
    return stdout;
  };
  await run(['generate-key-pair']);
  return { run, key: join(home, 'cosign.key'), publicKey: join(home, 'cosign.pub') };
}

/** Flags for a registry without TLS. */
export const insecure: readonly string[] = ['--allow-http-registry', '--allow-insecure-registry'];
