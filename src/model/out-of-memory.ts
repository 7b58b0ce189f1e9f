import { OciError, type OciErrorOptions } from './errors.ts';

const codes: readonly unknown[] = ['ENOMEM', 'ERR_MEMORY_ALLOCATION_FAILED', 'ERR_WORKER_OUT_OF_MEMORY'];

/** Whether an error means that memory ran out: in a system call, a buffer, or undici's parser, which is WebAssembly. */
export function isOutOfMemory(error: unknown): boolean {
  for (let each = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth += 1) {
    if ('code' in each && codes.includes(each.code)) return true;
    if (each instanceof RangeError && /allocation failed|out of memory|(?:can|could )not allocate/i.test(each.message))
      return true;
    if (each.constructor.name === 'CompileError' && /out of memory|(?:can|could )not allocate/i.test(each.message))
      return true;
  }
  return false;
}

/**
 * The error for it. Not retryable: a retry meets the same limit.
 *
 * @param doing What needed the memory, as in `read a.json`.
 */
export function outOfMemory(doing: string, options: Pick<OciErrorOptions, 'cause' | 'endpoint'>): OciError {
  return new OciError('INTERNAL', `not enough memory to ${doing}`, {
    ...options,
    retryable: false,
    hint: 'give the process more memory: raise its limit (ulimit -v), or that of its container',
  });
}
