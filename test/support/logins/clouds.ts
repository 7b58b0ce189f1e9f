/**
 * Clouds on loopback: what their identities ask for tokens, Amazon's API for logins, and a registry of each that takes nothing but
 * such logins. The registries have the clouds' names, and are reached through a proxy that connects every name to them.
 */
import { createHash, createHmac } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { issue } from '../../certs/issue.ts';
import { type AskedRequest, type FakeServer, json, startFakeServer } from '../fake-server.ts';
import { startTestProxy } from '../network/proxies.ts';
import { type Scope, sandbox } from '../sandbox.ts';

export const hosts = {
  amazon: '123456789012.dkr.ecr.eu-west-1.amazonaws.com',
  azure: 'team.azurecr.io',
  google: 'europe-docker.pkg.dev',
} as const;

export const keys = { id: 'AKIAEXAMPLE', secret: 'amazon-secret', session: 'amazon-session' } as const;
/** Passwords and tokens. None of them may be shown anywhere. */
export const secrets = {
  amazon: 'amazon-password',
  entra: 'entra-token',
  refresh: 'azure-refresh-token',
  access: 'azure-access-token',
  google: 'google-token',
} as const;

export interface Clouds {
  /** What the identity services and Amazon's API were asked. */
  readonly api: FakeServer;
  /** All three registries. */
  readonly registry: FakeServer;
  /** Leads to the registries. */
  readonly env: Readonly<Record<string, string>>;
}

export async function startClouds(t: Scope): Promise<Clouds> {
  const api = await startFakeServer(t, (request, response) => {
    const { path, headers } = request;
    if (path === '/aws-keys') {
      const Expiration = new Date(Date.now() + 3_600_000).toISOString();
      return json(response, 200, {
        AccessKeyId: keys.id,
        SecretAccessKey: keys.secret,
        Token: keys.session,
        Expiration,
      });
    }
    if (path === '/azure' && headers['x-identity-header'] === 'header') {
      const expires = Math.floor(Date.now() / 1000) + 3600;
      return json(response, 200, { access_token: secrets.entra, expires_on: `${expires}`, token_type: 'Bearer' });
    }
    if (path.startsWith('/computeMetadata/')) {
      response.setHeader('metadata-flavor', 'Google');
      return json(response, 200, { access_token: secrets.google, expires_in: 3599, token_type: 'Bearer' });
    }
    if (!isSigned(request)) return json(response, 400, { __type: 'InvalidSignatureException', message: keys.secret });
    const authorizationToken = Buffer.from(`AWS:${secrets.amazon}`).toString('base64');
    json(response, 200, { authorizationData: [{ authorizationToken, expiresAt: Date.now() / 1000 + 43_200 }] });
  });
  const authority = issue('Clouds');
  const { cert, key } = issue('a registry', { by: authority, dnsNames: Object.values(hosts) });
  const registry = await startFakeServer(t, answerRegistry, { tls: { cert, key } });
  const proxy = await startTestProxy(t, { to: registry.host });
  const { certsDir, home } = await sandbox(t);
  for (const host of Object.values(hosts)) {
    await mkdir(join(certsDir, host), { recursive: true });
    await writeFile(join(certsDir, host, 'ca.crt'), authority.cert);
  }
  await writeFile(join(home, 'clouds.crt'), authority.cert);
  return {
    api,
    registry,
    env: { HTTPS_PROXY: proxy.url, NO_PROXY: '127.0.0.1', NODE_EXTRA_CA_CERTS: join(home, 'clouds.crt') },
  };
}

type Respond = Parameters<typeof json>[0];

function answerRegistry({ method, path, headers, body }: AskedRequest, response: Respond): unknown {
  const { host = '', authorization } = headers;
  const form = new URLSearchParams(body.toString());
  if (path === '/oauth2/exchange') {
    const isRight = form.get('access_token') === secrets.entra && form.get('service') === hosts.azure;
    return isRight ? json(response, 200, { refresh_token: secrets.refresh }) : json(response, 401, {});
  }
  if (path === '/oauth2/token') {
    const isRight = method === 'POST' && form.get('refresh_token') === secrets.refresh;
    return isRight ? json(response, 200, { access_token: secrets.access }) : json(response, 401, {});
  }
  const basic = (user: string, password: string): string =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const wanted: Readonly<Record<string, string>> = {
    [hosts.amazon]: basic('AWS', secrets.amazon),
    [hosts.azure]: `Bearer ${secrets.access}`,
    [hosts.google]: basic('oauth2accesstoken', secrets.google),
  };
  if (authorization !== undefined && authorization === wanted[host]) {
    const digest = `sha256:${'a'.repeat(64)}`;
    const type = 'application/vnd.oci.image.manifest.v1+json';
    return response
      .writeHead(200, { 'content-type': type, 'docker-content-digest': digest, 'content-length': '100' })
      .end(method === 'HEAD' ? undefined : Buffer.alloc(100, ' '));
  }
  const challenge =
    host === hosts.azure ? `Bearer realm="https://${host}/oauth2/token",service="${host}"` : 'Basic realm="r"';
  response.writeHead(401, { 'www-authenticate': challenge }).end();
}

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function isSigned({ method, path, headers, body }: AskedRequest): boolean {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d+)\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=(\w+)$/;
  const [, id, day = '', region = '', service = '', names = '', signature] =
    pattern.exec(headers.authorization ?? '') ?? [];
  if (id !== keys.id || region !== 'eu-west-1' || service !== 'ecr') return false;
  const hash = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');
  const lines = names.split(';').map((name) => `${name}:${valueIn(headers, name)}\n`);
  const canonical = [method, path, '', lines.join(''), names, hash(body)].join('\n');
  const text = [
    'AWS4-HMAC-SHA256',
    headers['x-amz-date'],
    `${day}/${region}/${service}/aws4_request`,
    hash(canonical),
  ].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${keys.secret}`,
  );
  return createHmac('sha256', key).update(text).digest('hex') === signature;
}

function valueIn(headers: IncomingHttpHeaders, name: string): string {
  return String(headers[name] ?? '').trim();
}
