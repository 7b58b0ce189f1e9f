/** Checks of this machine, which are the same for every registry. */
import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ConsideredFiles } from '../../config/considered-files.ts';
import { maskAuthKey } from '../../config/docker/docker-config.ts';
import { formatOrigin, type Sourced } from '../../config/origin.ts';
import type { Settings } from '../../config/settings.ts';
import { runHelper, validateHelperName } from '../../credentials/helper-program.ts';
import { openHelperStore } from '../../credentials/helper-store.ts';
import { keychainObstacle } from '../../credentials/keychain.ts';
import { ownHelper } from '../../credentials/own-helper.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { type Check, problem } from './check.ts';

/** A pull of a few layers needs more than this. */
const littleBytes = 1024 ** 3;
const helperTimeoutMs = 5_000;

/** The files that settings come from, and what is wrong with them. */
export async function* examineFiles({ files, faults }: ConsideredFiles): AsyncGenerator<Check> {
  for (const { purpose, file, state } of files) {
    const status = state === 'read' ? 'ok' : state === 'absent' ? 'note' : 'warning';
    yield { topic: 'settings', status, text: `${file}: ${state}`, detail: { purpose, file, state } };
  }
  for (const fault of faults) yield problem('settings', fault);
}

export async function* examineMachine(settings: Settings, { signal }: SignalOption = {}): AsyncGenerator<Check> {
  const { dockerConfig, warnings } = settings;
  for (const text of warnings) yield { topic: 'settings', status: 'warning', text };
  yield await storeAt(settings.storeRoot);
  yield describeLogins(settings);
  const helpers = new Map([...dockerConfig.credHelpers.values()].map((helper) => [helper.value, helper]));
  if (dockerConfig.credsStore) helpers.set(dockerConfig.credsStore.value, dockerConfig.credsStore);
  for (const helper of helpers.values()) if (helper.value !== '') yield await askHelper(helper, settings, signal);
  if (!helpers.has(ownHelper)) yield await askKeychain(settings, signal);
}

/** A machine without a keychain is not at fault: logins are then kept elsewhere. */
async function askKeychain({ environment }: Settings, signal: AbortSignal | undefined): Promise<Check> {
  const { env, platform } = environment;
  const obstacle = keychainObstacle(env, platform);
  if (obstacle !== undefined) return { topic: 'credentials', status: 'note', text: `no keychain: ${obstacle}` };
  try {
    const store = openHelperStore(ownHelper, { env, where: 'keychain', timeoutMs: helperTimeoutMs });
    let logins = 0;
    for await (const _ of store.list({ signal })) logins += 1;
    return {
      topic: 'credentials',
      status: 'ok',
      text: `keychain: answers; logins in it: ${logins}`,
      detail: { logins },
    };
  } catch (error) {
    signal?.throwIfAborted();
    if (!isOciError(error)) throw error;
    return { topic: 'credentials', status: 'warning', text: `keychain: ${error.message}`, advice: error.hint };
  }
}

async function storeAt(named: Sourced<string> | undefined): Promise<Check> {
  if (named === undefined) {
    const text = 'none: this user has no home directory';
    return { topic: 'store', status: 'warning', text, advice: 'name a directory with $OCICTL_ROOT' };
  }
  const { value: root, origin } = named;
  const base = { topic: 'store', detail: { root, origin: formatOrigin(origin) } } as const;
  const where = `${root} (${formatOrigin(origin)})`;
  // If nothing was stored yet, the store will be made below the nearest existing directory.
  let nearest = root;
  while (!(await stat(nearest).catch(() => undefined)) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  try {
    if (!(await stat(nearest)).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
    await access(nearest, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(nearest);
    const free = bavail * bsize;
    const detail = { ...base.detail, freeBytes: free, exists: nearest === root };
    const gigabytes = (free / 1e9).toFixed(1);
    if (free < littleBytes) {
      const advice = 'make room, or choose another store with $OCICTL_ROOT';
      return { ...base, status: 'warning', text: `${where}: only ${gigabytes} GB free`, advice, detail };
    }
    return {
      ...base,
      status: 'ok',
      text: `${where}: ${nearest === root ? '' : 'will be made, '}${gigabytes} GB free`,
      detail,
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOTDIR' ? `${nearest} is not a directory` : `${nearest} cannot be written (${code})`;
    const hint = 'choose another store with $OCICTL_ROOT';
    const failure = new OciError('STORAGE_DENIED', `${where}: ${why}`, { hint, cause: error });
    return { ...problem('store', failure), detail: base.detail };
  }
}

function describeLogins({ dockerConfig, dockerAuthConfig }: Settings): Check {
  const file = dockerConfig.file ?? 'no config.json, since this user has no home directory';
  const hosts = dockerConfig.auths.map(({ key }) => maskAuthKey(key));
  const text = hosts.length === 0 ? 'no logins' : `logins for ${hosts.join(', ')}`;
  const over = dockerAuthConfig === undefined ? '' : '; DOCKER_AUTH_CONFIG is set and comes first';
  const faults = dockerConfig.auths.flatMap(({ key, fault }) =>
    fault === undefined ? [] : [`${maskAuthKey(key)}: ${fault}`],
  );
  if (faults.length > 0) {
    const advice = 'log in again with `ocictl login`';
    return { topic: 'credentials', status: 'warning', text: `${file}: ${faults.join('; ')}`, advice };
  }
  return { topic: 'credentials', status: 'ok', text: `${file}: ${text}${over}`, detail: { hosts } };
}

async function askHelper(
  { value: name, origin }: Sourced<string>,
  { environment: { env } }: Settings,
  signal: AbortSignal | undefined,
): Promise<Check> {
  const program = `docker-credential-${name}`;
  const base = { topic: 'credentials', detail: { helper: program, origin: formatOrigin(origin) } } as const;
  try {
    validateHelperName(name, formatOrigin(origin));
    await runHelper(name, 'list', '', { env, timeoutMs: helperTimeoutMs, signal });
    return { ...base, status: 'ok', text: `${program} (${formatOrigin(origin)}) answers` };
  } catch (error) {
    signal?.throwIfAborted();
    // Several helpers cannot list; that they run is enough.
    if (isOciError(error) && /failed with status/.test(error.message) && error.hint === undefined) {
      return {
        ...base,
        status: 'note',
        text: `${program} (${formatOrigin(origin)}) runs, but cannot list what it keeps`,
      };
    }
    return { ...problem('credentials', error), detail: base.detail };
  }
}
