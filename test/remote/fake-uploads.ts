import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { digestBytes } from '../../src/model/digest.ts';
import { bytesSource } from '../../src/registry/content.ts';
import type { Answer, AskedRequest } from '../support/fake-server.ts';
import { type FakeRegistryOptions, fakeRegistry } from './fake-registry.ts';

export const bytes = randomBytes(3_500_000);
export const digest = await digestBytes(bytes);
export const blob = { mediaType: 'a/b', digest, size: bytes.length };
export const source = bytesSource(blob, bytes);
export const mib = 1024 * 1024;

/** The answers of a registry to an upload; a test replaces those that misbehave. */
export interface Parts {
  readonly head?: Answer;
  readonly post?: Answer;
  readonly patch?: Answer;
  readonly put?: Answer;
  readonly get?: Answer;
}

export interface State {
  held: Buffer;
  sessions: number;
  committed: Buffer | undefined;
  cancelled: number;
}

export async function uploads(
  t: TestContext,
  parts: (state: State, own: Required<Parts>) => Parts = () => ({}),
  options: FakeRegistryOptions = {},
) {
  const state: State = { held: Buffer.alloc(0), sessions: 0, committed: undefined, cancelled: 0 };
  const range = (): Record<string, string> => ({ range: `0-${Math.max(state.held.length - 1, 0)}` });
  const own: Required<Parts> = {
    head: (_, response) => response.writeHead(state.committed ? 200 : 404).end(),
    post: (_, response) => {
      state.sessions += 1;
      state.held = Buffer.alloc(0);
      response.writeHead(202, { location: `/session/${state.sessions}?state=a%2Bb~c` }).end();
    },
    patch: (request, response) => {
      const start = Number(request.headers['content-range']?.split('-')[0]);
      const location = `/session/${state.sessions}?at=${state.held.length}`;
      if (start !== state.held.length) return response.writeHead(416, { location, ...range() }).end();
      state.held = Buffer.concat([state.held, request.body]);
      response.writeHead(202, { location: `/session/${state.sessions}?at=${state.held.length}`, ...range() }).end();
    },
    put: (request, response) => {
      const whole = Buffer.concat([state.held, request.body]);
      state.committed = whole;
      response.writeHead(201).end();
    },
    get: (_, response) => response.writeHead(204, range()).end(),
  };
  const answer: Answer = (request, response, incoming) => {
    const { method } = request;
    const all = { ...own, ...parts(state, own) };
    if (method === 'HEAD') return all.head(request, response, incoming);
    if (method === 'POST') return all.post(request, response, incoming);
    if (method === 'PATCH') return all.patch(request, response, incoming);
    if (method === 'PUT') return all.put(request, response, incoming);
    if (method === 'GET') return all.get(request, response, incoming);
    state.cancelled += 1;
    response.writeHead(204).end();
  };
  return { ...(await fakeRegistry(t, answer, options)), state };
}

export const methods = (requests: readonly AskedRequest[]): string => requests.map(({ method }) => method).join(' ');
