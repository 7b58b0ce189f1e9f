/** A credential for a registry. `source` tells people where it was found, and contains no secret. */
export type Credential =
  /** User and password. `source` says where it comes from, for people: a file, a helper, a flag. */
  | { readonly kind: 'password'; readonly username: string; readonly password: string; readonly source: string }
  /**
   * A refresh token: it is exchanged for access tokens, and never sent to the registry itself. `username` is stored
   * with it for tools that treat an entry without a user as empty.
   */
  | { readonly kind: 'identity-token'; readonly token: string; readonly username?: string; readonly source: string }
  /** A bearer token that is sent to the registry as it is. */
  | { readonly kind: 'registry-token'; readonly token: string; readonly source: string };
