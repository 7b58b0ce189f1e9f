import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../network/ports.ts';
import { start } from '../process.ts';
import { type Certificates, findProgram, waitForPort } from '../programs.ts';
import { type Scope, temporaryDirectory } from '../sandbox.ts';

export interface NginxOptions {
  readonly before: string;
  readonly certificates: Certificates;
  /** Accepts every client; otherwise only clients with a certificate of the authority. */
  readonly open?: boolean;
  /** The headers for the server behind it, in the form of `proxy_set_header`. */
  readonly headers?: readonly string[];
  /** Speaks HTTP/2 too. */
  readonly http2?: boolean;
  /** The servers of an upstream `registries`, which `before` may name: `127.0.0.1:5000 max_fails=0`. */
  readonly upstream?: readonly string[];
  /** More directives of the server, or of its one location, each without its semicolon. */
  readonly server?: readonly string[];
  readonly location?: readonly string[];
}

const defaultHeaders = ['Host $http_host', 'X-Forwarded-Proto https'];

/** Starts nginx over TLS on a free port of loopback, in front of another server. */
export async function startNginx(
  t: Scope,
  {
    before,
    certificates,
    open = false,
    headers = defaultHeaders,
    http2,
    upstream = [],
    server = [],
    location = [],
  }: NginxOptions,
): Promise<{ readonly host: string; readonly pid: number | undefined }> {
  const port = await freePort();
  const inner = [...headers.map((header) => `proxy_set_header ${header}`), ...location];
  const servers = upstream.map((each) => `server ${each};`).join(' ');
  const group = servers === '' ? '' : `upstream registries { ${servers} keepalive 16; }`;
  const { pid } = await runNginx(
    t,
    port,
    `access_log off;
      ${group}
      server {
        listen 127.0.0.1:${port} ssl${http2 ? ' http2' : ''};
        ssl_certificate ${certificates.certificate}; ssl_certificate_key ${certificates.key};
        ssl_client_certificate ${certificates.authority}; ssl_verify_client ${open ? 'off' : 'on'};
        client_max_body_size 0;
        ${server.map((line) => `${line};`).join(' ')}
        location / { proxy_pass ${before}; ${inner.map((line) => `${line};`).join(' ')} }
      }`,
  );
  return { host: `127.0.0.1:${port}`, pid };
}

/** Starts nginx over plain http on a free port of loopback, which gives each request to the next of several servers. */
export async function startBalancer(t: Scope, hosts: readonly string[]): Promise<{ readonly host: string }> {
  const port = await freePort();
  // A server that was killed is asked again at once, and no request goes to a second one.
  const servers = hosts.map((host) => `server ${host} max_fails=0;`).join(' ');
  await runNginx(
    t,
    port,
    `access_log off; error_log stderr crit;
      upstream registries { ${servers} }
      server {
        listen 127.0.0.1:${port};
        client_max_body_size 0; proxy_request_buffering off; proxy_http_version 1.1; proxy_next_upstream off;
        location / { proxy_pass http://registries; proxy_set_header Host $http_host; }
      }`,
  );
  return { host: `127.0.0.1:${port}` };
}

export interface FileServer {
  /** With a slash at its end. */
  readonly url: string;
  /** `GET /path 200 AUTHORIZATION`, without the query, `-` for no Authorization; in order. */
  requests(): Promise<string[]>;
}

/** Starts nginx over plain http on a free port of loopback, with the files of a directory. */
export async function startFileServer(t: Scope, root: string): Promise<FileServer> {
  const port = await freePort();
  const { directory } = await runNginx(
    t,
    port,
    `log_format asked '$request_method $uri $status $http_authorization'; access_log access.log asked;
      server { listen 127.0.0.1:${port}; root ${root}; }`,
  );
  return {
    url: `http://127.0.0.1:${port}/`,
    requests: async () => (await readFile(join(directory, 'access.log'), 'utf8')).trim().split('\n'),
  };
}

async function runNginx(
  t: Scope,
  port: number,
  http: string,
): Promise<{ readonly directory: string; readonly pid: number | undefined }> {
  const directory = await temporaryDirectory(t);
  await mkdir(join(directory, 'tmp'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path tmp/${name};`,
  );
  // Otherwise it gives its directories to a user whom a namespace may not know.
  const asRoot = process.geteuid?.() === 0 ? 'user root; ' : '';
  const config = `
    ${asRoot}daemon off; master_process off; pid nginx.pid; error_log stderr error;
    events {}
    http { ${temporary.join(' ')} ${http} }
  `;
  await writeFile(join(directory, 'nginx.conf'), config);
  const words = ['-p', directory, '-e', 'stderr', '-c', join(directory, 'nginx.conf')];
  const env = { PATH: process.env['PATH'] ?? '' };
  const running = start(t, findProgram('nginx') ?? 'nginx', words, { env, timeoutMs: 600_000 });
  await waitForPort(port, running.result);
  return { directory, pid: running.child.pid };
}
