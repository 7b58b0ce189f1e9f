/**
 * containerd's certs.d: a directory per host, with a hosts.toml, or with certificates only as in Docker's certs.d.
 *
 * @see https://github.com/containerd/containerd/blob/main/docs/hosts.md
 */
import { isAbsolute, join } from 'node:path';
import { visible } from '../../model/quote.ts';
import { readDurationMs } from '../documents/duration.ts';
import { type Fields, fieldsOf } from '../documents/fields.ts';
import { readSourceUrl } from '../documents/rule-location.ts';
import { parseTomlDocument } from '../documents/toml-document.ts';
import { readHeaders } from '../headers.ts';
import { formatOrigin, type Origin, type Sourced } from '../origin.ts';
import { defaultPrefix, plainSource, type RegistryRule, type RegistrySource } from '../registry-rules.ts';
import type { SettingsText } from '../settings-file.ts';

/** The content of one directory of certs.d. */
interface HostDirectory {
  readonly root: string;
  /** `host`, `host:port`, `host_port_` or `_default`. */
  readonly name: string;
  /** Its hosts.toml, if there is one that is not empty. */
  readonly text?: SettingsText;
  readonly inside: readonly string[];
}

/** The rule for one directory. @throws OciError CONFIG_INVALID naming file and line. */
export function readHostDirectory(
  { root, name, text, inside }: HostDirectory,
  warn: (text: string) => void,
): RegistryRule {
  const directory = join(root, name);
  const prefix = name === defaultPrefix ? name : name.replace(/_(\d+)_$/, ':$1');
  if (text === undefined) return certificatesAlone(prefix, directory, inside);
  const { file } = text;
  const fields = fieldsOf(parseTomlDocument(text.text, file), file);
  const read = (words: Fields, url: Sourced<string> | undefined) =>
    readSource(words, url, { prefix, directory, warn, origin: url?.origin ?? { kind: 'file', name: file } });
  const hosts = fields.object('host');
  const mirrors = (hosts?.keys() ?? []).flatMap((url) => {
    const words = hosts?.object(url);
    return words ? [read(words, { value: url, origin: words.origin })] : [];
  });
  const server = fields.string('server');
  const said = server !== undefined && server.value !== '';
  // Without a server, these keys apply to the host itself.
  const own = ['ca', 'client', 'skip_verify', 'header', 'dial_timeout'].some((key) => fields.any(key) !== undefined);
  return {
    prefix,
    origin: { kind: 'file', name: file },
    blocked: false,
    hostOnly: true,
    mirrors,
    ...((said || own) && { server: read(fields, said ? server : undefined) }),
  };
}

function certificatesAlone(prefix: string, directory: string, inside: readonly string[]): RegistryRule {
  const origin: Origin = { kind: 'file', name: directory };
  const ca = inside.filter((name) => name.endsWith('.crt')).map((name) => join(directory, name));
  const clients = inside
    .filter((name) => name.endsWith('.cert'))
    .map((name) => {
      const key = name.replace(/cert$/, 'key');
      return { cert: join(directory, name), key: join(directory, inside.includes(key) ? key : name) };
    });
  const server = ca.length > 0 || clients.length > 0 ? { ...plainSource, origin, ca, clients } : undefined;
  return { prefix, origin, blocked: false, hostOnly: true, mirrors: [], ...(server && { server }) };
}

interface SourceContext {
  readonly prefix: string;
  readonly directory: string;
  readonly origin: Origin;
  readonly warn: (text: string) => void;
}

function readSource(fields: Fields, url: Sourced<string> | undefined, context: SourceContext): RegistrySource {
  const { prefix, directory, origin } = context;
  const overridePath = fields.boolean('override_path')?.value ?? false;
  const place = url ? readSourceUrl(url, overridePath) : undefined;
  const timeout = fields.string('dial_timeout');
  const connectTimeoutMs = timeout && timeout.value !== '' ? readDurationMs(timeout) : undefined;
  return {
    ...plainSource,
    ...place,
    origin,
    overridePath: place !== undefined && overridePath,
    insecure: fields.boolean('skip_verify')?.value ?? false,
    // skip_verify only concerns certificates: it does not allow plain http.
    scheme: place?.scheme ?? 'https',
    ...(place && readCapabilities(fields, context)),
    namespaceQuery: place !== undefined && !isItself(place.host, prefix),
    ca: fields.stringOrStrings('ca').map(({ value }) => absolute(value, directory)),
    clients: readClients(fields, directory),
    headers: readHeaders(fields, 'header'),
    ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
  };
}

/** The API of Docker Hub has another host name than its references. */
function isItself(host: string, prefix: string): boolean {
  return host === prefix || (prefix === 'docker.io' && host === 'registry-1.docker.io');
}

function readCapabilities(fields: Fields, { warn }: SourceContext): Pick<RegistrySource, 'pull' | 'resolve' | 'push'> {
  const words = fields.strings('capabilities').map(({ value, origin }) => {
    const word = value.toLowerCase();
    const known = ['pull', 'resolve', 'push', 'referrers'].includes(word);
    if (!known) warn(`${formatOrigin(origin)}: the capability ${visible(value)} is not known and was ignored`);
    return word;
  });
  const can = (word: string) => words.length === 0 || words.includes(word);
  return { pull: can('pull'), resolve: can('resolve'), push: can('push') };
}

// A file with both, a list of such files, or a list of pairs.
function readClients(fields: Fields, directory: string): RegistrySource['clients'] {
  const found = fields.any('client');
  if (found === undefined) return [];
  const files = typeof found.value === 'string' ? [found.value] : found.value;
  if (!Array.isArray(files)) return fields.refuse('a file, a list of files, or a list of pairs', 'client');
  return files.map((entry: unknown) => {
    const pair: unknown = typeof entry === 'string' ? [entry, ''] : entry;
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((file) => typeof file === 'string')) {
      return fields.refuse('a list of files, or of pairs of a certificate and its key', 'client');
    }
    const [cert = '', key = ''] = pair as string[];
    return { cert: absolute(cert, directory), key: absolute(key === '' ? cert : key, directory) };
  });
}

function absolute(file: string, directory: string): string {
  return isAbsolute(file) ? file : join(directory, file);
}
