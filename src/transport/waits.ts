/** Reports of requests that do not get on. */
import { shortDigest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { WaitFacts } from '../model/events.ts';
import { isDigestReference } from '../model/reference/reference.ts';
import { parseRoute, type Route } from '../wire/routes.ts';
import type { HttpRequest } from './http.ts';

/** Why a request does not get on. It continues or is sent again; its timeout is independent. */
export interface Wait {
  /** The host[:port] whose response is awaited. */
  readonly host: string;
  /** `blob 28cff67c03fa`, `manifest 1 of team/app`; undefined for requests without a name, such as for a token. */
  readonly what: string | undefined;
  /** Milliseconds since the last byte. */
  readonly silentMs: number;
  /** From 1. */
  readonly attempt: number;
  /** If connections are refused or cut: the error, and how long it is tried in total. */
  readonly outage?: { readonly message: string; readonly patienceMs: number } | undefined;
  /** If the server has answered with an error, or not in time: see {@link Repetition}. */
  readonly again?: Repetition | undefined;
}

/** Why a request is sent again. */
export interface Repetition {
  /** `registry.example.com answered 503` */
  readonly problem: string;
  /** HTTP status of the answer, if there was one. */
  readonly status?: number | undefined;
  /** The wait that the server asked for; 0 if it did not. */
  readonly askedMs: number;
}

/** The reason why nothing moves, for a caller that knows what it waits for. */
export function reasonOf({ host, silentMs, outage, again }: Omit<Wait, 'what' | 'attempt'>): string {
  if (outage) return `${outage.message}, trying again for up to ${inSeconds(outage.patienceMs)}`;
  if (!again) return `${host}: nothing has come for ${inSeconds(silentMs)}`;
  const { problem, status, askedMs } = again;
  if (askedMs < toldWaitMs) return `${problem}, trying again`;
  return `${host} asks to wait ${inSeconds(askedMs)}${status === undefined ? '' : ` (${status})`}`;
}

function inSeconds(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return `${seconds} second${seconds === 1 ? '' : 's'}`;
}

/** What listeners are told beside the reason. */
export function waitFacts({ outage, again }: Omit<Wait, 'what' | 'attempt'>): WaitFacts {
  if (outage) return {};
  if (!again) return { silent: true };
  return again.askedMs < toldWaitMs ? {} : { seconds: Math.ceil(again.askedMs / 1000) };
}

/** Shorter waits and fewer failures in a row are not reported. */
const toldWaitMs = 1000;
const quietFailures = 2;

/** Tells of the waits of one request: its own listener, otherwise that of the transport. */
export class WaitTeller {
  readonly #about: Pick<Wait, 'host' | 'what'>;
  readonly #own: HttpRequest['onWait'];
  readonly #common: ((wait: Wait) => void) | undefined;

  constructor(
    about: Pick<Wait, 'host' | 'what'>,
    own: HttpRequest['onWait'],
    common: ((wait: Wait) => void) | undefined,
  ) {
    this.#about = about;
    this.#own = own;
    this.#common = common;
  }

  get isHeard(): boolean {
    return (this.#own ?? this.#common) !== undefined;
  }

  silent(silentMs: number, attempt: number): void {
    this.#tell({ ...this.#about, silentMs, attempt });
  }

  again(again: Repetition, failures: number, attempt: number): void {
    if (isTold(again, failures)) this.#tell({ ...this.#about, silentMs: 0, attempt, again });
  }

  /** @param told Origins whose outage the transport's listener knows already. */
  outage(wait: Wait, origin: string, told: Set<string>): void {
    if (!this.#own && told.has(origin)) return;
    if (!this.#own) told.add(origin);
    this.#tell(wait);
  }

  #tell(wait: Wait): void {
    if (this.#own) this.#own(reasonOf(wait), waitFacts(wait));
    else this.#common?.(wait);
  }
}

/** Whether a repetition is worth telling of. @param failures In a row. */
function isTold({ askedMs }: Repetition, failures: number): boolean {
  return askedMs >= toldWaitMs || failures > quietFailures;
}

/** Tells a caller that repeats requests itself. @param askedMs The wait that the server asked for, as far as it is honoured. */
export function tellAgain(
  { onWait }: Pick<HttpRequest, 'onWait'>,
  error: Pick<OciError, 'message' | 'status' | 'endpoint'>,
  failures: number,
  askedMs = 0,
): void {
  const { message: problem, status, endpoint = '' } = error;
  const again = { problem, status, askedMs };
  if (!onWait || !isTold(again, failures)) return;
  const wait = { host: endpoint.replace(/^https?:\/\//, ''), silentMs: 0, again };
  onWait(reasonOf(wait), waitFacts(wait));
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
