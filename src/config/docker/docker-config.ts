/**
 * Reads Docker's config.json. It is not changed here.
 *
 * @see https://docs.docker.com/reference/cli/docker/#docker-cli-configuration-file-configjson-properties
 */
import { quote } from '../../model/quote.ts';
import { withoutTrailing } from '../../model/without-trailing.ts';
import { type Fields, fieldsOf } from '../documents/fields.ts';
import { parseJsonDocument } from '../documents/json-document.ts';
import { readHeaders } from '../headers.ts';
import type { Origin, Sourced } from '../origin.ts';
import { readSettingsFile } from '../settings-file.ts';
import { inDockerKeys, memberInGo } from './go-keys.ts';

/** An entry of `auths`, decoded. An entry that a credential helper leaves behind is empty: all fields are absent. */
export interface AuthEntry {
  /** The key as written: a host, or a URL with one. */
  readonly key: string;
  /** The file and line. */
  readonly origin: Origin;
  /** Absent with a token. */
  readonly username?: string;
  /** A secret. */
  readonly password?: string;
  /** A refresh token. A secret. */
  readonly identityToken?: string;
  /** A bearer token that is sent as it is. A secret. */
  readonly registryToken?: string;
  /** Why the entry cannot be used. It only matters when this registry is accessed. */
  readonly fault?: string;
}

/** The key of an entry, safe to show: as a URL it could contain credentials or a query. */
export function maskAuthKey(key: string): string {
  return key.replace(/[?#].*$/s, '').replace(/^([a-z]+:\/\/)?.*@/is, '$1');
}

export interface DockerConfig {
  /** Undefined if no directory is configured and there is no home directory: then nothing can be stored. */
  readonly file: string | undefined;
  /** In the order of the file. */
  readonly auths: readonly AuthEntry[];
  /** Extra headers for the registries themselves, but not for mirrors, token servers or redirect targets. */
  readonly httpHeaders: Readonly<Record<string, string>>;
  /** The helper for registries without their own. */
  readonly credsStore: Sourced<string> | undefined;
  /** Helper names by registry, or by `*.example.com` for its subdomains. */
  readonly credHelpers: ReadonlyMap<string, HelperName>;
}

/** The name of a credential helper. If empty, credentials are in the file itself. */
export interface HelperName extends Sourced<string> {
  /** Why the helper cannot be used. It only matters when this registry is accessed. */
  readonly fault?: string;
}

/** Reads a config.json. A missing or empty file is an empty configuration. @throws OciError CONFIG_INVALID */
export async function loadDockerConfig(file: string | undefined): Promise<DockerConfig> {
  return parseDockerConfig(file === undefined ? '' : ((await readSettingsFile(file)) ?? ''), file);
}

/** @throws OciError CONFIG_INVALID naming file and line, and the column of a syntax error. */
export function parseDockerConfig(text: string, file: string | undefined): DockerConfig {
  const name = file ?? 'config.json';
  const fields = fieldsOf(inDockerKeys(parseJsonDocument(text, name)), name);
  const credsStore = fields.string('credsStore');
  return {
    file,
    auths: readAuths(fields),
    httpHeaders: readHeaders(fields, 'HttpHeaders'),
    credsStore: credsStore?.value === '' ? undefined : credsStore,
    credHelpers: new Map(fields.members('credHelpers').map(readHelper)),
  };
}

/**
 * Parses the variable `DOCKER_AUTH_CONFIG`, which contains the `auths` of a config.json.
 *
 * @throws OciError CONFIG_INVALID
 */
export function parseDockerAuthConfig(text: string): readonly AuthEntry[] {
  const name = 'DOCKER_AUTH_CONFIG';
  return readAuths(fieldsOf(inDockerKeys(parseJsonDocument(text, name)), name, 'environment'));
}

// A malformed entry must not affect other registries.
function readAuths(fields: Fields): readonly AuthEntry[] {
  return fields.members('auths').map(([key, { value, origin }]) => ({ key, origin, ...readEntry(value ?? {}) }));
}

function readEntry(entry: unknown): Omit<AuthEntry, 'key' | 'origin'> {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return { fault: 'it must be an object' };
  const faults: string[] = [];
  const text = (name: string): string | undefined => {
    const value = memberInGo(entry as Record<string, unknown>, name);
    if (value !== undefined && typeof value !== 'string') faults.push(`its "${name}" must be a string`);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const [identityToken, registryToken] = [text('identitytoken'), text('registrytoken')];
  const [auth, username, password] = [text('auth'), text('username'), text('password')];
  const tokens = { ...(identityToken && { identityToken }), ...(registryToken && { registryToken }) };
  const [fault] = faults;
  if (fault !== undefined) return { ...tokens, fault };
  if (auth === undefined) return { ...tokens, ...(username !== undefined && { username, password: password ?? '' }) };
  const decoded = decodeAuth(auth);
  return decoded === undefined
    ? { ...tokens, fault: 'its "auth" is not the base64 of user:password' }
    : { ...tokens, ...decoded };
}

/** Splits at the first colon: a password may contain one, but not a user name. Old Docker versions padded with NULs. */
function decodeAuth(written: string): { readonly username: string; readonly password: string } | undefined {
  // The `base64` command breaks lines, and Go's decoder ignores the breaks.
  const auth = written.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(auth)) return undefined;
  const bytes = Buffer.from(auth, 'base64');
  const text = bytes.toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0) return undefined;
  return { username: text.slice(0, colon), password: withoutTrailing(text.slice(colon + 1), '\0') };
}

function readHelper([host, { value, origin }]: readonly [string, Sourced<unknown>]): readonly [string, HelperName] {
  if (typeof value === 'string' || value === null) return [host, { value: value ?? '', origin }];
  return [host, { value: '', origin, fault: `${quote(`credHelpers.${host}`)} must be a string` }];
}
