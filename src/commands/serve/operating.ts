/** The options of `ocictl serve` for those who operate it, and what they mean to the server. */
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import type { ServeOptions } from '../../server/options.ts';
import { flag, list, value, values } from '../command-line/command.ts';
import { logFormats } from './access-log.ts';
import { parseTime } from './announcement.ts';

/** While somebody asks `/readyz`, this part of the time for stopping passes before connections are refused. */
const unreadyPart = 1 / 3;
const mostUnreadyMs = 10_000;

export const operatingOptions = {
  gcInterval: value('--gc-interval <time>', 'Collect garbage each so often, as ocictl storage gc does: 12h, 7d'),
  shared: flag(
    '--shared',
    'Other processes serve this --root too, behind one proxy: any of them may continue an upload',
  ),
  disableDelete: flag('--disable-delete', 'Refuse to delete manifests, tags and blobs'),
  header: values('--header <name:value>', 'Add this header to every answer'),
  corsOrigin: list(
    '--cors-origin <origin>',
    'Let web pages of this origin use the registry; with * all may read, without logins of the browser',
  ),
  catalogLimit: value('--catalog-limit <count>', 'List at most so many repositories per page (default 10000)'),
  accessLog: value(
    '--access-log <format>',
    'How requests are logged on stderr: text (with -v), json, combined or none (default)',
    { choices: logFormats },
  ),
  metrics: value(
    '--metrics <address>',
    'Serve metrics for Prometheus at http://ADDRESS/metrics: a port of this machine (9090), or host:port',
  ),
  drain: value(
    '--drain <time>',
    'How long running requests may take when it is stopped, before they are cut: 90s, 5m (default 30s)',
  ),
};

/** @throws OciError USAGE */
export function readDrain(text = '30s'): { readonly graceMs: number; readonly unreadyMs: number } {
  const graceMs = parseTime(text);
  return { graceMs, unreadyMs: Math.min(graceMs * unreadyPart, mostUnreadyMs) };
}

interface OperatingWords {
  readonly disableDelete: boolean;
  readonly header: readonly string[];
  readonly corsOrigin: readonly string[];
  readonly catalogLimit: string | undefined;
}

/** @throws OciError USAGE for a word that the server would not understand. */
export function readOperating({
  disableDelete,
  header,
  corsOrigin,
  catalogLimit,
}: OperatingWords): Pick<ServeOptions, 'corsOrigins' | 'deletes' | 'headers' | 'maxCatalogPage'> {
  return {
    deletes: !disableDelete,
    corsOrigins: corsOrigin,
    headers: headersOf(header),
    ...(catalogLimit !== undefined && { maxCatalogPage: parseLimit(catalogLimit) }),
  };
}

// A header that is given several times is a list.
function headersOf(words: readonly string[]): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [name, text] of words.map(parseHeader)) {
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${text}` : text;
  }
  return headers;
}

function parseHeader(word: string): [string, string] {
  const [, name, text] = /^([^:]+):(.*)$/s.exec(word) ?? [];
  if (name !== undefined && text !== undefined) return [name.trim().toLowerCase(), text.trim()];
  throw new OciError('USAGE', `invalid --header ${quote(word)}`, {
    hint: "a header is a name and a value, as in 'Strict-Transport-Security: max-age=31536000'",
  });
}

function parseLimit(word: string): number {
  if (/^[1-9]\d{0,6}$/.test(word)) return Number(word);
  throw new OciError('USAGE', `invalid --catalog-limit ${quote(word)}`, { hint: 'it is a number of repositories' });
}
