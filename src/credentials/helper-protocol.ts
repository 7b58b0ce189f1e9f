/**
 * Implements Docker's credential helper protocol with a keychain, for docker, skopeo and podman.
 *
 * @see https://github.com/docker/docker-credential-helpers#development
 */
import { parseJson } from '../model/json.ts';
import type { Keychain } from './keychain.ts';
import { authConfigKey, shownKey } from './registry-key.ts';

interface HelperAnswer {
  readonly status: 0 | 1;
  /** For standard output. The protocol prints errors there too. */
  readonly text: string;
}

const actions: Readonly<Record<string, (keychain: Keychain, input: string) => Promise<HelperAnswer>>> = {
  async get(keychain, input) {
    const registry = input.trim();
    if (registry === '') return refuse('no credentials server URL');
    const login = await keychain.get(shownKey(registry));
    if (!login) return refuse('credentials not found in native keychain');
    return answer(JSON.stringify({ ServerURL: registry, Username: login.username, Secret: login.secret }));
  },
  async store(keychain, input) {
    const { ServerURL: registry, Username: username, Secret: secret } = parseLogin(input);
    if (registry === undefined) return refuse('no credentials server URL');
    if (username === undefined) return refuse('no credentials username');
    // Docker's tools spell a registry in several ways, which all refer to the same entry.
    await keychain.set(shownKey(registry), { username, secret: secret ?? '' });
    return answer('');
  },
  async erase(keychain, input) {
    const registry = input.trim();
    if (registry === '') return refuse('no credentials server URL');
    await keychain.remove(shownKey(registry));
    return answer('');
  },
  async list(keychain) {
    const logins = await keychain.list();
    return answer(JSON.stringify(Object.fromEntries(logins.map((one) => [authConfigKey(one.registry), one.username]))));
  },
};

/**
 * Answers one call.
 *
 * @param input The complete standard input.
 * @throws Errors of the keychain.
 */
export async function answerHelperCall(
  action: string,
  input: string,
  openKeychain: () => Promise<Keychain>,
): Promise<HelperAnswer> {
  const act = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (!act) return refuse('Usage: docker-credential-ocictl <store|get|erase|list|version>');
  return act(await openKeychain(), input);
}

type Field = 'ServerURL' | 'Username' | 'Secret';

// Invalid input has no fields. The parser's error is not reported, because it would quote the secret.
function parseLogin(input: string): Partial<Record<Field, string>> {
  let document: unknown;
  try {
    document = parseJson(input);
  } catch {}
  const fields = Object.entries(typeof document === 'object' && document !== null ? document : {});
  return Object.fromEntries(fields.filter(([, value]) => typeof value === 'string' && value !== ''));
}

function answer(text: string): HelperAnswer {
  return { status: 0, text };
}

function refuse(text: string): HelperAnswer {
  return { status: 1, text };
}
