import { stat } from './system-calls.ts';

/** Whether two paths lead to one file, by links too. Of a file that does not exist, only the path counts. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  if (one === other) return true;
  const [left, right] = await Promise.all([one, other].map((path) => stat(path).catch(() => undefined)));
  return left !== undefined && right !== undefined && left.dev === right.dev && left.ino === right.ino;
}
