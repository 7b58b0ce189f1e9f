import { execFile } from 'node:child_process';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { atEnd, temporaryDirectory } from '../sandbox.ts';

const exec = promisify(execFile);

/** A small file system of its own; undefined after `t.skip` if mounting is not permitted. */
export async function smallDisk(t: TestContext, bytes: number): Promise<string | undefined> {
  const mountPoint = await temporaryDirectory(t);
  try {
    await exec('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0777`, 'tmpfs', mountPoint]);
  } catch (error) {
    t.skip(`mounting a small disk was refused: ${String((error as { stderr?: string }).stderr ?? error).trim()}`);
    return undefined;
  }
  atEnd(t, () => exec('umount', ['-l', mountPoint]));
  return mountPoint;
}
