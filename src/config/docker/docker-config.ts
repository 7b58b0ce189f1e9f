/**
 * Docker's config.json: what it says, never changed here.
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

/** One entry of `auths`, decoded. All fields are absent in the empty entries that a helper leaves behind. */
export interface AuthEntry {
  /** The key as written: a host, or a URL of one. */
  readonly key: string;
  readonly origin: Origin;
  readonly username?: string;
  readonly password?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
  /** Why the entry cannot be used. It only matters when this registry is asked for. */
  readonly fault?: string;
}

/** The key of an entry as it may be shown: it can be a URL, and that may hold anything. */
export function maskAuthKey(key: string): string {
  return key.replace(/[?#].*$/s, '').replace(/^([a-z]+:\/\/)?.*@/is, '$1');
}

export interface DockerConfig {
  /** Undefined where no directory is named and there is no home directory: nothing can be kept then. */
  readonly file: string | undefined;
  readonly auths: readonly AuthEntry[];
  /** Extra headers for registries themselves, never for mirrors, token servers or redirect targets. */
  readonly httpHeaders: Readonly<Record<string, string>>;
  readonly credsStore: Sourced<string> | undefined;
  /** Helper names by registry, or by `*.example.com` for those below a name. */
  readonly credHelpers: ReadonlyMap<string, HelperName>;
}

/** Empty: the file itself keeps the credentials. */
export interface HelperName extends Sourced<string> {
  /** Why it cannot be used. It only matters when this registry is asked for. */
  readonly fault?: string;
}

/** Reads one config.json; a missing or empty file is an empty configuration. @throws OciError CONFIG_INVALID */
export async function loadDockerConfig(file: string | undefined): Promise<DockerConfig> {
  return parseDockerConfig(file === undefined ? '' : ((await readSettingsFile(file)) ?? ''), file);
}

/** @throws OciError CONFIG_INVALID naming file and line, and for a fault of syntax the column. */
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
 * The variable `DOCKER_AUTH_CONFIG`, which holds the `auths` of a config.json.
 *
 * @throws OciError CONFIG_INVALID
 */
export function parseDockerAuthConfig(text: string): readonly AuthEntry[] {
  const name = 'DOCKER_AUTH_CONFIG';
  return readAuths(fieldsOf(inDockerKeys(parseJsonDocument(text, name)), name, 'environment'));
}

// One registry's entry, whatever it is, is no obstacle for the others.
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

/** Splits at the first colon: a user name holds none, a password may. Trailing NULs are padding of old Docker versions. */
function decodeAuth(written: string): { readonly username: string; readonly password: string } | undefined {
  // `base64` breaks its lines, and Go's decoder passes over the breaks.
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
