/** Asks a person for input, and reads a secret from a pipe. */
import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { OciError } from '../model/errors.ts';

/** Standard input: a terminal has `setRawMode`. */
export type InputStream = Readable & {
  readonly isTTY?: boolean | undefined;
  setRawMode?(raw: boolean): unknown;
};

interface PrompterOptions {
  readonly input: InputStream;
  /** Where questions are written. Not stdout, which is for results. */
  readonly output: Writable;
  readonly signal?: AbortSignal | undefined;
}

/** Asks questions one after the other. Input that is typed ahead is kept for the next question. */
interface Prompter {
  /**
   * The line that the user types, with the terminal's echo.
   *
   * @throws OciError USAGE if the input ends instead, CANCELLED on Ctrl-C and when the signal aborts.
   */
  line(question: string): Promise<string>;
  /**
   * The same without echo. The terminal's mode is always restored.
   *
   * @throws OciError as {@link Prompter.line}
   */
  secret(question: string): Promise<string>;
}

/** @throws OciError USAGE if the input is not a terminal. */
export function createPrompter(options: PrompterOptions): Prompter {
  const { input, output } = options;
  if (input.isTTY !== true) throw notInteractive();
  const typed = new TypedLines();
  return {
    async line(question) {
      output.write(question);
      try {
        return await readLine(options, typed);
      } catch (error) {
        // Begin a new line, so that the next message does not follow the question.
        output.write('\n');
        throw error;
      }
    },
    async secret(question) {
      // Turn echo off before the question appears, so that nothing can be typed with echo.
      input.setRawMode?.(true);
      try {
        output.write(question);
        return await readLine(options, typed);
      } finally {
        input.setRawMode?.(false);
        output.write('\n');
      }
    },
  };
}

/** In Docker's words. */
export function notInteractive(): OciError {
  return new OciError('USAGE', 'cannot perform an interactive login from a non-TTY device', {
    hint: 'give the user with --username and the password on standard input with --password-stdin',
  });
}

/** Far more than any token; a longer input is something else. */
export const maxSecretBytes = 1024 * 1024;

interface ReadOptions {
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * All of standard input, without one final line ending.
 *
 * @throws OciError USAGE past `maxBytes`; the signal's reason.
 */
export async function readSecret(input: InputStream, options: ReadOptions): Promise<string> {
  const text = await readInput(input, { ...options, what: 'that is no password' });
  return text.replace(/\r?\n$|\r$/, '');
}

/**
 * All of standard input.
 *
 * @param options.what What a longer input is called in the error: `that is no password`.
 * @throws OciError USAGE past `maxBytes`; the signal's reason.
 */
export async function readInput(
  input: InputStream,
  { maxBytes, what, signal }: ReadOptions & { readonly what: string },
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const onAbort = (): void => void input.destroy();
  signal?.throwIfAborted();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const chunk of input) {
      const piece = Buffer.from(chunk as Uint8Array | string);
      bytes += piece.length;
      if (bytes > maxBytes) {
        throw new OciError('USAGE', `standard input holds more than ${maxBytes} bytes: ${what}`);
      }
      chunks.push(piece);
    }
    signal?.throwIfAborted();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readLine({ input, signal }: PrompterOptions, typed: TypedLines): Promise<string> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      input.removeListener('data', onData);
      input.removeListener('end', onEnd);
      input.removeListener('error', onEnd);
      signal?.removeEventListener('abort', onAbort);
      // Reading from a terminal would keep the process alive.
      input.pause();
    };
    const look = (): boolean => {
      const next = typed.take();
      if (next === undefined) return false;
      settle();
      if (next.end === 'line') resolve(next.text);
      else reject(next.end === 'interrupt' ? interrupted() : inputEnded());
      return true;
    };
    const onData = (chunk: Uint8Array | string): void => {
      typed.add(chunk);
      look();
    };
    const onEnd = (): void => {
      typed.add('\u0004');
      look();
    };
    const onAbort = (): void => {
      settle();
      // Not the signal's own reason: it describes running work, but nothing was running here.
      reject(interrupted(signal?.reason));
    };
    if (signal?.aborted) return onAbort();
    if (look()) return;
    signal?.addEventListener('abort', onAbort, { once: true });
    input.on('data', onData);
    input.on('end', onEnd);
    input.on('error', onEnd);
    input.resume();
  });
}

function interrupted(cause?: unknown): OciError {
  return new OciError('CANCELLED', 'interrupted', { cause });
}

function inputEnded(): OciError {
  return new OciError('USAGE', 'the input ended before there was an answer');
}

interface TypedLine {
  readonly text: string;
  readonly end: 'line' | 'interrupt' | 'end of input';
}

/** Splits typed keys into lines. Keys come one by one, or many at once when text is pasted. */
class TypedLines {
  readonly #decoder = new StringDecoder('utf8');
  #keys = '';

  add(chunk: Uint8Array | string): void {
    this.#keys += typeof chunk === 'string' ? chunk : this.#decoder.write(Buffer.from(chunk));
  }

  /** The first complete line; undefined if there is none yet. */
  take(): TypedLine | undefined {
    const keys = this.#keys.replace(escapeSequence, '');
    const line: string[] = [];
    let consumed = 0;
    for (const key of keys) {
      consumed += key.length;
      const rest = keys.slice(consumed);
      if (key === '\n') return this.#done(line, 'line', rest);
      if (key === '\r') return this.#done(line, 'line', rest.replace(/^\n/, ''));
      if (key === '\u0003' || key === '\u001c') return this.#done([], 'interrupt', '');
      if (key === '\u0004') return this.#done(line, line.length > 0 ? 'line' : 'end of input', rest);
      if (key === '\u007f' || key === '\b') line.pop();
      else if (key === '\u0015' || key === '\u0017') line.length = 0;
      else if (key >= ' ') line.push(key);
    }
    return undefined;
  }

  #done(line: readonly string[], end: TypedLine['end'], rest: string): TypedLine {
    this.#keys = rest;
    return { text: line.join(''), end };
  }
}

// Arrow keys, and the sequences that some terminals put around pasted text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what a terminal sends
const escapeSequence = /\u001b(?:\[[0-?]*[ -/]*[@-~]|O[A-Za-z]|[^[O])/g;
