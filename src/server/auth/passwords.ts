/**
 * Compares passwords with bcrypt hashes in a thread of its own: one of cost 12 takes a quarter of a second, in which the
 * server would answer nobody. The thread runs this same file, so that it is found however the package is bundled.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';
import { OciError } from '../../model/errors.ts';

const task = 'ocictl:passwords';

/** Comparisons that may wait: who guesses passwords gets 429, and takes no memory. */
const maxWaiting = 64;

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
}

if (!isMainThread && workerData === task) {
  parentPort?.on('message', ({ id, password, hash }: Question) => {
    const reply: Reply = { id, same: compareSync(password, hash) };
    parentPort?.postMessage(reply);
  });
}

export class Passwords {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #last = 0;

  /** @throws OciError TOOMANYREQUESTS when too many comparisons wait already. */
  matches(password: string, hash: string): Promise<boolean> {
    if (this.#waiting.size >= maxWaiting) {
      throw new OciError('TOOMANYREQUESTS', 'too many logins at once', { retryAfterMs: 5000 });
    }
    this.#last += 1;
    const question: Question = { id: this.#last, password, hash };
    return new Promise((resolve, reject) => {
      this.#waiting.set(question.id, { resolve, reject });
      const worker = this.#started();
      worker.ref();
      worker.postMessage(question);
    });
  }

  // A thread that died is started again with the next question. It keeps a process alive only while somebody waits.
  #started(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL(import.meta.url), { workerData: task });
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

  #fail(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
