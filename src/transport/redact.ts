/**
 * A URL as it may be shown: without user, password and fragment, and without what its query says. A redirect's query is
 * often a signature that opens the blob for anyone.
 */
export function redactUrl(url: URL | string): string {
  if (typeof url === 'string' && !URL.canParse(url)) return 'an invalid URL';
  const { protocol, host, pathname, search } = new URL(url);
  return `${protocol}//${host}${pathname}${search === '' ? '' : '?…'}`;
}

/** `https://host:port`: the name of an endpoint in messages. */
export function endpointOf(url: URL): string {
  return `${url.protocol}//${url.host}`;
}

const secretHeaders = /authorization|cookie|token|secret|api-?key|password|^location$|^link$/i;

/** Headers as they may be shown: secrets replaced, and queries cut from URLs. */
export function redactHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Readonly<Record<string, string>> {
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const text = typeof value === 'string' ? value : value.join(', ');
    shown[name] = secretHeaders.test(name) ? redactValue(name.toLowerCase(), text) : text;
  }
  return shown;
}

function redactValue(name: string, text: string): string {
  if (name === 'authorization') return `${text.split(' ', 1)[0]} …`;
  if (name !== 'location' && name !== 'link') return '…';
  return text.replace(/\?[^>\s]*/g, '?…').replace(/\/\/[^/@\s]*@/g, '//…@');
}
