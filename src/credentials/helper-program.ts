import { spawn } from 'node:child_process';
import { OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import { findOwnProgram } from '../packaging/package-parts.ts';
import { ownHelper } from './own-helper.ts';

type HelperAction = 'get' | 'store' | 'erase' | 'list';

export interface HelperRunOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Some helpers wait minutes for a keyring to be unlocked, or for a network. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Answers have a few hundred bytes. A program that prints without end is not a helper. */
const maxAnswerBytes = 1 << 20;

/**
 * Checks the name of a helper.
 *
 * @throws OciError CONFIG_INVALID for a name that could refer to a program outside of PATH.
 */
export function validateHelperName(name: string, where: string): string {
  if (/^[\w.+-]+$/.test(name) && !name.includes('..')) return name;
  throw new OciError('CONFIG_INVALID', `${where}: ${quote(name)} cannot be the name of a credential helper`, {
    hint: 'it is the part of the program’s name after docker-credential-, as in "pass" or "osxkeychain"',
  });
}

/**
 * Runs `docker-credential-<name> <action>`.
 *
 * @param input Its standard input. Secrets are passed this way, because other users can see arguments.
 * @returns Its output, or undefined if it reports that it has no such credentials.
 * @throws OciError CONFIG_INVALID if it is missing or fails, TIMEOUT if it hangs. Messages do not contain the output of
 * a successful call.
 * @see https://github.com/docker/docker-credential-helpers#development
 */
export async function runHelper(
  name: string,
  action: HelperAction,
  input: string,
  options: HelperRunOptions,
): Promise<string | undefined> {
  const { env, timeoutMs, signal } = options;
  signal?.throwIfAborted();
  const program = `docker-credential-${name}`;
  const own = name === ownHelper ? findOwnProgram(program) : undefined;
  const { file, words, ...called } = own ?? { file: program, words: [] };
  const child = spawn(file, [...words, action], { ...called, env, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  try {
    return await new Promise<string | undefined>((resolve, reject) => {
      const fail = (code: 'CONFIG_INVALID' | 'TIMEOUT', reason: string, hint?: string): void => {
        reject(new OciError(code, reason, { hint }));
      };
      let bytes = 0;
      const collect = (into: Buffer[]) => (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxAnswerBytes) fail('CONFIG_INVALID', `${program} printed more than a mebibyte`);
        else into.push(chunk);
      };
      const [answer, complaint]: [Buffer[], Buffer[]] = [[], []];
      child.stdout.on('data', collect(answer));
      child.stderr.on('data', collect(complaint));
      // A helper may ignore its input, which breaks the pipe. Its exit status decides.
      child.stdin.on('error', () => {});
      child.stdin.end(input);
      child.on('error', (error: NodeJS.ErrnoException) => {
        const reason = error.code === 'ENOENT' ? 'is not on PATH' : `cannot be run (${error.code})`;
        const hint = `install ${program}, or remove it from Docker's config.json`;
        reject(new OciError('CONFIG_INVALID', `${program} ${reason}`, { hint, cause: error }));
      });
      child.on('close', (status, killer) => {
        const text = Buffer.concat(answer).toString('utf8');
        if (status === 0) return resolve(text);
        const said = text.trim() === '' ? Buffer.concat(complaint).toString('utf8') : text;
        if (/credentials not found|no credentials (?:server URL|username)/i.test(said)) return resolve(undefined);
        const how = status === null ? `was ended by ${killer}` : `failed with status ${status}`;
        return fail('CONFIG_INVALID', `${program} ${action} ${how}${reasonIn(said)}`, hintFor(said));
      });
      timer = setTimeout(() => {
        fail('TIMEOUT', `${program} ${action} did not answer within ${timeoutMs / 1000} s`, 'Is its keyring locked?');
      }, timeoutMs);
      onAbort = () => reject(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    // Child processes of the helper may keep the pipes open after it has ended.
    child.kill('SIGKILL');
    child.stdout.destroy();
    child.stderr.destroy();
    child.unref();
  }
}

/** Whether a helper could not be started at all. If it ran, it may just not support the action. */
export function neverRan({ code, cause }: OciError): boolean {
  return code === 'CONFIG_INVALID' && cause !== undefined;
}

// Output that looks like credentials is not repeated, and control characters must not reach the terminal.
function reasonIn(said: string): string {
  const line = said
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 200);
  return line === '' || /[{}]|secret/i.test(line) ? '' : `: ${line}`;
}

function hintFor(said: string): string | undefined {
  if (/pass not initialized|pass store is uninitialized/i.test(said)) return 'run `pass init <gpg-id>` once';
  if (/gpg|pinentry/i.test(said)) return 'unlock the GPG key that pass uses';
  if (/keychain|keyring|locked|dbus|d-bus|secret service/i.test(said))
    return 'unlock the keyring, or log in to a desktop session';
  return undefined;
}
