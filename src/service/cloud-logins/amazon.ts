/**
 * Logins of Amazon ECR: a password for 12 hours, for an identity of AWS.
 *
 * @see https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
 */
import { identityKeys, keysFromEnvironment } from '../../aws/keys.ts';
import { signedHeaders } from '../../aws/signature.ts';
import { OciError } from '../../model/errors.ts';
import { isObject } from '../../model/json.ts';
import type { CloudRegistry } from './hosts.ts';
import { type CloudContext, type CloudLogin, readAnswer } from './login.ts';

const target = 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken';

export async function amazonLogin(
  { account, region, api }: CloudRegistry & { readonly cloud: 'amazon' },
  context: CloudContext,
): Promise<CloudLogin> {
  const { env, signal } = context;
  const keys = keysFromEnvironment(env) ?? (await identityKeys(context.load)());
  const url = new URL(env['AWS_ENDPOINT_URL_ECR'] || env['AWS_ENDPOINT_URL'] || api);
  const body = JSON.stringify({ registryIds: [account] });
  const { authorization, headers } = await signedHeaders(
    { method: 'POST', url, headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target }, body },
    { keys, region, service: 'ecr' },
  );
  const transport = context.connect(url);
  const response = await transport.request({
    method: 'POST',
    url,
    headers,
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
