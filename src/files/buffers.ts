/** Buffers for moving blobs, kept for the next blob: fresh megabytes would cost a page fault for every 4 KiB. */

/** Bytes in each buffer: large enough that system calls vanish beside hashing, small enough for a processor's cache. */
export const bufferBytes = 1024 * 1024;

const maxIdle = 12;
const idle: Uint8Array<ArrayBuffer>[] = [];

export function takeBuffer(): Uint8Array<ArrayBuffer> {
  return idle.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(bufferBytes).buffer);
}

/** Gives a buffer back. Nothing may read or write it any more, a system call under way included. */
export function giveBuffer(buffer: Uint8Array<ArrayBuffer>): void {
  if (idle.length < maxIdle) idle.push(buffer);
}
