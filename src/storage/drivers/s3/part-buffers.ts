/** Buffers for parts. They are reused: the memory of those that are dropped would be freed late. */

const maxIdle = 16;
/** One part of the largest size. */
const maxIdleBytes = 130 * 1024 * 1024;
const idle: Uint8Array<ArrayBuffer>[] = [];

/** A buffer of this size. The system gives its memory when it is written to, so that a small upload takes little. */
export function takePart(bytes: number): Uint8Array<ArrayBuffer> {
  const at = idle.findIndex(({ length }) => length === bytes);
  const [found] = at < 0 ? [] : idle.splice(at, 1);
  return found ?? new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer);
}

/** Returns a buffer, which nothing may read or write any more. */
export function givePart(buffer: Uint8Array<ArrayBuffer>): void {
  const bytes = idle.reduce((sum, { length }) => sum + length, buffer.length);
  if (idle.length < maxIdle && bytes <= maxIdleBytes) idle.push(buffer);
}
