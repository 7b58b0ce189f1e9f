import { parseRoute, type Route } from '../../wire/routes.ts';
import { v1PingPath, v1SearchPath } from '../../wire/v1-search.ts';
import type { TokenIssuer } from '../auth/token-issuer.ts';
import { tokenPath } from './token.ts';

/** A route of the server: those of the API, and others. */
export type ServerRoute =
  | Route
  | { readonly name: 'root' }
  | { readonly name: 'livez' }
  | { readonly name: 'readyz' }
  | { readonly name: 'v1Ping' }
  | { readonly name: 'v1Search' }
  | { readonly name: 'token'; readonly issuer: TokenIssuer };

/**
 * Parses a request path (without query, still percent-encoded).
 *
 * @param issuer Without one, there is no token route.
 * @returns Undefined if no route matches.
 * @throws OciError as {@link parseRoute}.
 */
export function parseServerRoute(path: string, issuer: TokenIssuer | undefined): ServerRoute | undefined {
  if (path === '/') return { name: 'root' };
  if (path === '/livez') return { name: 'livez' };
  if (path === '/readyz') return { name: 'readyz' };
  if (path === v1PingPath) return { name: 'v1Ping' };
  if (path === v1SearchPath) return { name: 'v1Search' };
  if (path === tokenPath && issuer !== undefined) return { name: 'token', issuer };
  return parseRoute(path);
}
