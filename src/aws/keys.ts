/** A pair of AWS's keys. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** With keys of a role. */
  readonly sessionToken?: string;
  /** When they end, if they do and it is known. */
  readonly expiration?: Date;
}

/** The package of AWS's SDK that finds out which identity a machine has. */
export const awsPackage = '@aws-sdk/credential-provider-node';

/** The part of the package that is used. */
interface CredentialProviders {
  readonly defaultProvider: () => (options?: { readonly forceRefresh?: boolean }) => Promise<AwsKeys>;
}

/** @see https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html */
export function keysFromEnvironment(env: NodeJS.ProcessEnv): AwsKeys | undefined {
  const [accessKeyId, secretAccessKey] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY']];
  if (!accessKeyId || !secretAccessKey) return undefined;
  const sessionToken = env['AWS_SESSION_TOKEN'];
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

/**
 * The keys of this machine's identity: of shared files, web identities, containers, or the metadata service.
 *
 * @param load Loads {@link awsPackage}.
 * @returns Finds keys, and keeps them until shortly before they end. `fresh`: looks again in any case.
 */
export function identityKeys(
  load: (name: string) => unknown,
): (options?: { readonly fresh?: boolean }) => Promise<AwsKeys> {
  const find = (load(awsPackage) as CredentialProviders).defaultProvider();
  return ({ fresh = false } = {}) => find({ forceRefresh: fresh });
}
