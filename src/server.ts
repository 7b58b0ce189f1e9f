/**
 * `ocictl/server`: serves any registry over HTTP, with passwords or tokens, and the grammar of the protocol for those who write a
 * server or a client themselves.
 *
 * @packageDocumentation
 */

export type { AccessRule, RepositoryAction, RepositoryPattern } from './model/access-rules.ts';
export { searchCatalog } from './registry/catalog-search.ts';
export type { RequestContext } from './registry/request-context.ts';
export { type Access, type AccessRequest, type Authorize, type Decision, formatScope } from './server/auth/access.ts';
export { type BasicAuthOptions, createBasicAuth } from './server/auth/basic-auth.ts';
export type { Login } from './server/auth/logins.ts';
export { createTokenAuth, type TokenAuthOptions } from './server/auth/token-auth.ts';
export type { Asker } from './server/auth/token-issuer.ts';
export {
  createTokenIssuer,
  type IssuedToken,
  type IssuerRules,
  type TokenIssuer,
  type TokenIssuerOptions,
  type TokenQuestion,
} from './server/auth/token-issuer.ts';
export { readJwks, readRoots, type TokenTrust, type TrustedKey } from './server/auth/token-trust.ts';
export type { AccessEntry } from './server/http/access-entry.ts';
export type { BlobDownload } from './server/http/blob-download.ts';
export type {
  AnsweredRequest,
  RequestObserver,
  RunningServer,
  ServedTls,
  ServeOptions,
  StopOptions,
  Stopped,
} from './server/options.ts';
export { serve } from './server/server.ts';
export { formatChallenge, parseChallenges } from './wire/challenges.ts';
export { decodeError, type ErrorContext, encodeErrors } from './wire/errors.ts';
export { parseRoute, type Route, routePath } from './wire/routes.ts';
