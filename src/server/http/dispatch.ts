import { OciError } from '../../model/errors.ts';
import type { Access, Authorize } from '../auth/access.ts';
import { authorizeRequest } from '../auth/authorize-request.ts';
import type { Row } from '../routes/row.ts';
import { parseServerRoute } from '../routes/server-route.ts';
import { table } from '../routes/table.ts';
import { answerError } from './answers.ts';
import { refusedForeignPage } from './browsers.ts';
import type { Exchange } from './exchange.ts';

/** Answers one request, also if it fails. */
export async function dispatch(exchange: Exchange, authorize?: Authorize): Promise<void> {
  try {
    exchange.signal.throwIfAborted();
    if (!(await refusedForeignPage(exchange))) await handle(exchange, authorize);
  } catch (error) {
    await answerError(exchange, error);
  }
}

async function handle(exchange: Exchange, authorize: Authorize | undefined): Promise<void> {
  const { method, path, state, query } = exchange;
  const route = parseServerRoute(path, state.issuer);
  if (route === undefined) throw new OciError('NAME_UNKNOWN', 'there is nothing at this address');
  // TypeScript cannot tell that this row belongs to this route.
  const row: Row<never> = table[route.name];
  const own = route as never;
  exchange.handler = row.handler;
  exchange.policy = row.policy;
  const methods = Object.keys(row.methods);
  const action = Object.hasOwn(row.methods, method) ? row.methods[method] : undefined;
  if (action === undefined) return refuseMethod(exchange, `${method} is not allowed here`, methods);
  const access = action.needs?.(own);
  if (access !== undefined) {
    if (!(await authorizeRequest(exchange, authorize, access, action.wishes?.(query)))) return;
    const sealed = sealedBy(exchange, access);
    if (sealed !== undefined) {
      const reading = methods.filter((word) => readingMethods.has(word));
      return refuseMethod(exchange, sealed, reading);
    }
  }
  await action.answer(exchange, own);
}

const readingMethods: ReadonlySet<string> = new Set(['GET', 'HEAD']);

// Clients recognise the word "read-only": a 405 alone may have other reasons.
function sealedBy({ method, state }: Exchange, access: readonly Access[]): string | undefined {
  if (!state.writes && !readingMethods.has(method))
    return 'this registry is read-only: it takes no pushes and no deletes';
  const deletes = access.some(({ actions }) => actions.some((action) => action === 'delete'));
  return deletes && !state.deletes ? 'deleting is disabled in this registry' : undefined;
}

function refuseMethod(exchange: Exchange, message: string, allowed: readonly string[]): Promise<void> {
  return answerError(exchange, new OciError('UNSUPPORTED', message), { allow: allowed.join(', ') });
}
