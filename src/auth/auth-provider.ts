import type { CredentialStore } from '../credentials/store.ts';

/**
 * A source of credentials. Every {@link CredentialStore} is one; so is `{ get: async () => credential }`.
 *
 * It is called with the name of the registry, once per opened registry, and only when that registry requires authentication.
 */
export type AuthProvider = Pick<CredentialStore, 'get'>;
