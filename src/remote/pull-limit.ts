import type { PullLimit } from '../registry/extensions.ts';
import { type HttpHeaders, header } from '../transport/http.ts';

/**
 * The limit on pulls that an answer names: `ratelimit-limit: 100;w=21600` is 100 in 21600 seconds.
 *
 * @see https://docs.docker.com/docker-hub/usage/pulls/
 */
export function pullLimitOf(headers: HttpHeaders): PullLimit | undefined {
  const [limit, remaining] = [parse(header(headers, 'ratelimit-limit')), parse(header(headers, 'ratelimit-remaining'))];
  if (!limit || !remaining) return undefined;
  return { limit: limit.count, remaining: remaining.count, windowSeconds: limit.windowSeconds };
}

function parse(
  text: string | undefined,
): { readonly count: number; readonly windowSeconds: number | undefined } | undefined {
  const [, count, seconds] = /^\s*(\d{1,12})(?:\s*;\s*w=(\d{1,12}))?\s*$/.exec(text ?? '') ?? [];
  if (count === undefined) return undefined;
  return { count: Number(count), windowSeconds: seconds === undefined ? undefined : Number(seconds) };
}
