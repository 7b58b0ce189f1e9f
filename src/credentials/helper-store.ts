import { checkArgument, checkOptions, type Shape } from '../model/check-arguments.ts';
import { OciError } from '../model/errors.ts';
import { parseJson } from '../model/json.ts';
import { unlessAborted } from '../model/signals/when-aborted.ts';
import type { Credential } from './credential.ts';
import { type HelperRunOptions, runHelper, validateHelperName } from './helper-program.ts';
import { authConfigKey, shownKey } from './registry-key.ts';
import type { CredentialStore, StoreOptions } from './store.ts';

export interface HelperStoreOptions {
  /** The environment of the helper. */
  readonly env: NodeJS.ProcessEnv;
  /** Where the helper was configured, for messages. */
  readonly where: string;
  /** Default 30 s, because a person may have to unlock a keyring. */
  readonly timeoutMs?: number | undefined;
}

const helperStoreShape: Shape<HelperStoreOptions> = { env: 'object', where: 'string', timeoutMs: 'number' };

/** The user name for identity tokens in Docker's protocol. */
const tokenUser = '<token>';

/**
 * A `docker-credential-*` program as a store. Each registry is queried once per run. A namespace is queried by its own
 * name only, because the protocol knows no namespaces, and a call may take a second.
 *
 * @throws OciError CONFIG_INVALID for an invalid helper name.
 */
export function openHelperStore(name: string, options: HelperStoreOptions): CredentialStore {
  checkArgument('openHelperStore', 'the name', name, 'string');
  checkOptions('openHelperStore', options, helperStoreShape, ['env', 'where']);
  validateHelperName(name, options.where);
  const { env, timeoutMs = 30_000 } = options;
  const source = `docker-credential-${name}`;
  const run = (action: 'get' | 'store' | 'erase' | 'list', input: string, opts: StoreOptions = {}) =>
    runHelper(name, action, input, { env, timeoutMs, signal: opts.signal } satisfies HelperRunOptions);
  const known = new Map<string, Promise<Credential | undefined>>();
  const get = (host: string): Promise<Credential | undefined> => {
    const key = authConfigKey(host);
    // Without the caller's signal, because others may wait for the same answer.
    const asked = known.get(key) ?? run('get', key).then((answer) => decode(answer, source));
    known.set(key, asked);
    return asked;
  };
  return {
    get: (host, opts = {}) => {
      if (opts.fresh) known.delete(authConfigKey(host));
      return unlessAborted(get(host), opts.signal);
    },
    async store(host, credential, opts) {
      const key = authConfigKey(host);
      const login = encode(credential);
      known.delete(key);
      await run('store', JSON.stringify({ ServerURL: key, ...login }), opts);
      known.delete(key);
    },
    async erase(host, opts) {
      const key = authConfigKey(host);
      // docker-credential-pass returns empty fields for an unknown registry, and then fails to erase it.
      const found = decode(await run('get', key, opts), source) !== undefined;
      if (found) await run('erase', key, opts);
      known.delete(key);
      return found;
    },
    async *list(opts) {
      const document = parseAnswer((await run('list', '', opts)) ?? '{}', source);
      for (const [key, username] of Object.entries(document)) {
        yield { host: shownKey(key), ...(typeof username === 'string' && { username }), source };
      }
    },
  };
}

function decode(answer: string | undefined, source: string): Credential | undefined {
  if (answer === undefined) return undefined;
  const { Username: username, Secret: secret } = parseAnswer(answer, source);
  if (typeof secret !== 'string' || secret === '') return undefined;
  if (username === tokenUser) return { kind: 'identity-token', token: secret, source };
  return typeof username === 'string' && username !== ''
    ? { kind: 'password', username, password: secret, source }
    : undefined;
}

function encode(credential: Credential): { readonly Username: string; readonly Secret: string } {
  if (credential.kind === 'password') return { Username: credential.username, Secret: credential.password };
  if (credential.kind === 'identity-token') return { Username: tokenUser, Secret: credential.token };
  throw new OciError('UNSUPPORTED', 'a credential helper cannot keep a registry token', {
    hint: 'keep it in the file, or give it for one run in DOCKER_AUTH_CONFIG',
  });
}

// The parser's error is not reported, because it would quote the secret in the answer.
function parseAnswer(answer: string, source: string): Record<string, unknown> {
  try {
    const document: unknown = parseJson(answer);
    if (typeof document === 'object' && document !== null) return document as Record<string, unknown>;
  } catch {}
  throw new OciError('CONFIG_INVALID', `${source} did not answer with a JSON object`);
}
