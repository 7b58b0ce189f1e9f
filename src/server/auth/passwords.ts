/**
 * Compares passwords with bcrypt hashes in a worker thread: a hash of cost 12 takes a quarter of a second, in which the
 * server could not answer other requests. The thread runs this same file, so that it is found in any bundle.
 */
import { isMainThread, parentPort, type Worker, workerData } from 'node:worker_threads';
import { compare } from 'bcryptjs';
import { OciError } from '../../model/errors.ts';
import { unlessAborted } from '../../model/signals/when-aborted.ts';
import { startThread } from '../../packaging/package-parts.ts';
import { FairQueue } from './fair-queue.ts';

const task = 'ocictl:passwords';

/**
 * bcrypt's comparisons take turns of a tenth of a second, so that a cheap one does not wait for an expensive one. A
 * client that guesses passwords occupies two of them at most, and gets 429 when its queue is full.
 */
const limits = { running: 8, runningEach: 2, waiting: 64 };

interface Question {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}

interface Reply {
  readonly id: number;
  readonly same: boolean;
}

interface Waiting {
  readonly resolve: (same: boolean) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
}

if (!isMainThread && workerData === task) {
  parentPort?.on('message', async ({ id, password, hash }: Question) => {
    const reply: Reply = { id, same: await compare(password, hash) };
    parentPort?.postMessage(reply);
  });
}

/** The client that asks, and how long it waits. */
export interface AskedBy {
  readonly remoteAddress: string;
  readonly signal?: AbortSignal | undefined;
}

export class Passwords {
  readonly #queue = new FairQueue(limits);
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #last = 0;

  /** @throws OciError TOOMANYREQUESTS if too many comparisons are waiting; the signal's reason. */
  async matches(password: string, hash: string, { remoteAddress, signal }: AskedBy): Promise<boolean> {
    const abort = (): void => this.#endUnwanted();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const same = this.#queue.run(remoteAddress, () => this.#compare(password, hash, signal), signal);
      // The thread may continue for others. A client that left, or a stopping server, does not wait for it.
      return await unlessAborted(same, signal);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  #compare(password: string, hash: string, signal: AbortSignal | undefined): Promise<boolean> {
    this.#last += 1;
    const question: Question = { id: this.#last, password, hash };
    return new Promise((resolve, reject) => {
      this.#waiting.set(question.id, { resolve, reject, signal });
      const worker = this.#started();
      worker.ref();
      worker.postMessage(question);
    });
  }

  // A dead thread is replaced with the next question. The thread keeps the process alive only while a question is pending.
  #started(): Worker {
    if (this.#worker) return this.#worker;
    const worker = startThread(import.meta.url, task);
    worker.on('message', ({ id, same }: Reply) => {
      this.#waiting.get(id)?.resolve(same);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) worker.unref();
    });
    worker.on('error', (error) => this.#fail(worker, error));
    worker.on('exit', () => this.#fail(worker, new OciError('UNAVAILABLE', 'the comparison of passwords has ended')));
    this.#worker = worker;
    return worker;
  }

  // bcrypt cannot be interrupted: the thread is ended if nobody waits for any of its answers.
  #endUnwanted(): void {
    const worker = this.#worker;
    if (worker === undefined || this.#waiting.size === 0) return;
    if ([...this.#waiting.values()].some(({ signal }) => signal?.aborted !== true)) return;
    this.#fail(worker, new OciError('CANCELLED', 'nobody waits for this comparison of passwords'));
    void worker.terminate();
  }

  #fail(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
