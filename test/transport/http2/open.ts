import type { TestContext } from 'node:test';
import type { HttpResponse } from '../../../src/transport/http.ts';
import type { Transport, TransportOptions } from '../../../src/transport/transport.ts';
import { open } from '../open.ts';
import { trusted } from './raw-http2.ts';

export const text = async (response: Promise<HttpResponse>): Promise<string> =>
  Buffer.from(await (await response).body.bytes(10_000_000)).toString();

export function expecting(t: TestContext, url: string, options: Partial<TransportOptions> = {}): Transport {
  const transport = open(t, url, { tls: trusted, ...options });
  transport.expectMany();
  return transport;
}
