/** What a registry is told to be let in. `source` names where it was found, for messages; the secret is never printed. */
export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string; readonly source: string }
  /** An OAuth2 refresh token. */
  | { readonly kind: 'identity-token'; readonly token: string; readonly source: string }
  /** Sent as Bearer as it is. */
  | { readonly kind: 'registry-token'; readonly token: string; readonly source: string };
