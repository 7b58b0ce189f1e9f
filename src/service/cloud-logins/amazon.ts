/**
 * Logins of Amazon ECR: a password for 12 hours, for an identity of AWS.
 *
 * @see https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
 */
import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { OciError } from '../../model/errors.ts';
import { isObject } from '../../model/json.ts';
import { type CloudRegistry, clouds } from './hosts.ts';
import { type CloudContext, type CloudLogin, readAnswer } from './login.ts';

/** The part of the SDK's package that is used. */
interface CredentialProviders {
  readonly defaultProvider: () => () => Promise<AwsKeys>;
}

interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const target = 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken';

export async function amazonLogin(
  { account, region, api }: CloudRegistry & { readonly cloud: 'amazon' },
  context: CloudContext,
): Promise<CloudLogin> {
  const { env, signal } = context;
  const keys = keysOf(env) ?? (await (context.load(clouds.amazon.package) as CredentialProviders).defaultProvider()());
  const url = new URL(env['AWS_ENDPOINT_URL_ECR'] || env['AWS_ENDPOINT_URL'] || api);
  const body = JSON.stringify({ registryIds: [account] });
  const signer = new SignatureV4({ credentials: keys, region, service: 'ecr', sha256: Sha256 });
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.host,
    path: url.pathname,
    headers: { host: url.host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
    body,
  });
  const { authorization, host: _, ...rest } = headers;
  const transport = context.connect(url);
  const response = await transport.request({
    method: 'POST',
    url,
    headers: rest,
    authorization,
    body: Buffer.from(body),
    idempotent: true,
    signal,
  });
  const { authorizationData } = await readAnswer(response, 'a login for Amazon ECR');
  const first: unknown = Array.isArray(authorizationData) ? authorizationData[0] : undefined;
  const { authorizationToken, expiresAt } = isObject(first) ? first : {};
  const [, username, password] =
    /^([^:]*):(.+)$/s.exec(Buffer.from(String(authorizationToken), 'base64').toString()) ?? [];
  if (username === undefined || password === undefined) {
    throw new OciError('PROTOCOL', `${url.host} sends no login for Amazon ECR`);
  }
  const source = 'the AWS identity of this machine';
  return {
    credential: { kind: 'password', username, password, source },
    expiresAtMs: typeof expiresAt === 'number' ? expiresAt * 1000 : 0,
  };
}

function keysOf(env: NodeJS.ProcessEnv): AwsKeys | undefined {
  const [accessKeyId, secretAccessKey] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY']];
  if (!accessKeyId || !secretAccessKey) return undefined;
  const sessionToken = env['AWS_SESSION_TOKEN'];
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

/** SHA-256, or HMAC with it where there is a secret, in the form that the signer takes. */
class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {}
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
