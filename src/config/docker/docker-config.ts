/**
 * Docker's config.json: what it says, never changed here.
 *
 * @see https://docs.docker.com/reference/cli/docker/#docker-cli-configuration-file-configjson-properties
 */
import { OciError } from '../../model/errors.ts';
import { quote, visible } from '../../model/quote.ts';
import { withoutTrailing } from '../../model/trailing.ts';
import { type Fields, fieldsOf } from '../documents/fields.ts';
import { parseJsonDocument } from '../documents/json-document.ts';
import { readHeaders } from '../headers.ts';
import { formatOrigin, type Origin, type Sourced } from '../origin.ts';
import { readSettingsFile } from '../settings-file.ts';

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
  readonly file: string;
  readonly auths: readonly AuthEntry[];
  /** Extra headers for registries themselves, never for mirrors, token servers or redirect targets. */
  readonly httpHeaders: Readonly<Record<string, string>>;
  readonly credsStore: Sourced<string> | undefined;
  /** Helper names by registry. */
  readonly credHelpers: ReadonlyMap<string, Sourced<string>>;
}

/** Reads one config.json; a missing or empty file is an empty configuration. @throws OciError CONFIG_INVALID */
export async function loadDockerConfig(file: string): Promise<DockerConfig> {
  return parseDockerConfig((await readSettingsFile(file)) ?? '', file);
}

/** @throws OciError CONFIG_INVALID naming file and line, and for a fault of syntax the column. */
export function parseDockerConfig(text: string, file: string): DockerConfig {
  const fields = fieldsOf(parseJsonDocument(text, file), file);
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
  return readAuths(fieldsOf(parseJsonDocument(text, name), name, 'environment'));
}

function readAuths(fields: Fields): readonly AuthEntry[] {
  return fields.members('auths').map(([key, { value, origin }]) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new OciError(
        'CONFIG_INVALID',
        `${formatOrigin(origin)}: the entry of ${visible(key)} in "auths" must be an object`,
      );
    }
    return { key, origin, ...readEntry(value as Record<string, unknown>) };
  });
}

function readEntry(entry: Record<string, unknown>): Omit<AuthEntry, 'key' | 'origin'> {
  const text = (name: string): string | undefined => {
    const value = entry[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const [identityToken, registryToken] = [text('identitytoken'), text('registrytoken')];
  const tokens = { ...(identityToken && { identityToken }), ...(registryToken && { registryToken }) };
  const auth = text('auth');
  if (auth === undefined) {
    const [username, password] = [text('username'), text('password')];
    return { ...tokens, ...(username !== undefined && { username, password: password ?? '' }) };
  }
  const decoded = decodeAuth(auth);
  return decoded === undefined
    ? { ...tokens, fault: 'its "auth" is not the base64 of user:password' }
    : { ...tokens, ...decoded };
}

/** Splits at the first colon: a user name holds none, a password may. Trailing NULs are padding of old Docker versions. */
function decodeAuth(auth: string): { readonly username: string; readonly password: string } | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(auth)) return undefined;
  const bytes = Buffer.from(auth, 'base64');
  const text = bytes.toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0) return undefined;
  return { username: text.slice(0, colon), password: withoutTrailing(text.slice(colon + 1), '\0') };
}

function readHelper([host, { value, origin }]: readonly [string, Sourced<unknown>]): readonly [
  string,
  Sourced<string>,
] {
  if (typeof value === 'string') return [host, { value, origin }];
  throw new OciError('CONFIG_INVALID', `${formatOrigin(origin)}: ${quote(`credHelpers.${host}`)} must be a string`);
}
