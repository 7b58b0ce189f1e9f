import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { type RunResult, start } from './process.ts';
import { needs } from './programs.ts';
import { projectRoot } from './project.ts';
import { sandbox } from './sandbox.ts';

/** A user without an entry in passwd, as on OpenShift. */
const nobody = ['-U', '--map-user=1234567', '--map-group=1234567'];

/** Whether this machine can run as such a user; otherwise the test is skipped. */
export async function mayBeNobody(t: TestContext): Promise<boolean> {
  if (!needs(t, 'unshare')) return false;
  const works = await promisify(execFile)('unshare', [...nobody, 'true']).then(
    () => true,
    () => false,
  );
  if (!works) t.skip('no user namespaces here');
  return works;
}

/** Runs `ocictl` with only the given environment. */
export async function homeless(
  t: TestContext,
  words: readonly string[],
  env: Record<string, string> = {},
  input = '',
): Promise<RunResult> {
  const program = [process.execPath, join(projectRoot, 'bin', 'ocictl.js'), ...words];
  const cwd = join((await sandbox(t)).home, 'empty');
  await mkdir(cwd, { recursive: true });
  const { PATH = '' } = process.env;
  return start(t, 'unshare', [...nobody, ...program], { env: { PATH, ...env }, cwd, input }).result;
}
