/** The types of the route table. */
import type { Access } from '../auth/access.ts';
import type { Exchange } from '../http/exchange.ts';
import type { ServerRoute } from './server-route.ts';

/** How a route answers one method. */
interface Action<R> {
  /** The access that the request needs. If absent, it is not authorised, and a read-only server answers it too. */
  readonly needs?: (route: R) => readonly Access[];
  /** Optional access: what the request can do more if that is granted as well. */
  readonly wishes?: (query: URLSearchParams) => Access | undefined;
  readonly answer: (exchange: Exchange, route: R) => Promise<void>;
}

export interface Row<R> {
  /** The name for metrics: distribution's `handler` label, or ours where it has no such route. */
  readonly handler: string;
  /** The `Content-Security-Policy` of every answer. */
  readonly policy: string;
  /** In the order of the `Allow` header. */
  readonly methods: Readonly<Record<string, Action<R>>>;
}

/** A row for every route. The checks for browsers come first, so that a foreign page learns nothing about routes. */
export type RouteTable = {
  readonly [N in ServerRoute['name']]: Row<Extract<ServerRoute, { readonly name: N }>>;
};
