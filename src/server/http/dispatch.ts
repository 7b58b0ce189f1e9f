import { OciError } from '../../model/errors.ts';
import { parseRoute, type Route } from '../../wire/routes.ts';
import { v1PingPath, v1SearchPath } from '../../wire/v1-search.ts';
import { type Authorize, accessOf, catalogAccess, mountAccessOf } from '../auth/access.ts';
import { authorizeRequest } from '../auth/authorize-request.ts';
import { getToken, postToken, tokenPath } from '../auth/tokens.ts';
import { getBase, getRoot } from '../routes/base.ts';
import { deleteBlob, getBlob, headBlob } from '../routes/blobs.ts';
import { getCatalog } from '../routes/catalog.ts';
import { deleteManifest, getManifest, headManifest, putManifest } from '../routes/manifests.ts';
import { getReferrers } from '../routes/referrers.ts';
import { getV1Ping, getV1Search } from '../routes/search.ts';
import { getTags } from '../routes/tags.ts';
import { deleteUpload, getUpload, patchUpload, postUpload, putUpload } from '../routes/uploads.ts';
import { answerError } from './answers.ts';
import { refusedForeignPage } from './browsers.ts';
import type { Exchange } from './exchange.ts';

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
    if (!(await authorizeRequest(exchange, authorize, [catalogAccess]))) return;
    return getV1Search(exchange);
  }
  const { issuer } = exchange.state;
  if (issuer !== undefined && path === tokenPath) {
    if (method === 'GET') return getToken(exchange, issuer);
    return method === 'POST' ? postToken(exchange, issuer) : refuseMethod(exchange, ['GET', 'POST']);
  }
  const route = parseRoute(path);
  if (!route) throw new OciError('NAME_UNKNOWN', 'there is nothing at this address');
  const methods: Readonly<Record<string, (exchange: Exchange, route: never) => Promise<void>>> = handlers[route.name];
  const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (!handler) return refuseMethod(exchange, Object.keys(methods));
  const mount = mountAccessOf(route, exchange.query);
  if (!(await authorizeRequest(exchange, authorize, accessOf(method, route), mount))) return;
  const sealed = sealedBy(exchange, route);
  if (sealed !== undefined) {
    const possible = Object.keys(methods).filter((word) => readingMethods.has(word));
    return answerError(exchange, new OciError('UNSUPPORTED', sealed), { allow: possible.join(', ') });
  }
  await handler(exchange, route as never);
}

const readingMethods: ReadonlySet<string> = new Set(['GET', 'HEAD']);

// The word read-only is what clients can tell it by: 405 alone may mean much else.
function sealedBy({ method, state }: Exchange, route: Route): string | undefined {
  if (!state.writes && !readingMethods.has(method))
    return 'this registry is read-only: it takes no pushes and no deletes';
  const deletes = method === 'DELETE' && route.name !== 'upload';
  return deletes && !state.deletes ? 'deleting is disabled in this registry' : undefined;
}

function refuseMethod(exchange: Exchange, methods: readonly string[]): Promise<void> {
  const error = new OciError('UNSUPPORTED', `${exchange.method} is not possible here`);
  return answerError(exchange, error, { allow: methods.join(', ') });
}
