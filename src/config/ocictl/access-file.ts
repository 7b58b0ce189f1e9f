/** The access file of `ocictl serve --issue-tokens`; docs/serving.md describes its keys. */
import { dirname, resolve } from 'node:path';
import {
  type AccessRule,
  type RepositoryAction,
  type RepositoryPattern,
  repositoryActions,
  repositoryPattern,
} from '../../model/access-rules.ts';
import { quote } from '../../model/quote.ts';
import { configError } from '../documents/config-error.ts';
import { readDurationMs } from '../documents/duration.ts';
import { type Fields, fieldsOf } from '../documents/fields.ts';
import { type KnownKeys, refuseUnknownKeys } from '../documents/known-keys.ts';
import { parseYamlDocument } from '../documents/yaml-document.ts';
import { formatOrigin, type Sourced } from '../origin.ts';
import { openReloaded } from '../reloaded.ts';
import { hashProblem, openHtpasswd } from './htpasswd.ts';

export interface AccessFile {
  /** The services that tokens are issued for. The first is the registry in the same process. */
  readonly services: readonly [string, ...string[]];
  /** The issuer in tokens, as registries know it. */
  readonly issuer: string;
  /** URL where clients get tokens, if it differs from the address they used. */
  readonly realm: Sourced<string> | undefined;
  readonly expiresMs: number;
  readonly refreshExpiresMs: number;
  readonly rules: readonly AccessRule[];
  /** The current bcrypt hashes by user. */
  accounts(): Promise<ReadonlyMap<string, string>>;
}

const keys: KnownKeys = {
  services: true,
  issuer: true,
  realm: true,
  expires: true,
  'refresh-expires': true,
  htpasswd: true,
  users: true,
  rules: [{ users: true, anonymous: true, repositories: true, actions: true }],
};

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

interface AccessFileOptions {
  /** Called once for every invalid change. The earlier rules stay in effect. */
  readonly warn: (text: string) => void;
  /** Further checks, which the parser cannot do, such as of the realm. Throws if the file is invalid. */
  readonly check?: (access: AccessFile) => void;
}

/**
 * Opens an access file.
 *
 * @returns A function for the current rules. A change of the file takes effect within a second.
 * @throws OciError CONFIG_INVALID naming file, line and column.
 */
export function openAccessFile(file: string, { warn, check }: AccessFileOptions): Promise<() => Promise<AccessFile>> {
  return openReloaded(file, {
    what: 'access file',
    hint: "it names users and what they may do; 'ocictl help serve' shows one",
    parse: async (text) => {
      const access = await parseAccessFile(text, file, warn);
      check?.(access);
      return access;
    },
    meanwhile: 'the earlier rules stay in effect',
    warn,
  });
}

async function parseAccessFile(text: string, file: string, warn: (text: string) => void): Promise<AccessFile> {
  const document = parseYamlDocument(text, file);
  refuseUnknownKeys(document, keys, file);
  const fields = fieldsOf({ ...document, columnOf: document.columnOfValue }, file);
  const users = readUsers(fields);
  const htpasswd = fields.string('htpasswd');
  const others =
    htpasswd === undefined ? undefined : await openHtpasswd(resolve(dirname(file), htpasswd.value), { warn });
  const rules = fields.objects('rules').map(readRule);
  if (others === undefined) warnOfStrangers(fields, users, warn);
  if (rules.length === 0) throw configError(fields.origin, 'there are no rules, so nobody may do anything');
  const [service = 'ocictl', ...services] = fields.stringOrStrings('services').map(readName);
  const issuer = fields.string('issuer');
  return {
    services: [service, ...services],
    issuer: issuer === undefined ? 'ocictl' : readName(issuer),
    realm: fields.string('realm'),
    expiresMs: readTime(fields, 'expires', { least: minuteMs, most: dayMs, otherwise: 5 * minuteMs }),
    refreshExpiresMs: readTime(fields, 'refresh-expires', {
      least: minuteMs,
      most: 3650 * dayMs,
      otherwise: 90 * dayMs,
    }),
    rules,
    accounts: async () => (others === undefined ? users : new Map([...(await others()), ...users])),
  };
}

function readUsers(fields: Fields): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  for (const [user, { value, origin }] of fields.members('users')) {
    if (user === '' || /[:\p{Cc}]/u.test(user)) throw configError(origin, `${quote(user)} is not a user name`);
    // The value may be the password itself, so no message quotes it.
    const problem = hashProblem(value);
    if (problem) {
      throw configError(origin, `the password of ${quote(user)} ${problem.reason}`, `make it with: ${problem.hint}`);
    }
    users.set(user, String(value));
  }
  return users;
}

function readRule(fields: Fields): AccessRule {
  const words = fields.stringOrStrings('actions');
  if (words.length === 0) throw configError(fields.origin, 'a rule needs actions');
  const actions = new Set<RepositoryAction>();
  for (const { value, origin } of words) {
    const action = repositoryActions.find((each) => each === value);
    if (action !== undefined) actions.add(action);
    else if (value !== 'catalog') {
      throw configError(origin, `${quote(value)} is not an action`, 'the actions are pull, push, delete and catalog');
    }
  }
  // Clients check what exists before they push.
  if (actions.has('push')) actions.add('pull');
  const repositories = fields.stringOrStrings('repositories').map(readPattern);
  if (actions.size > 0 && repositories.length === 0) {
    throw configError(fields.origin, 'a rule with pull, push or delete needs repositories');
  }
  return {
    who: readWho(fields),
    repositories,
    actions,
    catalog: words.some(({ value }) => value === 'catalog'),
  };
}

function readWho(fields: Fields): AccessRule['who'] {
  if (fields.boolean('anonymous')?.value) return 'anybody';
  const whole = fields.any('users');
  if (whole?.value === 'all') return 'users';
  if (typeof whole?.value === 'string') {
    throw configError(whole.origin, 'users must be a list of names, or the word all');
  }
  const names = fields.strings('users');
  if (names.length === 0) {
    throw configError(fields.origin, 'a rule is for users: [NAME, …], users: all, or anonymous: true');
  }
  return new Set(names.map(({ value }) => value));
}

// Only a warning: after an error the earlier version of the file would stay in effect, including a removed user.
function warnOfStrangers(fields: Fields, users: ReadonlyMap<string, string>, warn: (text: string) => void): void {
  const lists = fields.objects('rules').filter((rule) => Array.isArray(rule.any('users')?.value));
  for (const { value, origin } of lists.flatMap((rule) => rule.strings('users'))) {
    if (!users.has(value)) warn(`${formatOrigin(origin)}: there is no user ${quote(value)}`);
  }
}

function readPattern({ value, origin }: Sourced<string>): RepositoryPattern {
  const pattern = repositoryPattern(value);
  if (pattern !== undefined) return pattern;
  const hint = 'write it as team/app, team/* for what is right below, or team/** for all below';
  throw configError(origin, `${quote(value)} covers no repository`, hint);
}

// The name is sent in headers, and to other registries.
function readName({ value, origin }: Sourced<string>): string {
  if (/^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/.test(value)) return value;
  throw configError(origin, `${quote(value)} is not a name: names have no spaces, quotes or characters beyond ASCII`);
}

interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly otherwise: number;
}

function readTime(fields: Fields, key: string, { least, most, otherwise }: Bounds): number {
  const found = fields.string(key);
  if (found === undefined) return otherwise;
  const ms = readDurationMs(found);
  if (ms >= least && ms <= most) return ms;
  throw configError(
    found.origin,
    `${key} must be at least ${least / minuteMs}m and at most ${most / (60 * minuteMs)}h`,
  );
}
