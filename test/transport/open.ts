import assert from 'node:assert/strict';
import type { ServerOptions } from 'node:https';
import type { TestContext } from 'node:test';
import { OciError } from '../../src/model/errors.ts';
import type { HttpRequest, HttpResponse } from '../../src/transport/http.ts';
import { createTransport, type Transport, type TransportOptions } from '../../src/transport/transport.ts';
import { type Answer, type FakeServer, startFakeServer } from '../support/fake-server.ts';
import { atEnd } from '../support/sandbox.ts';

/** The waits between attempts, recorded instead of waited. */
export const waits: number[] = [];

export function open(t: TestContext, url: string, options: Partial<TransportOptions> = {}): Transport {
  const wait = async (delayMs: number): Promise<void> => void waits.push(delayMs);
  const transport = createTransport({ base: new URL(url), retry: { wait }, ...options });
  atEnd(t, () => transport.close());
  return transport;
}

export async function start(
  t: TestContext,
  answer: Answer,
  options: Partial<TransportOptions> & { readonly early?: boolean; readonly serverTls?: ServerOptions } = {},
): Promise<{ server: FakeServer; transport: Transport }> {
  const { early = false, serverTls } = options;
  const server = await startFakeServer(t, answer, { early, ...(serverTls && { tls: serverTls }) });
  return { server, transport: open(t, server.url, options) };
}

export const get = (transport: Transport, url = 'x', more: Partial<HttpRequest> = {}): Promise<HttpResponse> =>
  transport.request({ method: 'GET', url, ...more });

export function fails(code: string, text?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof OciError, String(error));
    assert.equal(error.code, code, error.message);
    if (text) assert.match(error.message, text);
    return true;
  };
}
