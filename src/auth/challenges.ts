import type { Challenge } from '../model/challenge.ts';
import { type HttpResponse, headerLines } from '../transport/http.ts';
import { parseChallenges } from '../wire/challenges.ts';

type Head = Pick<HttpResponse, 'status' | 'url' | 'headers'>;

/** The challenges of a registry's 401. Empty after a redirect to another origin: that 401 is not the registry's. */
export function challengesOf({ status, url, headers }: Head, asked: URL): readonly Challenge[] {
  if (status !== 401 || url.origin !== asked.origin) return [];
  return parseChallenges(headerLines(headers, 'www-authenticate'));
}

/** Whether a registry may hide content from anonymous clients: a 403 or 404, or a 401 without a challenge. */
export function mayHide({ status, url }: Head, asked: URL): boolean {
  return (status === 401 || status === 403 || status === 404) && url.origin === asked.origin;
}
