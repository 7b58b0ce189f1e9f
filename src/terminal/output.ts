import { closeSync, fstatSync, openSync, readlinkSync, statSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';

type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** Even a pipe accepts this many bytes at once. */
const directBytes = 4096;

/** What every pipe holds while nobody reads it. */
const pipeBytes = 16 * 1024;

/**
 * Stdout or stderr. The first bytes, enough for most commands, are written directly to the descriptor, because loading
 * Node's streams takes 3 ms at start, and those of pipes and terminals 2 ms more. The stream writes what comes later,
 * and what the descriptor does not accept.
 */
export class Output {
  readonly #open: () => OutputStream;
  readonly #descriptor: number | undefined;
  readonly #listeners: ((error: NodeJS.ErrnoException) => void)[] = [];
  #opened: OutputStream | undefined;
  #left = directBytes;

  /** @param descriptor The descriptor of the stream's file; if absent, everything goes to the stream. */
  constructor(open: () => OutputStream, descriptor?: number) {
    this.#open = open;
    // On Windows, only the stream encodes text correctly for consoles.
    this.#descriptor = process.platform === 'win32' ? undefined : descriptor;
  }

  get stream(): OutputStream {
    if (!this.#opened) {
      this.#opened = this.#open();
      for (const listener of this.#listeners) this.#opened.on('error', listener);
    }
    return this.#opened;
  }

  get isTTY(): boolean {
    if (this.#descriptor === undefined || this.#opened) return this.stream.isTTY === true;
    return fstatSync(this.#descriptor).isCharacterDevice() && isatty(this.#descriptor);
  }

  get columns(): number | undefined {
    return this.isTTY ? this.stream.columns : undefined;
  }

  get rows(): number | undefined {
    return this.isTTY ? this.stream.rows : undefined;
  }

  /** Whether its reader may be showing it on any screen, at any time. */
  get isPipe(): boolean {
    if (this.isTTY) return false;
    if (this.#descriptor === undefined) return true;
    const facts = fstatSync(this.#descriptor);
    return facts.isFIFO() || facts.isSocket();
  }

  /** Whether both are terminals, and the same one as far as is known. */
  isSameTerminal(other: Output): boolean {
    if (!this.isTTY || !other.isTTY) return false;
    const devices = [this.#descriptor, other.#descriptor].map((each) => each && fstatSync(each).rdev);
    if (devices.includes(undefined) || devices[0] === devices[1]) return true;
    try {
      // Another name of the terminal that controls this process.
      return devices.includes(statSync('/dev/tty').rdev);
    } catch {
      return false;
    }
  }

  /** Called with every error of the stream. */
  onError(listener: (error: NodeJS.ErrnoException) => void): void {
    this.#listeners.push(listener);
    this.#opened?.on('error', listener);
  }

  /** @param done Called when the text was written, or with the reason why not. */
  write(text: string | Uint8Array, done: (error?: Error | null) => void = () => {}): void {
    const bytes = Buffer.from(text);
    let taken = 0;
    try {
      taken = this.#direct(bytes);
    } catch (error) {
      done(error as Error);
      return;
    }
    if (taken < bytes.length) this.stream.write(bytes.subarray(taken), done);
    else done();
  }

  /** Writes what an empty pipe takes without a reader, and waits for nothing. */
  writeNow(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#descriptor === undefined) {
      this.stream.write(bytes);
      return;
    }
    try {
      writeSync(this.#descriptor, bytes.subarray(0, pipeBytes));
    } catch {
      // Nothing can be done about it any more.
    }
  }

  /** @returns The number of bytes that were written. */
  #direct(bytes: Buffer): number {
    if (this.#descriptor === undefined || this.#opened || bytes.length > this.#left) return 0;
    this.#left -= bytes.length;
    let taken = 0;
    try {
      while (taken < bytes.length) taken += writeSync(this.#descriptor, bytes, taken);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
    return taken;
  }
}

/**
 * Puts nothing in the place of terminals that are gone: Node would abort at its end, when it cannot give them back the mode that
 * it found them in.
 */
export function letGoOfTerminals(): void {
  if (process.platform === 'win32') return;
  for (const descriptor of [0, 1, 2]) {
    try {
      if (!fstatSync(descriptor).isCharacterDevice()) continue;
      const isTerminal = /^\/dev\/(?:pts\/|tty)/.test(readlinkSync(`/proc/self/fd/${descriptor}`));
      if (isTerminal && !isatty(descriptor)) replaceByNull(descriptor);
    } catch {
      // Closed, or not Linux.
    }
  }
}

function replaceByNull(descriptor: number): void {
  closeSync(descriptor);
  // The lowest number that is free.
  openSync('/dev/null', 'r+');
}
