import type { CredentialStore } from '../credentials/store.ts';

/**
 * A source of credentials. Every {@link CredentialStore} is one; so is `{ get: async () => credential }`.
 *
 * It is asked by the name of the registry, once for each that is opened, and not before that registry asks who is there.
 */
export type AuthProvider = Pick<CredentialStore, 'get'>;
