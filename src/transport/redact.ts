/**
 * A URL as it may be shown: without user, password, query and fragment. A redirect's query is often a signature that
 * opens the blob for anyone.
 */
export function redactUrl(url: URL | string): string {
  const parsed = typeof url === 'string' ? URL.parse?.(url) ?? parse(url) : url;
  if (!parsed) return 'an invalid URL';
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}${parsed.search === '' ? '' : '?…'}`;
}

const secretHeaders = /^(?:authorization|proxy-authorization|cookie|set-cookie|location|link)$|token|secret|api-?key|password/i;

/** Headers as they may be shown: secrets replaced, and URLs that may carry a signature cut. */
export function redactHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Readonly<Record<string, string>> {
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const text = typeof value === 'string' ? value : value.join(', ');
    shown[name] = secretHeaders.test(name) ? redactValue(name, text) : text;
  }
  return shown;
}

function redactValue(name: string, text: string): string {
  if (/^authorization$/i.test(name)) return `${text.split(' ', 1)[0]} …`;
  if (/^(?:location|link)$/i.test(name)) return text.replace(/\?[^>\s]*/g, '?…').replace(/\/\/[^/@\s]*@/g, '//…@');
  return '…';
}

function parse(url: string): URL | undefined {
  try {
    return new URL(url);
  } catch {
    return undefined;
  }
}
