/** The registries of clouds, by their host names. */
import { awsPackage } from '../../aws/keys.ts';

/** A registry whose logins a cloud makes for its identities. */
export type CloudRegistry =
  | { readonly cloud: 'amazon'; readonly account: string; readonly region: string; readonly api: string }
  | { readonly cloud: 'azure'; readonly host: string }
  | { readonly cloud: 'google' };

/** @see https://docs.aws.amazon.com/general/latest/gr/ecr.html */
const amazon = /^(\d{12})\.dkr\.ecr(-fips)?\.([a-z0-9][a-z0-9-]*)\.(amazonaws\.com(?:\.cn)?)$/;
/** @see https://learn.microsoft.com/azure/container-registry/container-registry-get-started-portal */
const azure = /^[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)?\.azurecr\.(?:io|cn|us)$/;
/** @see https://cloud.google.com/artifact-registry/docs/docker/names */
const google = /^(?:[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io)$/;

/** @param name `host[:port]`, with a path or without. A port is no cloud's. */
export function cloudRegistry(name: string): CloudRegistry | undefined {
  const [host = ''] = name.split('/', 1);
  const [, account, fips, region, suffix] = amazon.exec(host) ?? [];
  if (account !== undefined && region !== undefined) {
    return { cloud: 'amazon', account, region, api: `https://${fips ? 'ecr-fips' : 'api.ecr'}.${region}.${suffix}/` };
  }
  if (azure.test(host)) return { cloud: 'azure', host };
  return google.test(host) ? { cloud: 'google' } : undefined;
}

/** What people call a cloud, and the package of its SDK that finds out which identity a machine has. */
export const clouds = {
  amazon: { title: 'AWS', package: awsPackage },
  azure: { title: 'Azure', package: '@azure/identity' },
  google: { title: 'Google Cloud', package: 'google-auth-library' },
} as const;
