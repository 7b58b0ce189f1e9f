/** What a request needs to be allowed, and the interface of the code that decides. */

import type { IncomingHttpHeaders } from 'node:http';
import type { Challenge } from '../../model/challenge.ts';
import { checkArgument, checkFields } from '../../model/check-arguments.ts';
import { parseRepositoryName, type RepositoryName } from '../../model/reference/reference.ts';

/** @see https://distribution.github.io/distribution/spec/auth/scope/ */
export type Access =
  /** Actions in one repository; all of them are needed. */
  | {
      readonly type: 'repository';
      readonly name: RepositoryName;
      readonly actions: readonly ('pull' | 'push' | 'delete')[];
    }
  /** The list of repositories. */
  | {
      readonly type: 'registry';
      readonly name: 'catalog';
      readonly actions: readonly ['*'];
      /** A weaker action that also suffices: Docker searches with `registry:catalog:search`. */
      readonly suffices?: 'search';
    };

export interface AccessRequest {
  /** Of the request. */
  readonly method: string;
  /** As received, including `authorization`. */
  readonly headers: IncomingHttpHeaders;
  /** Everything here is needed. Empty for `/v2/`: only the identity of the client is checked. */
  readonly access: readonly Access[];
  /** Address of the client, also behind a trusted proxy. */
  readonly remoteAddress: string;
  /**
   * The address by which the client reached the server: `https://registry.example.com`. Undefined without a Host header.
   */
  readonly origin: string | undefined;
  /** Aborts when the client disconnects and when the server stops. */
  readonly signal: AbortSignal;
}

export type Decision =
  /** Go on; `user` is undefined for an anonymous client. */
  | { readonly outcome: 'grant'; readonly user?: string }
  /** 401 with `WWW-Authenticate`: there are no credentials, or they do not suffice. */
  | {
      readonly outcome: 'challenge';
      readonly challenges: readonly Challenge[];
      /** The message for the client; default `authentication required`. */
      readonly message?: string | undefined;
      /** Why the credentials do not suffice; for the log only. */
      readonly reason?: string | undefined;
      /** True if no other credentials of this user would suffice. */
      readonly isFinal?: boolean;
    }
  /** 403: the user is known, but not allowed. */
  | { readonly outcome: 'deny'; readonly user?: string };

/**
 * Decides about a request before anything is looked up, so that forbidden and missing content get the same answer. If
 * it throws, the request fails as a server error and is not granted.
 */
export type Authorize = (request: AccessRequest) => Promise<Decision>;

/** The `scope` parameter of a Bearer challenge; undefined if no access is needed. */
export function formatScope(access: readonly Access[]): string | undefined {
  checkArgument('formatScope', 'the access', access, 'array');
  const scopes = access.map((each) => {
    checkFields('formatScope', 'an access', each, { type: 'string', name: 'string', actions: 'array' });
    return `${each.type}:${each.name}:${each.actions.join(',')}`;
  });
  return scopes.length === 0 ? undefined : scopes.join(' ');
}

/** The message for a user who is known, but not allowed. */
export const denied = 'requested access to the resource is denied';

interface InRepository {
  readonly repo: RepositoryName;
}

/** The access that routes need: `repository:NAME:pull`. */
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

/** `registry:catalog:*`, or the weaker action of Docker's search. */
export function search(): readonly Access[] {
  return [{ type: 'registry', name: 'catalog', actions: ['*'], suffices: 'search' }];
}

/** No access: only the identity of the client is checked. */
export function identity(): readonly Access[] {
  return [];
}

/** The access that a mount needs to its source repository. @throws OciError NAME_INVALID */
export function mountSource(query: URLSearchParams): Access | undefined {
  const from = query.get('from');
  return query.has('mount') && from ? pull({ repo: parseRepositoryName(from) })[0] : undefined;
}
