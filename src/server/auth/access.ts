/** What a request asks for, and the seam for whoever decides about it. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Challenge } from '../../model/challenge.ts';
import { parseRepositoryName, type RepositoryName } from '../../model/reference/reference.ts';

/** @see https://distribution.github.io/distribution/spec/auth/scope/ */
export type Access =
  | {
      readonly type: 'repository';
      readonly name: RepositoryName;
      readonly actions: readonly ('pull' | 'push' | 'delete')[];
    }
  | {
      readonly type: 'registry';
      readonly name: 'catalog';
      readonly actions: readonly ['*'];
      /** A lesser action that suffices: Docker searches with `registry:catalog:search`. */
      readonly suffices?: 'search';
    };

export interface AccessRequest {
  readonly method: string;
  /** As they came: `authorization` among them. */
  readonly headers: IncomingHttpHeaders;
  /** All of it is needed. Nothing, for `/v2/`: the question is who is asking alone. */
  readonly access: readonly Access[];
  readonly remoteAddress: string;
  /** By what the client reached the server: `https://registry.example.com`. Undefined where it named no host. */
  readonly origin: string | undefined;
  /** Aborts when the client goes away and when the server stops. */
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
      /** True where no other credentials of this user would do either. */
      readonly isFinal?: boolean;
    }
  /** 403: known, and not allowed. */
  | { readonly outcome: 'deny'; readonly user?: string };

/**
 * Decides about one request before anything is looked up, so that what is forbidden and what does not exist answer
 * alike. What it throws is answered as a failure of the server, and nobody is let in.
 */
export type Authorize = (request: AccessRequest) => Promise<Decision>;

/** The `scope` parameter of a Bearer challenge; undefined where nothing is asked for. */
export function formatScope(access: readonly Access[]): string | undefined {
  const scopes = access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`);
  return scopes.length === 0 ? undefined : scopes.join(' ');
}

/** What somebody is told who is known, and not allowed. */
export const denied = 'requested access to the resource is denied';

interface InRepository {
  readonly repo: RepositoryName;
}

/** What routes need: `repository:NAME:pull`. */
export function pull({ repo }: InRepository): readonly [Access] {
  return [{ type: 'repository', name: repo, actions: ['pull'] }];
}

/** `repository:NAME:pull,push` */
export function push({ repo }: InRepository): readonly Access[] {
  return [{ type: 'repository', name: repo, actions: ['pull', 'push'] }];
}

/** `repository:NAME:delete` */
export function remove({ repo }: InRepository): readonly Access[] {
  return [{ type: 'repository', name: repo, actions: ['delete'] }];
}

/** `registry:catalog:*` */
export function catalog(): readonly Access[] {
  return [{ type: 'registry', name: 'catalog', actions: ['*'] }];
}

/** `registry:catalog:*`, or what Docker searches with. */
export function search(): readonly Access[] {
  return [{ type: 'registry', name: 'catalog', actions: ['*'], suffices: 'search' }];
}

/** To be known, and no more. */
export function identity(): readonly Access[] {
  return [];
}

/** What a mount needs of the repository that it takes the blob from. @throws OciError NAME_INVALID */
export function mountSource(query: URLSearchParams): Access | undefined {
  const from = query.get('from');
  return query.has('mount') && from ? pull({ repo: parseRepositoryName(from) })[0] : undefined;
}
