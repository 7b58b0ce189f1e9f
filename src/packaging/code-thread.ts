import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a thread that runs a few lines of CommonJS and nothing of ours. They are in the bundle of whoever starts it, so that no bundle
 * needs a file for them.
 *
 * @throws Node's error if no thread may be started.
 */
export function codeThread(code: string, options: Pick<WorkerOptions, 'name' | 'resourceLimits'>): Worker {
  return new Worker(code, { ...options, eval: true });
}
