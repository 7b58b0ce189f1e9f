/**
 * The part of Docker's Engine API that moves images.
 *
 * @see https://docs.docker.com/reference/api/engine/
 */
import type { DaemonEndpoint } from '../config/docker/daemon-endpoint.ts';
import { OciError } from '../model/errors.ts';
import { parseJson } from '../model/json.ts';
import type { SignalOption } from '../registry/options.ts';
import { type DaemonAnswer, type RequestBody, send } from './connection.ts';
import { daemonName, refusal, unsupportedVersion } from './errors.ts';
import { readLoadResult } from './load-result.ts';

/** The latest version that is known here; of an older daemon, its own latest. Docker 29 refuses those below 1.44. */
const latestVersion = [1, 51] as const;
/** Docker 1.12. */
const oldestVersion = [1, 24] as const;
const pingMs = 10_000;
const maxErrorBytes = 64 * 1024;
/** A list of some ten thousand images. */
const maxJsonBytes = 32 * 1024 * 1024;

export interface DaemonClient {
  /** In messages: `the Docker daemon at unix:///var/run/docker.sock`. */
  readonly name: string;
  /** The answer to a GET as JSON. @throws OciError MANIFEST_UNKNOWN for 404; PROTOCOL, TOO_LARGE. */
  json(path: string, query?: Query, opts?: SignalOption): Promise<unknown>;
  /** A tar archive of an image. @param name A name or an ID. @throws OciError MANIFEST_UNKNOWN */
  export(name: string, opts?: SignalOption): Promise<AsyncIterable<Uint8Array>>;
  /** Sends a tar archive of images. @returns What the daemon says that it loaded. @throws OciError UNKNOWN if it refuses. */
  load(body: Omit<RequestBody, 'contentType'>, opts?: SignalOption): Promise<readonly string[]>;
}

type Query = Readonly<Record<string, string>>;

/** Nothing is sent before the first call. */
export function createDaemonClient(endpoint: DaemonEndpoint): DaemonClient {
  let negotiated: Promise<string> | undefined;
  const call = async (
    method: 'GET' | 'POST',
    path: string,
    query: Query,
    { signal, body }: SignalOption & { readonly body?: RequestBody } = {},
  ): Promise<DaemonAnswer> => {
    negotiated ??= negotiate(endpoint, { signal });
    const version = await negotiated;
    const words = new URLSearchParams(query).toString();
    const full = `/v${version}${path}${words === '' ? '' : `?${words}`}`;
    return accepted(endpoint, await send(endpoint, { method, path: full, body, signal }));
  };
  return {
    name: daemonName(endpoint),
    async json(path, query = {}, opts) {
      const answer = await call('GET', path, query, opts);
      return parseAnswer(endpoint, await readAll(answer.body, maxJsonBytes, daemonName(endpoint)));
    },
    async export(name, opts) {
      return (await call('GET', '/images/get', { names: name }, opts)).body;
    },
    async load(body, opts) {
      const sent = { ...body, contentType: 'application/x-tar' };
      const answer = await call('POST', '/images/load', { quiet: '1' }, { ...opts, body: sent });
      return readLoadResult(answer.body, daemonName(endpoint));
    },
  };
}

/** Asks for the daemon's version. @returns The one that is spoken. */
async function negotiate(endpoint: DaemonEndpoint, opts: SignalOption): Promise<string> {
  const answer = await send(endpoint, { method: 'GET', path: '/_ping', timeoutMs: pingMs, ...opts });
  const told = (await accepted(endpoint, answer)).header('Api-Version');
  answer.discard();
  const [, major, minor] = /^(\d{1,3})\.(\d{1,3})$/.exec(told ?? '') ?? [];
  if (major === undefined || minor === undefined) {
    throw new OciError('PROTOCOL', `what listens at ${endpoint.host} is no Docker daemon`, {
      hint: 'check DOCKER_HOST, or docker context show',
    });
  }
  const version = [Number(major), Number(minor)] as const;
  if (isBefore(version, oldestVersion)) throw unsupportedVersion(endpoint, `${told}`);
  return (isBefore(latestVersion, version) ? latestVersion : version).join('.');
}

function isBefore(one: readonly [number, number], other: readonly [number, number]): boolean {
  return one[0] < other[0] || (one[0] === other[0] && one[1] < other[1]);
}

async function accepted(endpoint: DaemonEndpoint, answer: DaemonAnswer): Promise<DaemonAnswer> {
  if (answer.status === 200) return answer;
  throw refusal(endpoint, answer.status, await readStart(answer.body, maxErrorBytes));
}

function parseAnswer(endpoint: DaemonEndpoint, bytes: Uint8Array): unknown {
  try {
    return parseJson(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new OciError('PROTOCOL', `${daemonName(endpoint)} answers with something that is not JSON`, { cause });
  }
}

async function readAll(body: AsyncIterable<Uint8Array>, maxBytes: number, name: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new OciError('TOO_LARGE', `${name} answers with more than ${maxBytes} bytes of JSON`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function readStart(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= maxBytes) break;
    }
  } catch {
    // The status says what failed; its explanation was cut off.
  }
  return Buffer.concat(chunks).subarray(0, maxBytes);
}
