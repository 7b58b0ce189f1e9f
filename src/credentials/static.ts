import { OciError } from '../model/errors.ts';
import type { Credential } from './credential.ts';
import { convertToHostname, keyMatchesHost } from './registry-key.ts';
import type { CredentialStore } from './store.ts';

/** A store of fixed credentials for some hosts; the rest stay anonymous. It cannot be changed. */
export function createStaticStore(entries: Readonly<Record<string, Credential>>): CredentialStore {
  const list = Object.entries(entries);
  const refuse = async (): Promise<never> => {
    throw new OciError('UNSUPPORTED', 'these credentials were given for one run and cannot be changed');
  };
  return {
    get: async (host) => list.find(([key]) => keyMatchesHost(key, host))?.[1],
    store: refuse,
    erase: refuse,
    async *list() {
      for (const [key, credential] of list) {
        const username = credential.kind === 'password' ? { username: credential.username } : {};
        yield { host: convertToHostname(key), ...username, source: credential.source };
      }
    },
  };
}
