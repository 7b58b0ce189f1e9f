/** What a request asks for, and the seam for whoever decides about it. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Challenge } from '../../model/challenge.ts';
import { parseRepositoryName, type RepositoryName } from '../../model/reference/reference.ts';
import type { Route } from '../../wire/routes.ts';

/** @see https://distribution.github.io/distribution/spec/auth/scope/ */
export type Access =
  | {
      readonly type: 'repository';
      readonly name: RepositoryName;
      readonly actions: readonly ('pull' | 'push' | 'delete')[];
    }
  | { readonly type: 'registry'; readonly name: 'catalog'; readonly actions: readonly ['*'] };

export interface AccessRequest {
  readonly method: string;
  /** As they came: `authorization` among them. */
  readonly headers: IncomingHttpHeaders;
  /** All of it is needed. Nothing, for `/v2/`: the question is who is asking alone. */
  readonly access: readonly Access[];
  readonly remoteAddress: string;
  readonly signal: AbortSignal;
}

export type Decision =
  | { readonly outcome: 'grant'; readonly user?: string }
  /** 401 with `WWW-Authenticate`: nobody is known yet, or the credentials do not do. */
  | {
      readonly outcome: 'challenge';
      readonly challenges: readonly Challenge[];
      /** What the client is told; `authentication required` where absent. */
      readonly message?: string | undefined;
      /** Why the credentials do not do, for the log alone. */
      readonly reason?: string | undefined;
    }
  /** 403: known, and not allowed. */
  | { readonly outcome: 'deny'; readonly user?: string };

/**
 * Decides about one request before anything is looked up, so that what is forbidden and what does not exist answer
 * alike. What it throws is answered as a failure of the server, and nobody is let in.
 */
export type Authorize = (request: AccessRequest) => Promise<Decision>;

/** What a route needs. The whole of an upload, its cancelling too, is pushing. */
export function accessOf(method: string, route: Route): readonly Access[] {
  if (route.name === 'base') return [];
  if (route.name === 'catalog') return [catalogAccess];
  const { repo: name } = route;
  if (route.name === 'uploads' || route.name === 'upload') return [pushing(name)];
  if (method === 'GET' || method === 'HEAD') return [pulling(name)];
  return method === 'DELETE' ? [{ type: 'repository', name, actions: ['delete'] }] : [pushing(name)];
}

/** What a mount needs of the repository that it takes the blob from. */
export function mountAccessOf(route: Route, query: URLSearchParams): Access | undefined {
  const from = query.get('from');
  return route.name === 'uploads' && query.has('mount') && from ? pulling(parseRepositoryName(from)) : undefined;
}

/** The `scope` parameter of a Bearer challenge; undefined where nothing is asked for. */
export function formatScope(access: readonly Access[]): string | undefined {
  const scopes = access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`);
  return scopes.length === 0 ? undefined : scopes.join(' ');
}

/** What somebody is told who is known, and not allowed. */
export const denied = 'requested access to the resource is denied';

export const catalogAccess: Access = { type: 'registry', name: 'catalog', actions: ['*'] };

function pulling(name: RepositoryName): Access {
  return { type: 'repository', name, actions: ['pull'] };
}

function pushing(name: RepositoryName): Access {
  return { type: 'repository', name, actions: ['pull', 'push'] };
}
