import { mkdir, writeFile } from 'node:fs/promises';
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
  /** More directives of the server, or of its one location, each without its semicolon. */
  readonly server?: readonly string[];
  readonly location?: readonly string[];
}

const defaultHeaders = ['Host $http_host', 'X-Forwarded-Proto https'];

/** Starts nginx over TLS on a free port of loopback, in front of another server. */
export async function startNginx(
  t: Scope,
  { before, certificates, open = false, headers = defaultHeaders, http2, server = [], location = [] }: NginxOptions,
): Promise<{ readonly host: string; readonly pid: number | undefined }> {
  const directory = await temporaryDirectory(t);
  await mkdir(join(directory, 'tmp'));
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path tmp/${name};`,
  );
  const inner = [...headers.map((header) => `proxy_set_header ${header}`), ...location];
  // Otherwise it gives its directories to a user whom a namespace may not know.
  const asRoot = process.geteuid?.() === 0 ? 'user root; ' : '';
  const config = `
    ${asRoot}daemon off; master_process off; pid nginx.pid; error_log stderr error;
    events {}
    http {
      access_log off; ${temporary.join(' ')}
      server {
        listen 127.0.0.1:${port} ssl${http2 ? ' http2' : ''};
        ssl_certificate ${certificates.certificate}; ssl_certificate_key ${certificates.key};
        ssl_client_certificate ${certificates.authority}; ssl_verify_client ${open ? 'off' : 'on'};
        client_max_body_size 0;
        ${server.map((line) => `${line};`).join(' ')}
        location / { proxy_pass ${before}; ${inner.map((line) => `${line};`).join(' ')} }
      }
    }
  `;
  await writeFile(join(directory, 'nginx.conf'), config);
  const words = ['-p', directory, '-e', 'stderr', '-c', join(directory, 'nginx.conf')];
  const env = { PATH: process.env['PATH'] ?? '' };
  const running = start(t, findProgram('nginx') ?? 'nginx', words, { env, timeoutMs: 600_000 });
  await waitForPort(port, running.result);
  return { host: `127.0.0.1:${port}`, pid: running.child.pid };
}
