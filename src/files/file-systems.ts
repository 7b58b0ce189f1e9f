import { statfs } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { hasErrno } from './file-errors.ts';
import { expectWaits } from './quick-calls.ts';

const factsOf = promisify(statfs);

/**
 * File systems of Linux whose files are on other machines, or come from a process: a call waits as long as these are silent.
 *
 * @see https://man7.org/linux/man-pages/man2/statfs.2.html
 */
const remote: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0x517b, // SMB
  0xff534d42, // CIFS
  0xfe534d42, // SMB 2
  0x65735546, // FUSE
  0x01021997, // 9P
  0x5346414f, // AFS
  0x00c36400, // Ceph
  0x73757245, // Coda
  0x0bd00bd0, // Lustre
  0x01161970, // GFS2
  0x7461636f, // OCFS2
  0x19830326, // BeeGFS
]);

/** Whether a type, as `statfs` gives it, is that of a file system whose calls wait for others. */
export function isRemote(type: number): boolean {
  // Node gives a number with its sign on some architectures.
  return remote.has(type >>> 0);
}

const asked = new Map<string, Promise<void>>();

/**
 * Asks once, through the thread pool, what a directory is on, and has file calls keep off the main thread if they may wait there.
 *
 * @param directory May be missing. What cannot be found out counts as local.
 */
export function learnFileSystem(directory: string): Promise<void> {
  if (process.platform !== 'linux') return Promise.resolve();
  const answer = asked.get(directory) ?? learn(directory);
  asked.set(directory, answer);
  return answer;
}

async function learn(directory: string): Promise<void> {
  try {
    const { type } = await factsOf(directory);
    if (isRemote(type)) expectWaits();
  } catch (error) {
    if (hasErrno(error, 'ENOENT') && dirname(directory) !== directory) return await learn(dirname(directory));
  }
}
