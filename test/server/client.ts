import http from 'node:http';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { digestBytes } from '../../src/model/digest.ts';
import type { Descriptor } from '../../src/model/manifest/descriptor.ts';
import type { RawManifest } from '../../src/model/manifest/manifest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { bytesSource } from '../../src/registry/content.ts';
import type { Registry } from '../../src/registry/registry.ts';
import type { AccessEntry } from '../../src/server/http/access-entry.ts';
import type { RunningServer, ServeOptions } from '../../src/server/options.ts';
import { serve } from '../../src/server/server.ts';
import { memoryRegistry } from '../support/memory.ts';

export interface Served extends RunningServer {
  readonly registry: Registry;
  readonly log: AccessEntry[];
}

/** Serves a registry, by default one in memory, until the test ends. */
export async function startServer(t: TestContext, options: Partial<ServeOptions> = {}): Promise<Served> {
  const registry = options.registry ?? memoryRegistry();
  const log: AccessEntry[] = [];
  const server = await serve({ ...options, registry, log: (entry) => log.push(entry) });
  t.after(() => server.stop({ graceMs: 0 }));
  return { ...server, registry, log };
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  json(): Record<string, unknown>;
}

export interface Asked {
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: Uint8Array | string;
}

/** Sends a request unchanged: the path is not normalised, and only headers that Node requires are added. */
export function ask(server: RunningServer, method: string, path: string, asked: Asked = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { headers = {}, body } = asked;
    const request = http.request({ host: server.host, port: server.port, method, path, headers, agent: false });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const whole = Buffer.concat(chunks);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: whole,
          json: () => JSON.parse(whole.toString()) as Record<string, unknown>,
        });
      });
    });
    if (body !== undefined && !('content-length' in headers) && !('transfer-encoding' in headers)) {
      request.setHeader('content-length', Buffer.byteLength(body));
    }
    request.end(body);
  });
}

/** The first code of an error answer. */
export function codeOf(answer: Answer): unknown {
  return (answer.json()['errors'] as { code: unknown }[])[0]?.code;
}

/** Writes text to a raw connection, and returns everything received until it closed. */
export function raw(server: RunningServer, text: string): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(server.port, server.host, () => socket.write(text));
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      received += String(chunk);
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
  });
}

export const repo = parseRepositoryName('team/app');
export const latest = parseTag('latest');

export async function putBlob(registry: Registry, bytes: Uint8Array, into = repo): Promise<Descriptor> {
  const descriptor = { mediaType: mediaTypes.octetStream, digest: await digestBytes(bytes), size: bytes.length };
  await registry.pushBlob(into, descriptor, bytesSource(descriptor, bytes));
  return descriptor;
}

/** A manifest without layers. Its config is pushed first. */
export async function makeManifest(
  registry: Registry,
  more: Readonly<Record<string, unknown>> = {},
  into = repo,
): Promise<RawManifest & { readonly descriptor: Descriptor }> {
  const config = await putBlob(registry, Buffer.from('{}'), into);
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { ...config, mediaType: mediaTypes.ociEmpty },
    layers: [],
    ...more,
  };
  const bytes = Buffer.from(JSON.stringify(document, null, 3));
  const mediaType = mediaTypes.ociManifest;
  return { mediaType, bytes, descriptor: { mediaType, digest: await digestBytes(bytes), size: bytes.length } };
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
