import type { OutgoingHttpHeaders } from 'node:http';
import { OciError } from '../../model/errors.ts';
import type { Access, Authorize } from '../auth/access.ts';
import { authorizeRequest } from '../auth/authorize-request.ts';
import type { RequestObserver } from '../options.ts';
import type { Row } from '../routes/row.ts';
import { parseServerRoute } from '../routes/server-route.ts';
import { table } from '../routes/table.ts';
import { answer, answerError } from './answers.ts';
import { refusedForeignPage } from './browsers.ts';
import type { Exchange } from './exchange.ts';

/** Answers one request, also if it fails. */
export async function dispatch(
  exchange: Exchange,
  authorize: Authorize | undefined,
  observe: RequestObserver | undefined,
): Promise<void> {
  try {
    exchange.signal.throwIfAborted();
    if (!(await refusedForeignPage(exchange))) await handle(exchange, authorize, observe);
  } catch (error) {
    await answerError(exchange, error);
  }
}

async function handle(
  exchange: Exchange,
  authorize: Authorize | undefined,
  observe: RequestObserver | undefined,
): Promise<void> {
  const { method, path, state, query } = exchange;
  const route = parseServerRoute(path, state.issuer);
  if (route === undefined) throw new OciError('NAME_UNKNOWN', 'there is nothing at this address');
  // TypeScript cannot tell that this row belongs to this route.
  const row: Row<never> = table[route.name];
  const own = route as never;
  exchange.handler = row.handler;
  observe?.began(row.handler);
  exchange.repository = 'repo' in route ? route.repo : undefined;
  exchange.policy = row.policy;
  const methods = Object.keys(row.methods);
  const action = Object.hasOwn(row.methods, method) ? row.methods[method] : undefined;
  const preflight = preflightFields(exchange, methods);
  if (preflight !== undefined) return answer(exchange, 204, preflight);
  if (action === undefined) return refuseMethod(exchange, `${method} is not allowed here`, methods);
  const access = action.needs?.(own);
  if (access !== undefined) {
    if (!(await authorizeRequest(exchange, authorize, access, action.wishes?.(query)))) return;
    const sealed = sealedBy(exchange, access, methods);
    if (sealed !== undefined) return refuseMethod(exchange, sealed.message, sealed.allowed);
  }
  await action.answer(exchange, own);
}

const readingMethods: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** A page asks beforehand, without a login, whether it may send a request. */
function preflightFields(exchange: Exchange, methods: readonly string[]): OutgoingHttpHeaders | undefined {
  const origin = exchange.header('origin');
  if (exchange.method !== 'OPTIONS' || origin === undefined) return undefined;
  if (exchange.header('access-control-request-method') === undefined) return undefined;
  return exchange.state.cors?.preflightFor(origin, methods);
}

interface Sealed {
  readonly message: string;
  readonly allowed: readonly string[];
}

// Clients recognise the word "read-only": a 405 alone may have other reasons.
function sealedBy(
  { method, state }: Exchange,
  access: readonly Access[],
  methods: readonly string[],
): Sealed | undefined {
  if (!state.writes && !readingMethods.has(method)) {
    const allowed = methods.filter((word) => readingMethods.has(word));
    return { message: 'this registry is read-only: it takes no pushes and no deletes', allowed };
  }
  const deletes = access.some(({ actions }) => actions.some((action) => action === 'delete'));
  if (!deletes || state.deletes) return undefined;
  return { message: 'deleting is disabled in this registry', allowed: methods.filter((word) => word !== 'DELETE') };
}

function refuseMethod(exchange: Exchange, message: string, allowed: readonly string[]): Promise<void> {
  return answerError(exchange, new OciError('UNSUPPORTED', message), { allow: allowed.join(', ') });
}
