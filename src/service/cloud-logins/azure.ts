/**
 * Logins of Azure Container Registry: the registry exchanges a token of Entra ID for a refresh token of its own.
 *
 * @see https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
 */
import { OciError } from '../../model/errors.ts';
import { type CloudRegistry, clouds } from './hosts.ts';
import { type CloudContext, type CloudLogin, readAnswer } from './login.ts';

/** The part of the SDK's package that is used. */
interface Identities {
  readonly DefaultAzureCredential: new () => {
    getToken(scope: string, options: { readonly abortSignal: AbortSignal }): Promise<{ readonly token: string } | null>;
  };
}

const scope = 'https://containerregistry.azure.net/.default';
/** Such tokens last three hours. */
const lifetimeMs = 60 * 60 * 1000;

export async function azureLogin(
  { host }: CloudRegistry & { readonly cloud: 'azure' },
  context: CloudContext,
): Promise<CloudLogin> {
  const { signal } = context;
  const { DefaultAzureCredential } = context.load(clouds.azure.package) as Identities;
  const found = await new DefaultAzureCredential().getToken(scope, { abortSignal: signal });
  if (!found) throw new OciError('UNAUTHORIZED', 'there is no identity of Azure here');
  const url = new URL(`https://${host}/oauth2/exchange`);
  const form = new URLSearchParams({ grant_type: 'access_token', service: host, access_token: found.token });
  const response = await context.connect(url).request({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
    idempotent: true,
    signal,
  });
  const { refresh_token: token } = await readAnswer(response, `a login for ${host}`);
  if (typeof token !== 'string' || token === '') throw new OciError('PROTOCOL', `${host} sends no refresh token`);
  const source = 'the Azure identity of this machine';
  return { credential: { kind: 'identity-token', token, source }, expiresAtMs: Date.now() + lifetimeMs };
}
