/** A real HTTP proxy in front of a registry that can disturb responses as networks and bad servers do. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { patient } from './fake-server.ts';
import { atEnd, type Scope } from './sandbox.ts';

/** What is done to the matching responses. */
export interface Fault {
  /** Matches requests by their path with query. Default all. */
  readonly path?: RegExp;
  readonly method?: string;
  /** Only requests that do not carry these headers. */
  readonly without?: Readonly<Record<string, string>>;
  /** The number of requests to disturb; then the fault is over. Default all. */
  readonly times?: number;
  /** Answers instead of the registry. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Cuts the connection after this many bytes of the body; 0 before the headers. */
  readonly cutAfterBytes?: number;
  /** Sends nothing more after this many bytes of the body, and keeps the connection open. */
  readonly stallAfterBytes?: number;
  /** Flips a bit of the byte at this offset of the body. */
  readonly flipByteAt?: number;
  /** Ends the body early, as if it were complete, with a content-length to match. */
  readonly endAfterBytes?: number;
  readonly bytesPerSecond?: number;
  /** How long to wait before the request is passed on. */
  readonly delayMs?: number;
  /** Is awaited before the request is passed on. */
  readonly before?: () => Promise<unknown>;
  /** Sends nothing at all, and keeps the connection open; the request is not passed on. */
  readonly silent?: boolean;
  /** Passes the request on, and cuts the connection instead of passing its answer back. */
  readonly losesAnswer?: boolean;
}

/** Faults by chance. The same seed hits the same requests, independent of what came in between. */
export interface Chance {
  /** From 0 to 1, for each request. */
  readonly probability: number;
  readonly seed: string;
  /** One of them is chosen, all with the same probability. */
  readonly faults: readonly Fault[];
}

export interface Recorded {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  status: number | undefined;
  /** Time until the registry's answer began. */
  waitedMs: number | undefined;
  /** Bytes of the body that went to the client. */
  sentBytes: number;
  /** Bytes of the body that came from the client. */
  receivedBytes: number;
}

export interface FaultProxy {
  readonly url: string;
  /** host:port */
  readonly host: string;
  /** In the order of arrival. */
  readonly requests: Recorded[];
  /** Adds a fault; the first one that matches a request is applied. */
  fail(fault: Fault): void;
  /** Adds faults by chance, for requests that no other fault matches. */
  failByChance(chance: Chance): void;
  /** Ends all faults. */
  heal(): void;
  /** Bytes of bodies sent to clients for paths that match. */
  sentBytes(path?: RegExp): number;
  count(path?: RegExp, method?: string): number;
  close(): Promise<void>;
}

/** Starts a proxy on loopback. @param target Where the registry is: `http://host:port`. */
export async function startFaultProxy(t: Scope, target: string): Promise<FaultProxy> {
  const upstream = new URL(target);
  const requests: Recorded[] = [];
  let faults: { readonly fault: Fault; left: number }[] = [];
  let chance: Chance | undefined;
  const seen = new Map<string, number>();

  const take = ({ method, path, headers }: Recorded): Fault => {
    const found = faults.find(
      ({ fault, left }) =>
        left > 0 &&
        (fault.path?.test(path) ?? true) &&
        (fault.method === undefined || fault.method === method) &&
        !(fault.without && Object.entries(fault.without).every(([name, value]) => headers[name] === value)),
    );
    if (found) found.left -= 1;
    return found?.fault ?? (chance && cast(chance, method, path)) ?? {};
  };
  const cast = ({ probability, seed, faults: all }: Chance, method: string, path: string): Fault | undefined => {
    // Leave out the names of upload sessions and what follows them: they differ from run to run.
    const name = `${method} ${path.replace(/\/uploads\/.*/, '/uploads/')}`;
    const nth = (seen.get(name) ?? 0) + 1;
    seen.set(name, nth);
    const dice = createHash('sha256').update(`${seed} ${name} ${nth}`).digest().readUInt32BE(0) / 2 ** 32;
    return dice < probability ? all[Math.floor((dice / probability) * all.length)] : undefined;
  };

  const server = createServer(patient, async (incoming, response) => {
    const { method = 'GET', url: path = '/', headers } = incoming;
    const record: Recorded = {
      method,
      path,
      headers,
      status: undefined,
      waitedMs: undefined,
      sentBytes: 0,
      receivedBytes: 0,
    };
    const cameMs = performance.now();
    requests.push(record);
    const fault = take(record);
    incoming.on('error', () => {});
    response.on('error', () => {});
    if (fault.delayMs !== undefined) await pause(fault.delayMs, response);
    await fault.before?.();
    if (response.destroyed) return;
    incoming.on('data', (chunk: Uint8Array) => {
      record.receivedBytes += chunk.length;
    });
    if (fault.silent) return void incoming.resume();
    if (fault.cutAfterBytes === 0) return void response.destroy();
    if (fault.status !== undefined) {
      record.status = fault.status;
      incoming.resume();
      record.sentBytes = Buffer.byteLength(fault.body ?? '');
      // As registries do; without the length, Node would send an empty answer in chunks.
      response.writeHead(fault.status, { 'content-length': String(record.sentBytes), ...fault.headers });
      return void response.end(fault.body);
    }
    // Pass on the client's own Host header, so that a Location built from it leads back to this proxy.
    const outgoing = request({ host: upstream.hostname, port: upstream.port, method, path, headers });
    outgoing.on('error', () => response.destroy());
    outgoing.on('response', (answer) => {
      record.waitedMs = performance.now() - cameMs;
      void relay(answer, response, fault, record).catch(() => response.destroy());
    });
    response.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  atEnd(t, close);
  const matching = (path: RegExp | undefined): Recorded[] =>
    requests.filter((recorded) => path?.test(recorded.path) ?? true);
  return {
    url: `http://${host}`,
    host,
    requests,
    fail(fault) {
      faults.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY });
    },
    heal() {
      faults = [];
      chance = undefined;
    },
    failByChance(added) {
      chance = added;
    },
    sentBytes: (path) => matching(path).reduce((sum, recorded) => sum + recorded.sentBytes, 0),
    count: (path, method) => matching(path).filter((r) => method === undefined || r.method === method).length,
    close,
  };
}

async function relay(answer: IncomingMessage, response: ServerResponse, fault: Fault, record: Recorded): Promise<void> {
  record.status = answer.statusCode;
  if (fault.losesAnswer) return void response.destroy();
  const headers = { ...answer.headers, ...fault.headers };
  if (fault.endAfterBytes !== undefined) headers['content-length'] = String(fault.endAfterBytes);
  response.writeHead(answer.statusCode ?? 502, headers);
  response.flushHeaders();
  const stopAt = Math.min(
    fault.cutAfterBytes ?? Infinity,
    fault.stallAfterBytes ?? Infinity,
    fault.endAfterBytes ?? Infinity,
  );
  // A client that has gone away never emits `drain`.
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  for await (const received of answer) {
    const whole = received as Uint8Array;
    const chunk = whole.subarray(0, Math.min(whole.length, stopAt - record.sentBytes));
    if (fault.bytesPerSecond !== undefined) await pause((chunk.length / fault.bytesPerSecond) * 1000, response);
    flip(chunk, (fault.flipByteAt ?? -1) - record.sentBytes);
    record.sentBytes += chunk.length;
    if (chunk.length > 0 && !response.write(chunk)) {
      await once(response, 'drain', { signal: gone.signal }).catch(() => {});
    }
    if (response.destroyed) return;
    if (record.sentBytes >= stopAt) return stop(response, fault);
  }
  response.end();
}

async function stop(response: ServerResponse, fault: Fault): Promise<void> {
  if (fault.stallAfterBytes !== undefined) return void (await once(response, 'close'));
  if (fault.endAfterBytes !== undefined) return void response.end();
  // Wait until the written bytes have been sent: breaking the connection at once would cut earlier than requested.
  await new Promise<void>((resolve) => setTimeout(resolve, 20));
  response.destroy();
}

function flip(chunk: Uint8Array, at: number): void {
  const byte = chunk[at];
  if (byte !== undefined) chunk[at] = byte ^ 1;
}

/** Ends early when the client goes away, so that no test waits for it. */
async function pause(ms: number, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  response.once('close', leave);
  if (!response.destroyed) await sleep(ms, undefined, { signal: gone.signal }).catch(() => {});
  response.off('close', leave);
}
