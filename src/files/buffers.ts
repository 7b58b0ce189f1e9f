/** Buffers for moving blobs. They are reused, because fresh memory costs a page fault for every 4 KiB. */

/**
 * Bytes in each buffer: large enough that system calls cost little beside hashing, small enough for the processor's cache.
 */
export const bufferBytes = 1024 * 1024;

const maxIdle = 12;
const idle: Uint8Array<ArrayBuffer>[] = [];

export function takeBuffer(): Uint8Array<ArrayBuffer> {
  return idle.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(bufferBytes).buffer);
}

/** Returns a buffer; one of another size is dropped. Nothing may read or write it any more, including a system call in progress. */
export function giveBuffer(buffer: Uint8Array<ArrayBuffer>): void {
  if (idle.length < maxIdle && buffer.length === bufferBytes) idle.push(buffer);
}
