import { it, type TestContext } from 'node:test';
import { start } from '../process.ts';

const marker = 'OCICTL_TEST_ROOTS_OF_NODE';

/**
 * Runs tests in a process whose Node has only the roots that it was built with, whatever this machine adds to them.
 *
 * @param file The URL of the module that calls.
 */
export function withRootsOfNode(file: string, tests: () => void): void {
  if (process.env[marker] === '1') tests();
  else it('runs with the roots of Node alone', (t) => runWithRoots(t, [new URL(file).pathname]));
}

/** Runs test files in a process of their own. @param extra PEM file that Node adds to its roots. Default: none. */
export async function runWithRoots(t: TestContext, files: readonly string[], extra?: string): Promise<void> {
  // Otherwise the runner would take its child process for one of the outer run.
  const { NODE_TEST_CONTEXT: _, NODE_EXTRA_CA_CERTS: _roots, ...rest } = process.env as Record<string, string>;
  const env = { ...rest, [marker]: '1', ...(extra !== undefined && { NODE_EXTRA_CA_CERTS: extra }) };
  const { exitCode, stdout, stderr } = await start(t, process.execPath, ['--test', '--test-reporter=spec', ...files], {
    env,
  }).result;
  if (exitCode !== 0) throw new Error(`${stdout}\n${stderr}`);
}
