import { answerJson } from '../http/answers.ts';
import type { Exchange } from '../http/exchange.ts';

const uncached = { 'cache-control': 'no-store' };

/** `GET /livez`: the process answers. It asks nothing, because a restart does not mend a storage. */
export function getLivez(exchange: Exchange): Promise<void> {
  return answerJson(exchange, { status: 'ok' }, uncached);
}

/**
 * `GET /readyz`: whether a load balancer should send requests here. Other requests are served whatever it says.
 *
 * @see https://kubernetes.io/docs/reference/using-api/health-checks/
 */
export async function getReadyz(exchange: Exchange): Promise<void> {
  const { stopping, readiness } = exchange.state;
  const storage = await readiness.ask();
  const unready = stopping ? { code: 'STOPPING', reason: 'this server is being stopped' } : storage;
  if (unready === undefined) return answerJson(exchange, { status: 'ok' }, uncached);
  const { code, reason } = unready;
  exchange.failure = stopping ? undefined : storage?.failure;
  await answerJson(exchange, { status: 'unavailable', code, reason }, uncached, 503);
}
