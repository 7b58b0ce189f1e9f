/** A registry outside, over TLS that is verified, and runs that each know what the earlier ones learned. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { digestBytes } from '../../../src/model/digest.ts';
import { isOciError } from '../../../src/model/errors.ts';
import { parseReference, parseTag } from '../../../src/model/reference/reference.ts';
import type { RegistryServiceOptions } from '../../../src/service/contract.ts';
import { type Issued, issue } from '../../certs/issue.ts';
import { type Answer, type AskedRequest, type FakeServer, json, startFakeServer } from '../../support/fake-server.ts';
import { ada, basic } from '../../support/login-servers.ts';
import { outside } from '../../support/network/own-network.ts';
import { sandbox } from '../../support/sandbox.ts';
import { open } from '../opened.ts';

const manifest = Buffer.from(
  JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] }),
);

const digest = await digestBytes(manifest);

/** What a test changes between two runs. */
interface Behaviour {
  /** The challenge of a request that is not allowed; undefined: every request is. */
  challenge: string | undefined;
  /** The `Authorization` that is allowed. */
  allowed: (authorization: string | undefined) => boolean;
  /** Of a request that is not allowed. */
  status: number | ((authorization: string | undefined) => number);
  /** Comes before everything else. */
  answer?: Answer;
}

const allowsAda = (authorization: string | undefined): boolean => authorization === basic(ada);
export const allowsTokens = (authorization: string | undefined): boolean =>
  authorization?.startsWith('Bearer t') ?? false;

function registryAnswer(behaviour: Behaviour): Answer {
  return (request, response, incoming) => {
    if (behaviour.answer) return behaviour.answer(request, response, incoming);
    const { challenge, allowed, status } = behaviour;
    if (challenge !== undefined && !allowed(request.headers.authorization)) {
      const refusal = typeof status === 'number' ? status : status(request.headers.authorization);
      return json(response, refusal, { errors: [{ code: 'UNAUTHORIZED' }] }, { 'www-authenticate': challenge });
    }
    response.writeHead(200, {
      'content-type': 'application/vnd.oci.image.index.v1+json',
      'content-length': manifest.length,
      'docker-content-digest': digest,
    });
    response.end(request.method === 'HEAD' ? undefined : manifest);
  };
}

/** Issues t0, t1, … to ada, and to anybody. */
export const issues: Answer = ({ nth, headers }, response) => {
  const { authorization } = headers;
  if (authorization !== undefined && authorization !== basic(ada)) return json(response, 401, {});
  json(response, 200, { token: `t${nth}`, expires_in: 300 });
};

export interface Outside {
  readonly authority: Issued;
  readonly registry: FakeServer;
  readonly tokens: FakeServer;
  readonly behaviour: Behaviour;
  /** Awaited by the token server before it answers. */
  readonly gate: { pass: () => Promise<void> };
}

/** @param challenge Given the address of the token server. */
export async function startOutside(
  t: TestContext,
  challenge: (tokens: string) => string,
  authority: Issued = issue('Test Authority'),
): Promise<Outside> {
  const tls = issue('server', { by: authority, addresses: [outside, '127.0.0.1'] });
  const behaviour: Behaviour = { challenge: undefined, allowed: allowsAda, status: 401 };
  const gate = { pass: async (): Promise<void> => {} };
  const answer: Answer = async (...words) => {
    await gate.pass();
    issues(...words);
  };
  const tokens = await startFakeServer(t, answer, { tls, address: outside });
  behaviour.challenge = challenge(tokens.url);
  if (behaviour.challenge.startsWith('Bearer')) behaviour.allowed = allowsTokens;
  const registry = await startFakeServer(t, registryAnswer(behaviour), { tls, address: outside });
  await trust(t, registry, authority);
  return { authority, registry, tokens, behaviour, gate };
}

export async function trust(t: TestContext, { host }: Pick<FakeServer, 'host'>, { cert }: Issued): Promise<void> {
  const { certsDir } = await sandbox(t);
  await mkdir(join(certsDir, host), { recursive: true });
  await writeFile(join(certsDir, host, 'ca.crt'), cert);
}

export interface RunOptions extends Partial<RegistryServiceOptions> {
  readonly daemon?: object;
  /** Default: ada's. */
  readonly password?: string;
  /** Nothing is known of hosts, and nothing kept. */
  readonly fresh?: boolean;
}

/** One run: asks for a manifest. @returns `ok`, or the error's code. */
export async function run(
  t: TestContext,
  host: string,
  { fresh, password = ada.password, daemon, ...more }: RunOptions = {},
): Promise<string> {
  const { home } = await sandbox(t);
  const auth = Buffer.from(`${ada.username}:${password}`).toString('base64');
  const { service } = await open(t, {
    config: { auths: { [host]: { auth } } },
    ...(daemon && { daemon }),
    ...(!fresh && { cacheDirectory: join(home, 'cache') }),
    ...more,
  });
  try {
    const { path, domain } = parseReference(`${host}/team/app`);
    const registry = await service.open({ path, domain }, 'pull');
    await registry.getManifest(path, parseTag('1'));
    return 'ok';
  } catch (error) {
    if (!isOciError(error)) throw error;
    return error.code;
  } finally {
    await service.close();
  }
}

/** The requests that a run makes, each as `GET`, `GET basic` or `GET t1`. */
export async function during(servers: readonly FakeServer[], work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = servers.map(({ requests }) => requests.length);
  const result = await work();
  const made = servers.flatMap(({ requests }, at) => requests.slice(before[at]).map(shown));
  return [...made, String(result)];
}

function shown({ method, path, headers }: AskedRequest): string {
  const [scheme = '', value = ''] = (headers.authorization ?? '').split(' ');
  const what = path.endsWith('/token') ? 'TOKEN' : method;
  return `${what} ${scheme === 'Bearer' ? value : scheme.toLowerCase()}`.trim();
}
