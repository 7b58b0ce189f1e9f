/** What a row of the table of routes says. */
import type { Access } from '../auth/access.ts';
import type { Exchange } from '../http/exchange.ts';
import type { ServerRoute } from './server-route.ts';

/** How a place answers one method. */
interface Action<R> {
  /** What a request must be allowed. Absent: nobody is asked, and a read-only server answers too. */
  readonly needs?: (route: R) => readonly Access[];
  /** What it does more with, where that is allowed too. */
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

/** A row for every route. The browser rules come before it: a foreign page learns of no route. */
export type RouteTable = {
  readonly [N in ServerRoute['name']]: Row<Extract<ServerRoute, { readonly name: N }>>;
};
