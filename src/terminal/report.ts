import { type ErrorCode, exitStatusOf, OciError } from '../model/errors.ts';
import { isOutOfMemory, outOfMemory } from '../model/out-of-memory.ts';
import type { Terminal } from './terminal.ts';

interface ReportOptions {
  readonly terminal: Terminal;
  readonly json: boolean;
  /** 130, or that of another signal. */
  readonly signalStatus: number;
}

/**
 * Reports a failure on stderr: for people, or as JSON where stderr is for programs. Returns its exit status.
 *
 * @param options.json Whether a line of JSON follows the lines for people.
 */
export function report(error: unknown, { terminal, json, signalStatus }: ReportOptions): number {
  const known = error instanceof OciError ? error : unexpected(error);
  const status = known.code === 'CANCELLED' ? signalStatus : exitStatusOf(known);
  if (terminal.json) {
    terminal.data({ type: 'error', error: toJson(known) });
    return status;
  }
  terminal.note(`${terminal.paint('red', 'error:')} ${known.message}`);
  if (known.hint !== undefined) terminal.note(`${terminal.paint('dim', 'hint:')} ${known.hint}`);
  if (json) terminal.data({ type: 'error', error: toJson(known) });
  return status;
}

/** Reports the failure of one of several things on stderr. The command goes on. */
export function reportOne(name: string, error: OciError, terminal: Terminal): void {
  if (terminal.json) terminal.data({ type: 'failed', name, error: toJson(error) });
  else
    terminal.note(
      `${error.message.startsWith(`${name} `) ? '' : `${name}: `}${error.message}${error.hint === undefined ? '' : `; ${error.hint}`}`,
    );
}

interface JsonError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | null;
  readonly retryable: boolean;
  readonly endpoint: string | null;
}

function toJson({ code, message, hint, retryable, endpoint }: OciError): JsonError {
  return { code, message, hint: hint ?? null, retryable, endpoint: endpoint ?? null };
}

function unexpected(error: unknown): OciError {
  // Any resolution of a relative path may fail with it.
  if (error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd') {
    const hint = 'change to a directory that exists; cd "$PWD" if it was created again';
    return new OciError('STORAGE', 'the current directory was deleted', { cause: error, hint });
  }
  if (isOutOfMemory(error)) return outOfMemory('go on', { cause: error });
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new OciError('INTERNAL', `unexpected failure: ${text}`, {
    cause: error,
    hint: 'this is a bug in ocictl: please report it with the lines above',
  });
}
