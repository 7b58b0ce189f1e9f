import { OciError } from '../model/errors.ts';
import { parseRoute, type Route } from '../wire/routes.ts';
import { v1PingPath, v1SearchPath } from '../wire/v1-search.ts';
import { answerError } from './answers.ts';
import { getBase, getRoot } from './base.ts';
import { deleteBlob, getBlob, headBlob } from './blobs.ts';
import { refusedForeignPage } from './browsers.ts';
import { getCatalog } from './catalog.ts';
import type { Exchange } from './exchange.ts';
import { deleteManifest, getManifest, headManifest, putManifest } from './manifests.ts';
import { getReferrers } from './referrers.ts';
import { getV1Ping, getV1Search } from './search.ts';
import { getTags } from './tags.ts';
import { deleteUpload, getUpload, patchUpload, postUpload, putUpload } from './uploads.ts';

type RouteNamed<N extends Route['name']> = Extract<Route, { readonly name: N }>;
type Handler<N extends Route['name']> = (exchange: Exchange, route: RouteNamed<N>) => Promise<void>;

/** Every route of the API, with the methods it takes. */
const handlers: { readonly [N in Route['name']]: Readonly<Record<string, Handler<N>>> } = {
  base: { GET: getBase, HEAD: getBase },
  catalog: { GET: getCatalog, HEAD: getCatalog },
  tags: { GET: getTags, HEAD: getTags },
  manifest: { GET: getManifest, HEAD: headManifest, PUT: putManifest, DELETE: deleteManifest },
  blob: { GET: getBlob, HEAD: headBlob, DELETE: deleteBlob },
  uploads: { POST: postUpload },
  upload: { GET: getUpload, HEAD: getUpload, PATCH: patchUpload, PUT: putUpload, DELETE: deleteUpload },
  referrers: { GET: getReferrers, HEAD: getReferrers },
};

/** Whether a request may go on; rejects with UNAUTHORIZED or DENIED where it may not. */
export type Authorize = (request: {
  readonly method: string;
  readonly route: Route;
  readonly header: (name: string) => string | undefined;
}) => Promise<void>;

/** Answers one request, whatever happens. */
export async function dispatch(exchange: Exchange, authorize?: Authorize): Promise<void> {
  try {
    exchange.signal.throwIfAborted();
    if (!(await refusedForeignPage(exchange))) await handle(exchange, authorize);
  } catch (error) {
    await answerError(exchange, error);
  }
}

async function handle(exchange: Exchange, authorize: Authorize | undefined): Promise<void> {
  const { method, path } = exchange;
  if (path === '/') {
    if (method !== 'GET' && method !== 'HEAD') return refuseMethod(exchange, ['GET', 'HEAD']);
    return getRoot(exchange);
  }
  if (path === v1PingPath || path === v1SearchPath) {
    if (method !== 'GET' && method !== 'HEAD') return refuseMethod(exchange, ['GET', 'HEAD']);
    if (path === v1PingPath) return getV1Ping(exchange);
    // What it finds are names of the catalog: whoever may not read that may not search either.
    await authorize?.({ method, route: { name: 'catalog' }, header: (name) => exchange.header(name) });
    return getV1Search(exchange);
  }
  const route = parseRoute(path);
  if (!route) throw new OciError('NAME_UNKNOWN', 'there is nothing at this address');
  const methods: Readonly<Record<string, (exchange: Exchange, route: never) => Promise<void>>> = handlers[route.name];
  const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (!handler) return refuseMethod(exchange, Object.keys(methods));
  await authorize?.({ method, route, header: (name) => exchange.header(name) });
  if (method === 'DELETE' && route.name !== 'upload' && !exchange.site.deletes) {
    const error = new OciError('UNSUPPORTED', 'deleting is disabled in this registry');
    return answerError(exchange, error, {
      allow: Object.keys(methods)
        .filter((word) => word !== 'DELETE')
        .join(', '),
    });
  }
  await handler(exchange, route as never);
}

function refuseMethod(exchange: Exchange, methods: readonly string[]): Promise<void> {
  const error = new OciError('UNSUPPORTED', `${exchange.method} is not possible here`);
  return answerError(exchange, error, { allow: methods.join(', ') });
}
