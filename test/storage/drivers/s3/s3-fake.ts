/** A store with the interface of S3 that a test programs to misbehave, and a driver for it. */
import type { ServerResponse } from 'node:http';
import type { Driver } from '../../../../src/storage/driver.ts';
import { createS3Driver } from '../../../../src/storage/drivers/s3/driver.ts';
import type { S3Keys, S3Settings } from '../../../../src/storage/drivers/s3/settings.ts';
import { createTransport } from '../../../../src/transport/transport.ts';
import { type Answer, type FakeServer, startFakeServer } from '../../../support/fake-server.ts';
import { atEnd, type Scope } from '../../../support/sandbox.ts';

export const secretKey = 'wJalrXUtnFEMI';

export interface FakeStore {
  readonly driver: Driver;
  readonly server: FakeServer;
  readonly warnings: readonly string[];
}

/** The driver tries three times, without delay. */
export async function openFake(
  t: Scope,
  answer: Answer,
  { keys, ...settings }: Partial<S3Settings> & { readonly keys?: S3Keys } = {},
): Promise<FakeStore> {
  const server = await startFakeServer(t, answer);
  const endpoint = new URL(server.url);
  const limits = { headersTimeoutMs: 300, idleTimeoutMs: 300 };
  const transport = createTransport({ base: endpoint, limits, retry: { attempts: 3, wait: async () => {} } });
  atEnd(t, () => transport.close());
  const warnings: string[] = [];
  const driver = createS3Driver({
    settings: {
      bucket: 'images',
      prefix: 'team',
      endpoint,
      region: 'eu-central-1',
      pathStyle: true,
      chunkBytes: 5 * 1024 * 1024,
      ...settings,
    },
    send: (request) => transport.request(request),
    pause: transport.retry.pause,
    keys: keys ?? (async () => ({ accessKeyId: 'AKID', secretAccessKey: secretKey })),
    warn: (text) => void warnings.push(text),
  });
  return { driver, server, warnings };
}

/** Answers as S3 tells a fault. */
export function fault(response: ServerResponse, status: number, code: string, more = ''): void {
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>Told by the store</Message>${more}</Error>`;
  response.writeHead(status, { 'content-type': 'application/xml' }).end(text);
}

/** Answers with an object. */
export function object(response: ServerResponse, content: string, more: Record<string, string> = {}): void {
  const headers = {
    etag: '"1"',
    'content-length': content.length,
    'last-modified': 'Mon, 30 Nov 2026 12:00:00 GMT',
    ...more,
  };
  response.writeHead(more['content-range'] === undefined ? 200 : 206, headers);
  response.end(content);
}
