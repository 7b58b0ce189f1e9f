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
  if (userAgent !== undefined) facts.push(`agent=${JSON.stringify(userAgent.split(' ', 1)[0]?.slice(0, 64))}`);
  if (error !== undefined) facts.push(`error=${JSON.stringify(describeFailure(error))}`);
  return facts.join(' ');
}

/**
 * The same for programs, with the fields of distribution's log, so that what reads that reads this. Absent fields are
 * left out.
 *
 * @see https://distribution.github.io/distribution/about/configuration/#log
 */
export function accessRecord(entry: AccessEntry, at: Date, instanceId: string): object {
  const { error, user, repository, contentType } = entry;
  const failed = error === undefined ? {} : { 'err.code': codeOf(error), 'err.detail': describeFailure(error) };
  return {
    type: 'request',
    time: at.toISOString(),
    level: isOurFailure(entry) ? 'error' : 'info',
    msg: error === undefined ? 'response completed' : 'response completed with error',
    'instance.id': instanceId,
    'http.request.id': entry.requestId,
    'http.request.method': entry.method,
    'http.request.uri': uriOf(entry),
    'http.request.host': entry.host,
    'http.request.remoteaddr': entry.remoteAddress,
    'http.request.useragent': entry.userAgent,
    'http.request.received': entry.receivedBytes,
    'http.response.status': entry.status,
    'http.response.contenttype': contentType,
    'http.response.written': entry.sentBytes,
    // As Go writes a duration, since it is one there.
    'http.response.duration': `${entry.durationMs.toFixed(3)}ms`,
    'auth.user.name': user,
    'vars.name': repository,
    ...failed,
  };
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * The Combined Log Format, in UTC.
 *
 * @see https://httpd.apache.org/docs/2.4/logs.html#combined
 */
export function combinedLine(entry: AccessEntry, at: Date): string {
  const [date = '', time = ''] = at.toISOString().split(/[T.]/);
  const [year, month, day] = date.split('-');
  const stamp = `${day}/${months[Number(month) - 1]}/${year}:${time} +0000`;
  const request = escaped(`${entry.method} ${uriOf(entry)} HTTP/${entry.httpVersion}`);
  const user = entry.user === undefined ? '-' : escaped(entry.user).replaceAll(' ', '\\x20');
  const agent = escaped(entry.userAgent ?? '-');
  return `${entry.remoteAddress} - ${user} [${stamp}] "${request}" ${entry.status} ${entry.sentBytes} "-" "${agent}"`;
}

/** Whether the operator should see the error: a failure of this server, not an invalid or aborted request. */
export function isOurFailure({ status, error }: AccessEntry): boolean {
  if (error === undefined || (error instanceof OciError && error.code === 'CANCELLED')) return false;
  if (error instanceof OciError && error.code === 'STORAGE_DAMAGED') return true;
  // If a blob breaks off, the status is 200 and the client only sees a broken connection.
  return status >= 500 || status < 400;
}

/** Whether it is a question of a load balancer that was answered with yes, of which a log would be full. */
export function isProbe({ handler, status }: AccessEntry): boolean {
  return (handler === 'livez' || handler === 'readyz') && status === 200;
}

function uriOf({ path, query }: AccessEntry): string {
  return query === undefined ? path : `${path}?${query}`;
}

function escaped(text: string): string {
  return visible(text).replace(/["\\]/g, (character) => `\\x${character.charCodeAt(0).toString(16)}`);
}

function codeOf(error: unknown): string {
  return error instanceof OciError ? error.code : 'INTERNAL';
}

function describeFailure(error: unknown): string {
  if (!(error instanceof OciError)) {
    return visible(`unexpected failure: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  const { cause } = error;
  const reason = cause instanceof Error && !error.message.includes(cause.message) ? `: ${cause.message}` : '';
  return visible(`${error.code}: ${error.message}${reason}`);
}
