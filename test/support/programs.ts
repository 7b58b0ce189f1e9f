import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { freePort } from './network/ports.ts';
import { type RunResult, start } from './process.ts';
import { type Scope, sandbox, temporaryDirectory } from './sandbox.ts';

const exec = promisify(execFile);

/**
 * Whether a test can run with the programs it needs.
 *
 * @returns False after `t.skip`, if one is missing; with OCICTL_TEST_REQUIRE_PROGRAMS=1, that is a failure instead.
 */
export function needs(t: Pick<TestContext, 'skip'>, ...programs: string[]): boolean {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length === 0) return true;
  const reason = `needs ${missing.join(', ')} on PATH`;
  if (process.env['OCICTL_TEST_REQUIRE_PROGRAMS'] === '1') throw new Error(reason);
  t.skip(reason);
  return false;
}

export function findProgram(name: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories
    .map((directory) => join(directory, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

export interface DockerRegistryOptions {
  /** Which distribution: Debian's docker-registry is 2.8, and `registry` is 3. Default 2. */
  readonly distribution?: 2 | 3;
  readonly htpasswd?: { readonly username: string; readonly password: string };
  /** Accepts the tokens of this issuer. */
  readonly tokens?: TrustedIssuer;
  /** PEM files. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** URL of the registry it is a pull-through cache of. */
  readonly proxyOf?: string;
  /** Accepts images in Docker's format schema 1. */
  readonly schema1?: boolean;
  /** Its storage directory; if absent, a temporary one. */
  readonly root?: string;
  /** Its storage section, instead of a directory. */
  readonly storage?: Readonly<Record<string, unknown>>;
  /** Whether it logs every request, for `requests`. Default false. */
  readonly accessLog?: boolean;
  /** Added to its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A token server, in the form of docker-registry's configuration. */
export interface TrustedIssuer {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** PEM. */
  readonly certificate: string;
}

export interface DockerRegistry {
  readonly url: string;
  readonly host: string;
  /** The directory that contains its `docker/registry/v2`. */
  readonly root: string;
  readonly pid: number | undefined;
  /** The requests of its access log: `PUT /v2/…`, without queries, with the status. */
  requests(): readonly LoggedRequest[];
  stop(): Promise<void>;
}

export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/** Starts distribution on a free port, with deletes allowed. */
export async function startDockerRegistry(t: Scope, options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const directory = await temporaryDirectory(t);
  const root = options.root ?? join(directory, 'data');
  await mkdir(root, { recursive: true });
  const port = await freePort();
  const { htpasswd, tokens, tls, proxyOf, schema1, storage = { filesystem: { rootdirectory: root } } } = options;
  const bundle = join(directory, 'issuer.pem');
  if (tokens) await writeFile(bundle, tokens.certificate);
  if (htpasswd) {
    const { stdout } = await exec('htpasswd', ['-Bbn', htpasswd.username, htpasswd.password]);
    await writeFile(join(directory, 'htpasswd'), stdout);
  }
  // JSON is valid YAML, and needs no quoting rules.
  const config = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: options.accessLog !== true } },
    storage: {
      ...storage,
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: `127.0.0.1:${port}`, ...(tls && { tls: { certificate: tls.certificate, key: tls.key } }) },
    ...(htpasswd && { auth: { htpasswd: { realm: 'test', path: join(directory, 'htpasswd') } } }),
    ...(tokens && {
      auth: {
        token: { realm: tokens.realm, service: tokens.service, issuer: tokens.issuer, rootcertbundle: bundle },
      },
    }),
    ...(proxyOf !== undefined && { proxy: { remoteurl: proxyOf } }),
    ...(schema1 && { compatibility: { schema1: { enabled: true } } }),
  };
  const file = join(directory, 'config.yml');
  await writeFile(file, JSON.stringify(config));
  const env = { PATH: process.env['PATH'] ?? '', HOME: directory, OTEL_TRACES_EXPORTER: 'none', ...options.env };
  const running = start(t, options.distribution === 3 ? 'registry' : 'docker-registry', ['serve', file], {
    env,
    timeoutMs: 1_800_000,
  });
  await waitForPort(port, running.result);
  const host = `127.0.0.1:${port}`;
  return {
    url: `${tls ? 'https' : 'http'}://${host}`,
    host,
    root,
    pid: running.child.pid,
    requests: () =>
      [...running.output().stdout.matchAll(/"([A-Z]+) (\/[^ ?"]*)\S* HTTP\/\d\.\d" (\d{3}) /g)].map(
        ([, method = '', path = '', status]) => ({ method, path, status: Number(status) }),
      ),
    async stop() {
      running.child.kill('SIGKILL');
      await running.result;
    },
  };
}

/** Runs skopeo in the test's sandbox, with a policy that accepts everything. */
export async function skopeo(t: Scope, words: readonly string[]): Promise<RunResult> {
  const { home, env } = await sandbox(t);
  const policy = join(home, 'policy.json');
  await writeFile(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  return finish('skopeo', start(t, 'skopeo', ['--policy', policy, ...words], { env, cwd: home }).result);
}

/** Runs umoci in the test's sandbox. */
export async function umoci(t: Scope, words: readonly string[]): Promise<RunResult> {
  const { home, env } = await sandbox(t);
  return finish('umoci', start(t, 'umoci', words, { env, cwd: home }).result);
}

/**
 * Runs podman with storage of its own in the sandbox. It copies layers, since overlays need rights that a container lacks.
 */
export async function podman(t: Scope, words: readonly string[]): Promise<RunResult> {
  const { home, env } = await sandbox(t);
  const global = [
    ['--root', join(home, 'podman')],
    ['--runroot', join(home, 'podman-run')],
    ['--tmpdir', join(home, 'podman-tmp')],
    ['--storage-driver', 'vfs'],
    ['--events-backend', 'file'],
    ['--cgroup-manager', 'cgroupfs'],
  ].flat();
  await mkdir(join(home, 'config', 'containers'), { recursive: true });
  // Locks in shared memory would be shared with the machine's own podman.
  const settings = join(home, 'containers.conf');
  await writeFile(settings, '[engine]\nlock_type = "file"\n');
  await writeFile(join(home, 'config/containers/policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
  const policy =
    words[0] === 'pull' || words[0] === 'push'
      ? ['--signature-policy', join(home, 'config/containers/policy.json')]
      : [];
  const all = [...global, ...words.slice(0, 1), ...policy, ...words.slice(1)];
  return finish('podman', start(t, 'podman', all, { env: { ...env, CONTAINERS_CONF: settings }, cwd: home }).result);
}

export interface Certificates {
  /** PEM files. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

interface CertificateOptions {
  /** Negative: it has expired. Default 2. */
  readonly days?: number;
  /** Default false: an elliptic key, which takes a hundredth of the time to make. */
  readonly rsa?: boolean;
}

/** A certificate for loopback addresses, from an authority that nobody trusts. */
export async function makeCertificates(
  t: Scope,
  { days = 2, rsa = false }: CertificateOptions = {},
): Promise<Certificates> {
  const directory = await temporaryDirectory(t);
  const at = (name: string): string => join(directory, name);
  const openssl = (...words: string[]) => exec('openssl', words, { cwd: directory });
  const kind = rsa ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const newKey = ['-newkey', ...kind, '-nodes'];
  await openssl(
    ...['req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=Test Authority'],
    ...['-keyout', 'ca.key', '-out', 'ca.crt'],
  );
  await openssl('req', ...newKey, '-subj', '/CN=127.0.0.1', '-keyout', 'server.key', '-out', 'server.csr');
  await writeFile(at('names'), 'subjectAltName=IP:127.0.0.1,IP:0.0.0.0,DNS:localhost\n');
  await openssl(
    ...[
      'x509',
      '-req',
      '-in',
      'server.csr',
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      String(days),
    ],
    ...['-extfile', 'names', '-out', 'server.crt'],
  );
  return { authority: at('ca.crt'), certificate: at('server.crt'), key: at('server.key') };
}

async function finish(program: string, running: Promise<RunResult>): Promise<RunResult> {
  const result = await running;
  if (result.exitCode === 0) return result;
  throw new Error(`${program} ended with ${result.exitCode ?? result.signal}:\n${result.stdout}${result.stderr}`);
}

/** Waits until a server listens. Rejects if the server ends first. */
export async function waitForPort(port: number, ended: Promise<RunResult>): Promise<void> {
  const { connect } = await import('node:net');
  let result: RunResult | undefined;
  ended.then(
    (value) => {
      result = value;
    },
    () => {},
  );
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (result) throw new Error(`the server ended at once:\n${result.stdout}${result.stderr}`);
    const socket = connect(port, '127.0.0.1');
    const open = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(
        () => false,
        () => false,
      ),
    ]).catch(() => false);
    socket.destroy();
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the server does not listen');
}
