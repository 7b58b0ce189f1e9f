import type { HttpRequest } from './http.ts';

interface Circumstances {
  readonly url: URL;
  readonly base: URL;
  /** Whether another origin led here. */
  readonly left: boolean;
  /** For the base's origin only. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly userAgent?: string | undefined;
}

/** The headers of a request, with what only its own origin may see. */
export function requestHeaders(
  request: HttpRequest,
  { url, base, left, headers, userAgent = 'ocictl' }: Circumstances,
): Record<string, string> {
  const { authorization, anonymous = false, contentBytes, body } = request;
  const own = url.origin === base.origin && !anonymous && !left;
  const length = body !== undefined && !(body instanceof Uint8Array) ? contentBytes : undefined;
  return {
    'user-agent': userAgent,
    // A compressing proxy would change the bytes that digests cover.
    'accept-encoding': 'identity',
    ...(own && lowerCased(headers)),
    ...lowerCased(request.headers),
    ...(length !== undefined && { 'content-length': String(length) }),
    ...(authorization !== undefined && !left && { authorization }),
  };
}

function lowerCased(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
