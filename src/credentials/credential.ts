/** What a registry is told about who is asking. `source` says where it was found, for people; it holds no secret. */
export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string; readonly source: string }
  /** A refresh token: it is exchanged for access tokens and never sent to the registry itself. */
  | { readonly kind: 'identity-token'; readonly token: string; readonly source: string }
  /** A bearer token that the registry takes as it is. */
  | { readonly kind: 'registry-token'; readonly token: string; readonly source: string };
