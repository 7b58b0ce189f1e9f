/** A client that loads a registry: so many connections that are kept, each with one request after the other. */
import { createHash, type Hash } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import { randomBytes } from '../test/support/layer.ts';

export interface Load {
  readonly requests: number;
  /** Bodies, sent or received. */
  readonly bytes: number;
  readonly seconds: number;
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: readonly Uint8Array[];
}

export type Ask = (asked: Asked) => Promise<IncomingMessage>;

/** Calls `job` with 0, 1, 2, … from so many clients at once until it says false. It gives back how many bytes it moved. */
export async function load(
  host: string,
  clients: number,
  job: (ask: Ask, i: number) => Promise<number | false>,
): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const ask: Ask = (asked) => send(agent, host, asked);
  let [next, requests, bytes] = [0, 0, 0];
  const startedAt = performance.now();
  const client = async (): Promise<void> => {
    for (;;) {
      const moved = await job(ask, next++);
      if (moved === false) return;
      requests += 1;
      bytes += moved;
    }
  };
  try {
    await Promise.all(Array.from({ length: clients }, client));
    return { requests, bytes, seconds: (performance.now() - startedAt) / 1000 };
  } finally {
    agent.destroy();
  }
}

/** Blobs that differ in their last bytes alone, so that a client can hash as many as it likes at no cost. */
export function distinctBlobs(bytes: number): (i: number) => { readonly digest: string; readonly body: Uint8Array[] } {
  const head = Buffer.concat([...randomBytes(Math.max(bytes - 8, 0), `blobs of ${bytes}`)]);
  const hashed: Hash = createHash('sha256').update(head);
  return (i) => {
    const tail = Buffer.from(String(i).padStart(8, '0'));
    return { digest: `sha256:${hashed.copy().update(tail).digest('hex')}`, body: [head, tail] };
  };
}

/** Pushes a blob as clients do: POST for a place, PUT with all of it. @returns Its size. */
export async function putBlob(ask: Ask, path: string, { digest, body }: ReturnType<ReturnType<typeof distinctBlobs>>) {
  const { headers } = await ask({ method: 'POST', path: `/v2/${path}/blobs/uploads/` });
  const place = new URL(headers.location ?? '', 'http://registry.invalid');
  place.searchParams.set('digest', digest);
  const length = body.reduce((sum, part) => sum + part.length, 0);
  const type = { 'content-type': 'application/octet-stream', 'content-length': String(length) };
  await ask({ method: 'PUT', path: `${place.pathname}${place.search}`, headers: type, body });
  return length;
}

function send(agent: Agent, host: string, { method, path, headers, body = [] }: Asked): Promise<IncomingMessage> {
  const [hostname, port] = host.split(':');
  return new Promise((resolve, reject) => {
    const sent = request(
      { agent, hostname, port, method, path, headers: { ...headers }, timeout: 60_000 },
      (answer) => {
        answer.once('error', reject).resume();
        answer.once('end', () => {
          const { statusCode = 0 } = answer;
          if (statusCode < 400) resolve(answer);
          else reject(new Error(`${method} ${path.split('?')[0]} was answered with ${statusCode}`));
        });
      },
    );
    sent.once('error', reject);
    sent.once('timeout', () => sent.destroy(new Error(`${method} was not answered for a minute`)));
    // Of the size that a caller who has nothing gives: 0.
    if (body.length === 0 && method !== 'GET' && method !== 'HEAD') sent.setHeader('content-length', '0');
    for (const part of body) sent.write(part);
    sent.end();
  });
}
