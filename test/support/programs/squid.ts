import { execFile } from 'node:child_process';
import { chmod, chown, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../network/ports.ts';
import { start } from '../process.ts';
import { findProgram, waitForPort } from '../programs.ts';
import { type Scope, temporaryDirectory } from '../sandbox.ts';

const exec = promisify(execFile);
/** Squid does not run as root. */
const nobody = 65_534;

export interface SquidOptions {
  /** The ports it opens tunnels to; Squid's default configuration has only 443. */
  readonly tunnelPorts?: readonly string[];
  /** The only user it accepts; if absent, everyone. */
  readonly user?: { readonly username: string; readonly password: string };
}

export interface Squid {
  readonly url: string;
  readonly host: string;
  /** `CONNECT host:port 200`, `GET http://… 407`, in order. */
  log(): Promise<readonly string[]>;
}

/** Starts Debian's squid on a free port of loopback. */
export async function startSquid(t: Scope, { tunnelPorts = [], user }: SquidOptions = {}): Promise<Squid> {
  const directory = await temporaryDirectory(t);
  const at = (name: string): string => join(directory, name);
  const port = await freePort();
  if (user) {
    const { stdout } = await exec('htpasswd', ['-bnm', user.username, user.password]);
    await writeFile(at('passwd'), stdout);
  }
  const helper = '/usr/lib/squid/basic_ncsa_auth';
  const lines = [
    `http_port 127.0.0.1:${port}`,
    'visible_hostname squid.test',
    'pid_filename none',
    'cache deny all',
    'shutdown_lifetime 0 seconds',
    `logformat short %rm %ru %>Hs`,
    `access_log stdio:${at('access.log')} logformat=short`,
    `cache_log ${at('cache.log')}`,
    `coredump_dir ${directory}`,
    'buffered_logs off',
    'acl CONNECT method CONNECT',
    `acl tunnels port ${['443', ...tunnelPorts].join(' ')}`,
    'http_access deny CONNECT !tunnels',
    ...(user ? [`auth_param basic program ${helper} ${at('passwd')}`, 'acl known proxy_auth REQUIRED'] : []),
    `http_access allow ${user ? 'known' : 'all'}`,
    'http_access deny all',
  ];
  await writeFile(at('squid.conf'), `${lines.join('\n')}\n`);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) await chown(directory, nobody, nobody);
  await chmod(directory, 0o755);
  const program = [findProgram('squid') ?? 'squid', '-N', '-f', at('squid.conf')];
  const drop = isRoot ? ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'] : [];
  const [command = '', ...words] = [...drop, ...program];
  const running = start(t, command, words, { env: { PATH: process.env['PATH'] ?? '' }, timeoutMs: 600_000 });
  await waitForPort(port, running.result);
  const host = `127.0.0.1:${port}`;
  return {
    url: `http://${host}`,
    host,
    log: async () => (await readFile(at('access.log'), 'utf8')).trim().split('\n'),
  };
}
