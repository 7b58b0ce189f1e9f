import { checkArgument, checkFields } from '../model/check-arguments.ts';
import { OciError } from '../model/errors.ts';
import type { Credential } from './credential.ts';
import { enclosingNames, keyMatches, shownKey } from './registry-key.ts';
import type { CredentialStore } from './store.ts';

/** A store of fixed credentials for some hosts or namespaces. Others are accessed anonymously. It cannot be changed. */
export function createStaticStore(entries: Readonly<Record<string, Credential>>): CredentialStore {
  checkArgument('createStaticStore', 'the credentials', entries, 'object');
  for (const credential of Object.values(entries)) {
    checkFields('createStaticStore', 'a credential', credential, { kind: 'string' });
  }
  const list = Object.entries(entries);
  const refuse = async (): Promise<never> => {
    throw new OciError('UNSUPPORTED', 'these credentials were given for one run and cannot be changed');
  };
  return {
    async get(name) {
      const matches = enclosingNames(name).flatMap((each) => list.filter(([key]) => keyMatches(key, each)));
      return matches[0]?.[1];
    },
    store: refuse,
    erase: refuse,
    async *list() {
      for (const [key, credential] of list) {
        const username = credential.kind === 'registry-token' ? undefined : credential.username;
        yield { host: shownKey(key), ...(username !== undefined && { username }), source: credential.source };
      }
    },
  };
}
