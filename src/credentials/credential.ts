/** What a registry is told about who is asking. `source` says where it was found, for people; it holds no secret. */
export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string; readonly source: string }
  /**
   * A refresh token: it is exchanged for access tokens and never sent to the registry itself. `username` is kept beside
   * it, for tools that take an entry without a user for an empty one.
   */
  | { readonly kind: 'identity-token'; readonly token: string; readonly username?: string; readonly source: string }
  /** A bearer token that the registry takes as it is. */
  | { readonly kind: 'registry-token'; readonly token: string; readonly source: string };
