/**
 * A URL that is safe to show: without user, password and fragment, and without the content of its query. The query of a
 * redirect is often a signature with which anyone can read the blob.
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

const secretHeaders =
  /authorization|cookie|token|secret|signature|credential|session|api-?key|password|^location$|^link$/i;

/**
 * Headers that are safe to show: secrets are replaced, and queries removed from URLs.
 *
 * @param own Headers that the user configured. Any of them may be secret, so none of their values is shown.
 */
export function redactHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  own: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const hidden = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const text = typeof value === 'string' ? value : value.join(', ');
    if (secretHeaders.test(name)) shown[name] = redactValue(name.toLowerCase(), text);
    else shown[name] = hidden.has(name.toLowerCase()) ? '…' : text;
  }
  return shown;
}

function redactValue(name: string, text: string): string {
  if (name === 'authorization') return `${text.split(' ', 1)[0]} …`;
  if (name !== 'location' && name !== 'link') return '…';
  return text.replace(/\?[^>\s]*/g, '?…').replace(/\/\/[^/@\s]*@/g, '//…@');
}
