import { answer, answerJson } from '../http/answers.ts';
import type { Exchange } from '../http/exchange.ts';

/** `GET /v2/`. @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#determining-support */
export function getBase(exchange: Exchange): Promise<void> {
  return answerJson(exchange, {});
}

/** `GET /`, for people who open the address in a browser. */
export function getRoot(exchange: Exchange): Promise<void> {
  return answer(
    exchange,
    200,
    { 'content-type': 'text/plain; charset=utf-8' },
    'This is a container registry. Its API begins at /v2/.\n',
  );
}
