/**
 * sha256 in a thread beside the main one, for streams that are large enough to be worth it: hashing takes as long as all else that
 * the main thread does with a blob.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import { codeThread } from '../packaging/code-thread.ts';

const pieceBytes = 512 * 1024;
/** A shorter stream is hashed here, at its end: that takes less time than to start a thread. */
const leastPieces = 8;
const mostPieces = 10;
/** The thread makes little garbage, and would otherwise collect it late. */
const resourceLimits = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16, stackSizeMb: 1 };

/** What is known of a stream at its end. */
interface Sums {
  readonly digest: Digest;
  /** 0 if it was not asked for. */
  readonly crc32: number;
}

interface ThreadHasherOptions {
  /** Whether the checksum of gzip is wanted too. */
  readonly crc32?: boolean;
}

interface Piece extends Required<ThreadHasherOptions> {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/** Hashes pieces in their order. @returns The sums after the last one. */
type Side = (piece: Piece) => Promise<Sums | undefined>;

export class ThreadHasher {
  readonly #crc32: boolean;
  #filling: Uint8Array | undefined;
  #filled = 0;
  /** Memory is shared with the thread, and used again. */
  readonly #free: Uint8Array[] = [];
  #made = 0;
  /** Full ones, until there are enough for a thread. */
  readonly #kept: Uint8Array[] = [];
  readonly #passed: Promise<unknown>[] = [];
  #side: Side | undefined;
  #ended: Promise<Sums> | undefined;

  constructor(options: ThreadHasherOptions = {}) {
    this.#crc32 = options.crc32 ?? false;
  }

  /** Copies a chunk. Waits while the thread has enough to do. @throws OciError INTERNAL if the thread has failed. */
  async update(chunk: Uint8Array): Promise<void> {
    for (let taken = 0; taken < chunk.length; ) {
      this.#filling ??= await this.#emptyPiece();
      const part = chunk.subarray(taken, taken + pieceBytes - this.#filled);
      this.#filling.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === pieceBytes) this.#giveAway(this.#filling);
    }
  }

  /** Nothing may be added afterwards. @throws OciError INTERNAL if the thread has failed. */
  end(): Promise<Sums> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<Sums> {
    this.#side ??= here();
    this.#passKept(this.#side);
    const bytes = this.#filling?.subarray(0, this.#filled) ?? new Uint8Array(0);
    return (await this.#side({ bytes, crc32: this.#crc32, isLast: true })) as Sums;
  }

  #giveAway(piece: Uint8Array): void {
    this.#filling = undefined;
    this.#filled = 0;
    this.#kept.push(piece);
    if (this.#kept.length === leastPieces) this.#side ??= aside();
    if (this.#side) this.#passKept(this.#side);
  }

  #passKept(side: Side): void {
    for (const bytes of this.#kept.splice(0)) {
      const passed = side({ bytes, crc32: this.#crc32, isLast: false }).then(() => this.#free.push(bytes));
      passed.catch(() => {}); // reported when its memory is wanted again, or at the end
      this.#passed.push(passed);
    }
  }

  async #emptyPiece(): Promise<Uint8Array> {
    if (this.#made < mostPieces) {
      this.#made += 1;
      return new Uint8Array(new SharedArrayBuffer(pieceBytes));
    }
    await this.#passed.shift();
    return this.#free.pop() as Uint8Array;
  }
}

/** On this thread. */
function here(): Side {
  const hash = createHash('sha256');
  let sum = 0;
  return async ({ bytes, isLast, ...wanted }) => {
    hash.update(bytes);
    // Of no bytes the sum would be 0, whatever it was before.
    if (wanted.crc32 && bytes.length > 0) sum = crc32(bytes, sum);
    return isLast ? { digest: `sha256:${hash.digest('hex')}` as Digest, crc32: sum } : undefined;
  };
}

/** On the thread of all such streams, unless none is to be had: too many may run, or Node's permissions forbid it. */
function aside(): Side {
  try {
    running ??= new HashThread();
    return running.side();
  } catch {
    return here();
  }
}

let running: HashThread | undefined;

const code = `
const { createHash } = require('node:crypto');
const { parentPort } = require('node:worker_threads');
const { crc32 } = require('node:zlib');
const streams = new Map();
parentPort.on('message', ({ stream, bytes, isLast, ...wanted }) => {
  const state = streams.get(stream) ?? { hash: createHash('sha256'), sum: 0 };
  streams.set(stream, state);
  state.hash.update(bytes);
  if (wanted.crc32 && bytes.length > 0) state.sum = crc32(bytes, state.sum);
  if (isLast) streams.delete(stream);
  parentPort.postMessage(isLast ? { digest: 'sha256:' + state.hash.digest('hex'), crc32: state.sum } : undefined);
});`;

/** The thread keeps the process alive only while a piece is with it. */
class HashThread {
  readonly #worker = codeThread(code, { name: 'hash', resourceLimits });
  /** For the pieces that are with the thread, which answers in their order. */
  readonly #waiting: {
    readonly resolve: (sums: Sums | undefined) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  #streams = 0;

  constructor() {
    this.#worker.on('message', (sums: Sums | undefined) => {
      this.#waiting.shift()?.resolve(sums);
      if (this.#waiting.length === 0) this.#worker.unref();
    });
    const fail = (cause?: unknown): void => {
      if (running === this) running = undefined;
      const error = new OciError('INTERNAL', 'the thread that hashes has ended', { cause });
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    };
    this.#worker.on('error', fail);
    this.#worker.on('exit', () => fail());
    this.#worker.unref();
  }

  side(): Side {
    this.#streams += 1;
    const stream = this.#streams;
    return (piece) =>
      new Promise((resolve, reject) => {
        if (running !== this) return reject(new OciError('INTERNAL', 'the thread that hashes has ended'));
        this.#waiting.push({ resolve, reject });
        this.#worker.ref();
        this.#worker.postMessage({ stream, ...piece });
      });
  }
}
