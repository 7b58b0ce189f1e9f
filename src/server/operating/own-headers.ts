import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';

/** Why a header cannot be set for all answers, by its name in lower case. */
const refused: ReadonlyMap<string, string> = new Map([
  ...named('it belongs to the connection', [
    'connection',
    'keep-alive',
    'proxy-connection',
    'proxy-authenticate',
    'proxy-authorization',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
  ]),
  ...named('it describes the body', ['content-length', 'content-type', 'content-encoding', 'content-range']),
  ...named('each answer has its own', [
    'accept-ranges',
    'allow',
    'date',
    'etag',
    'link',
    'location',
    'range',
    'retry-after',
    'vary',
    'www-authenticate',
    'x-request-id',
  ]),
  ...named('it protects browsers, and is set already', [
    'content-security-policy',
    'content-security-policy-report-only',
    'x-content-type-options',
  ]),
  ...named('a registry keeps no session in a browser', ['set-cookie', 'set-cookie2']),
]);

function named(reason: string, names: readonly string[]): [string, string][] {
  return names.map((name) => [name, reason]);
}

/**
 * Checks headers that are to be part of every answer.
 *
 * @returns Them by their names in lower case.
 * @throws OciError USAGE for a name or value that HTTP does not allow, and for headers that are the server's own.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-5
 */
export function checkedHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const checked: Record<string, string> = {};
  for (const [word, value] of Object.entries(headers)) {
    const name = word.toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/.test(name))
      throw new OciError('USAGE', `invalid header name ${quote(word)}`);
    // Tabs and visible ASCII: what else is in a header, clients read differently.
    if (!/^[\t\x20-\x7e]{1,4096}$/.test(value)) throw new OciError('USAGE', `invalid value of the header ${word}`);
    const reason = reasonAgainst(name);
    if (reason !== undefined) throw new OciError('USAGE', `the header ${word} cannot be set: ${reason}`);
    checked[name] = value;
  }
  return checked;
}

function reasonAgainst(name: string): string | undefined {
  if (name.startsWith('access-control-')) return 'name the origins of web pages instead (--cors-origin)';
  if (/^(?:docker|oci)-/.test(name)) return 'it belongs to the protocol of registries';
  return refused.get(name);
}
