/**
 * Logins of Google's registries: an access token is the password.
 *
 * @see https://cloud.google.com/artifact-registry/docs/docker/authentication#token
 */
import { OciError } from '../../model/errors.ts';
import { clouds } from './hosts.ts';
import type { CloudContext, CloudLogin } from './login.ts';

/** The part of the SDK's package that is used. */
interface GoogleAuthLibrary {
  readonly GoogleAuth: new (options: {
    readonly scopes: readonly string[];
  }) => {
    getAccessToken(): Promise<string | null | undefined>;
  };
}

const scopes = ['https://www.googleapis.com/auth/cloud-platform'];
/** Such tokens last an hour, and the library gives out one that it has for its last minutes too. */
const lifetimeMs = 4 * 60 * 1000;

export async function googleLogin(context: CloudContext): Promise<CloudLogin> {
  const { GoogleAuth } = context.load(clouds.google.package) as GoogleAuthLibrary;
  const token = await new GoogleAuth({ scopes }).getAccessToken();
  if (!token) throw new OciError('UNAUTHORIZED', 'there is no identity of Google Cloud here');
  const source = 'the Google Cloud identity of this machine';
  const credential = { kind: 'password', username: 'oauth2accesstoken', password: token, source } as const;
  return { credential, expiresAtMs: Date.now() + lifetimeMs };
}
