import { indexName } from '../config/docker/index-name.ts';
import type { RegistryRule } from '../config/registry-rules.ts';
import { loopbackRules, matchHost, type Resolve } from '../endpoints/host-match.ts';
import { familiarName, type Reference, type RepositoryName } from '../model/reference/reference.ts';
import type { IndexInfo } from './service-config.ts';

/** A repository as the service sees it. */
export interface RepositoryInfo {
  readonly name: { readonly domain: string; readonly path: RepositoryName };
  readonly index: IndexInfo;
  /** Whether it is one of Docker's own images: its familiar name has no slash. */
  readonly official: boolean;
  /** What its images are for, where a registry keeps several kinds. Docker's own field, which is empty here as there. */
  readonly class: '' | 'image' | 'plugin';
}

/** What is known of a repository as it is without any configuration: resolveRepository of the service has more. */
export async function parseRepositoryInfo(
  reference: Pick<Reference, 'domain' | 'path'>,
  opts: { readonly resolve?: Resolve | undefined } = {},
): Promise<RepositoryInfo> {
  return repositoryInfo(reference, await unconfiguredIndex(reference.domain, opts.resolve));
}

/** A registry as it is without any configuration: only loopback is insecure. */
export async function unconfiguredIndex(name: string, resolve: Resolve | undefined): Promise<IndexInfo> {
  const official = name === indexName;
  const insecure = official ? undefined : await matchHost(name, loopbackRules, resolve);
  return { name, mirrors: [], secure: insecure === undefined, official };
}

/** The addresses of a rule's mirrors, as Docker has them of its own. */
export function mirrorsOf(rule: RegistryRule | undefined): readonly string[] {
  const mirrors = rule?.mirrors.filter(({ pull }) => pull) ?? [];
  return mirrors.map(({ scheme = 'https', host, path }) => `${scheme}://${host}${path}`);
}

export function repositoryInfo({ domain, path }: Pick<Reference, 'domain' | 'path'>, index: IndexInfo): RepositoryInfo {
  return { name: { domain, path }, index, official: !familiarName({ domain, path }).includes('/'), class: '' };
}
