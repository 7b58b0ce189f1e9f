/** Formats the access log of `ocictl serve`. */
import { OciError } from '../../model/errors.ts';
import { visible } from '../../model/quote.ts';
import type { AccessEntry } from './access-entry.ts';

/** One line of text: `TIME CLIENT METHOD PATH STATUS in=BYTES out=BYTES ms=TIME …`. */
export function formatAccess(entry: AccessEntry, at: Date): string {
  const { remoteAddress, method, path, status, receivedBytes, sentBytes, durationMs, userAgent, user, error } = entry;
  const facts = [
    at.toISOString(),
    remoteAddress,
    method,
    path,
    status,
    `in=${receivedBytes}`,
    `out=${sentBytes}`,
    `ms=${durationMs.toFixed(1)}`,
  ];
  if (user !== undefined) facts.push(`user=${JSON.stringify(user)}`);
  if (userAgent !== undefined) facts.push(`agent=${JSON.stringify(userAgent)}`);
  if (error !== undefined) facts.push(`error=${JSON.stringify(describeFailure(error))}`);
  return facts.join(' ');
}

/** The same for programs. */
export function accessRecord(entry: AccessEntry, at: Date): object {
  // Only the keys in docs/serving.md.
  const { requestId: _requestId, handler: _handler, error, ...told } = entry;
  const failure = error === undefined ? {} : { error: describeFailure(error) };
  return { time: at.toISOString(), ...told, ...failure };
}

/** Whether the operator should see the error: a failure of this server, not an invalid or aborted request. */
export function isOurFailure({ status, error }: AccessEntry): boolean {
  if (error === undefined || (error instanceof OciError && error.code === 'CANCELLED')) return false;
  if (error instanceof OciError && error.code === 'STORAGE_DAMAGED') return true;
  // If a blob breaks off, the status is 200 and the client only sees a broken connection.
  return status >= 500 || status < 400;
}

function describeFailure(error: unknown): string {
  if (!(error instanceof OciError)) {
    return visible(`unexpected failure: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  const { cause } = error;
  const reason = cause instanceof Error && !error.message.includes(cause.message) ? `: ${cause.message}` : '';
  return visible(`${error.code}: ${error.message}${reason}`);
}
