import type { APIEndpoint } from '../../endpoints/endpoint.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { EndpointConnection } from './endpoint-registry.ts';

/** Connects to an endpoint. `onAnswer` is called at the first answer of any kind. */
export type Connect = (endpoint: APIEndpoint, onAnswer: () => void) => EndpointConnection;

/**
 * Asks the endpoints in order until one has answered. Its answer is final, even an error. Otherwise an attacker could
 * make a registry refuse over TLS, and would get the credentials in clear text over plain http.
 *
 * @throws the last endpoint's error if none answered.
 */
export async function askFirstAnswering<T>(
  endpoints: readonly APIEndpoint[],
  connect: Connect,
  ask: (connection: EndpointConnection, endpoint: APIEndpoint) => Promise<T>,
): Promise<T> {
  for (const [at, endpoint] of endpoints.entries()) {
    let answered = false;
    const connection = connect(endpoint, () => {
      answered = true;
    });
    try {
      return await ask(connection, endpoint);
    } catch (error) {
      const another = at + 1 < endpoints.length && isOciError(error, 'NETWORK', 'TIMEOUT', 'TLS');
      if (answered || !another) throw error;
    }
  }
  throw new OciError('INTERNAL', 'there are no endpoints to ask');
}
