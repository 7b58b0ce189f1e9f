import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';

const wantedBytes = 4e9;

/** A directory for large files: in memory if there is plenty, otherwise on disk. */
export async function roomyDirectory(): Promise<string> {
  const shared = '/dev/shm';
  const free = await statfs(shared).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
  return free > wantedBytes ? shared : tmpdir();
}
