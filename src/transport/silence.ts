/** Reports of requests without progress. */
import { shortDigest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import { isDigestReference } from '../model/reference/reference.ts';
import { parseRoute, type Route } from '../wire/routes.ts';
import type { HttpRequest } from './http.ts';

/** A request whose server has sent nothing for a while. It continues; its timeout is independent. */
export interface Silence {
  /** The host[:port] whose response is awaited. */
  readonly host: string;
  /** `blob 28cff67c03fa`, `manifest 1 of team/app`; undefined for requests without a name, such as for a token. */
  readonly what: string | undefined;
  readonly silentMs: number;
  /** From 1. */
  readonly attempt: number;
  /** If connections are refused or cut: the error, and how long it is tried in total. */
  readonly outage?: { readonly message: string; readonly patienceMs: number } | undefined;
}

/** The reason why nothing moves, for a caller that knows what it waits for. */
export function reasonOf({ host, silentMs, outage }: Silence): string {
  if (!outage) return `${host}: nothing has come for ${Math.round(silentMs / 1000)} seconds`;
  return `${outage.message}, trying again for up to ${Math.round(outage.patienceMs / 1000)} seconds`;
}

/** Shorter waits and fewer failures in a row are not reported. */
const toldWaitMs = 1000;
const quietFailures = 2;

/** Tells the caller that a request is sent again. @param leastMs The wait that the server asked for. */
export function tellAgain(
  { onWait }: Pick<HttpRequest, 'onWait'>,
  problem: string,
  failures: number,
  leastMs = 0,
): void {
  if (leastMs < toldWaitMs && failures <= quietFailures) return;
  const seconds = Math.ceil(leastMs / 1000);
  onWait?.(`${problem}, trying again${seconds > 0 ? ` in ${seconds} seconds` : ''}`);
}

/** Reports silence to the request's caller; if it has no listener, to the listener of the whole transport. */
export function silenceTeller(
  { onWait }: Pick<HttpRequest, 'onWait'>,
  onSilence: ((event: Silence) => void) | undefined,
): ((event: Silence) => void) | undefined {
  return onWait ? (event) => onWait(reasonOf(event), { silent: true }) : onSilence;
}

/** Calls `tell` once when nothing has moved for a time, and again only after something has moved. */
export class SilenceWatch {
  readonly #timer: NodeJS.Timeout;

  /** @param isWaiting Whether it is the server's turn. */
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

/** What a request is for, in terms of the API; undefined for a URL that is not the registry's. */
export function askedFor(url: URL, base: URL): string | undefined {
  if (url.origin !== base.origin || !url.pathname.startsWith(base.pathname)) return undefined;
  try {
    return nameOf(parseRoute(`/${url.pathname.slice(base.pathname.length)}`));
  } catch {
    return undefined;
  }
}

/** Adds what was awaited, and how often it was tried, to a timeout. Other errors are returned unchanged. */
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
