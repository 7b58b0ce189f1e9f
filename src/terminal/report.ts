import { type ErrorCode, exitStatusOf, OciError } from '../model/errors.ts';
import { formatJson } from './json.ts';
import type { Terminal } from './terminal.ts';

export interface ReportOptions {
  readonly terminal: Terminal;
  readonly json: boolean;
  /** 130, or 143 when it was SIGTERM. */
  readonly signalStatus: number;
}

/** Tells a failure on stderr, for people and with `--json` also for programs, and gives its exit status. */
export function report(error: unknown, { terminal, json, signalStatus }: ReportOptions): number {
  // commander ends help and version by throwing; that is no failure.
  if (isCommanderExit(error)) return 0;
  const known = error instanceof OciError ? error : unexpected(error);
  terminal.note(`${terminal.paint('red', 'error:')} ${known.message}`);
  if (known.hint !== undefined) terminal.note(`${terminal.paint('dim', 'hint:')} ${known.hint}`);
  if (json) terminal.note(formatJson({ error: toJson(known) }));
  return known.code === 'CANCELLED' ? signalStatus : exitStatusOf(known);
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
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new OciError('INTERNAL', `unexpected failure: ${text}`, {
    cause: error,
    hint: 'this is a bug in ocictl: please report it with the lines above',
  });
}

function isCommanderExit(error: unknown): boolean {
  return error instanceof Error && 'exitCode' in error && error.exitCode === 0 && 'code' in error;
}
