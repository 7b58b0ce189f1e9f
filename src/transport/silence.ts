/** What people are told of requests on which nothing moves. */
import { shortDigest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import { isDigestReference } from '../model/reference/reference.ts';
import { parseRoute, type Route } from '../wire/routes.ts';

/** A request whose server has sent nothing for a while. It goes on; its timeout is another matter. */
export interface Silence {
  /** host[:port] that is waited for. */
  readonly host: string;
  /** `blob 28cff67c03fa`, `manifest 1 of team/app`; undefined for what has no name of its own, as a token. */
  readonly what: string | undefined;
  readonly silentMs: number;
  /** From 1. */
  readonly attempt: number;
  /** Where connections are refused or cut: by which error, and how long that is tried in all. */
  readonly outage?: { readonly message: string; readonly patienceMs: number } | undefined;
}

/** Calls once when nothing has moved for a time, and may do so again when something has moved since. */
export class SilenceWatch {
  readonly #timer: NodeJS.Timeout;

  /** @param isWaiting Whether it is the server's turn at all. */
  constructor(afterMs: number, isWaiting: () => boolean, tell: () => void) {
    this.#timer = setTimeout(() => {
      if (isWaiting()) tell();
      else this.#timer.refresh();
    }, afterMs);
    this.#timer.unref();
  }

  moved(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** What a request is for, in the words of the API; undefined for a URL that is not the registry's. */
export function askedFor(url: URL, base: URL): string | undefined {
  if (url.origin !== base.origin || !url.pathname.startsWith(base.pathname)) return undefined;
  try {
    return nameOf(parseRoute(`/${url.pathname.slice(base.pathname.length)}`));
  } catch {
    return undefined;
  }
}

/** A timeout that says what was waited for, and how often. Any other error is given back as it is. */
export function namedTimeout(error: unknown, what: string | undefined, attempts: number): unknown {
  if (!(error instanceof OciError) || error.code !== 'TIMEOUT' || what === undefined) return error;
  const { message, hint, cause, detail, endpoint, retryable } = error;
  if (message.includes(what)) return error;
  const tries = attempts > 1 ? `, tried ${attempts} times` : '';
  return new OciError('TIMEOUT', `${message}: ${what}${tries}`, { hint, cause, detail, endpoint, retryable });
}

function nameOf(route: Route | undefined): string | undefined {
  switch (route?.name) {
    case 'manifest':
      if (isDigestReference(route.reference)) return `manifest ${shortDigest(route.reference)}`;
      return `manifest ${route.reference} of ${route.repo}`;
    case 'blob':
      return `blob ${shortDigest(route.digest)}`;
    case 'tags':
      return `the tags of ${route.repo}`;
    case 'uploads':
    case 'upload':
      return `an upload to ${route.repo}`;
    case 'referrers':
      return `the referrers of ${shortDigest(route.digest)}`;
    case 'catalog':
      return 'the list of repositories';
    default:
      return undefined;
  }
}
