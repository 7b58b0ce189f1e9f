import { indexName } from '../config/docker/index-name.ts';
import type { RegistryRule } from '../config/registry-rules.ts';
import { loopbackRules, matchHost, type Resolve } from '../endpoints/host-match.ts';
import { checkFields, checkOptions } from '../model/check-arguments.ts';
import { familiarName, type Reference, type RepositoryName } from '../model/reference/reference.ts';
import type { IndexInfo } from './service-config.ts';

/** A repository as the service sees it. */
export interface RepositoryInfo {
  /** Registry and path. */
  readonly name: { readonly domain: string; readonly path: RepositoryName };
  /** The registry as configured. */
  readonly index: IndexInfo;
  /** Whether it is one of Docker's official images: its familiar name has no slash. */
  readonly official: boolean;
  /** The kind of its images, if a registry keeps several kinds. A field of Docker's, empty here as in Docker. */
  readonly class: '' | 'image' | 'plugin';
}

/** The information about a repository without any configuration; the service's resolveRepository adds the configuration. */
export async function parseRepositoryInfo(
  reference: Pick<Reference, 'domain' | 'path'>,
  opts: { readonly resolve?: Resolve | undefined } = {},
): Promise<RepositoryInfo> {
  checkFields('parseRepositoryInfo', 'the reference', reference, { domain: 'string', path: 'string' });
  checkOptions('parseRepositoryInfo', opts, { resolve: 'function' });
  return repositoryInfo(reference, await unconfiguredIndex(reference.domain, opts.resolve));
}

/** A registry without any configuration: only loopback is insecure. */
export async function unconfiguredIndex(name: string, resolve: Resolve | undefined): Promise<IndexInfo> {
  const official = name === indexName;
  const insecure = official ? undefined : await matchHost(name, loopbackRules, resolve);
  return { name, mirrors: [], secure: insecure === undefined, official };
}

/** The addresses of a rule's mirrors, in the form that Docker uses. */
export function mirrorsOf(rule: RegistryRule | undefined): readonly string[] {
  const mirrors = rule?.mirrors.filter(({ pull }) => pull) ?? [];
  return mirrors.map(({ scheme = 'https', host, path }) => `${scheme}://${host}${path}`);
}

export function repositoryInfo({ domain, path }: Pick<Reference, 'domain' | 'path'>, index: IndexInfo): RepositoryInfo {
  return { name: { domain, path }, index, official: !familiarName({ domain, path }).includes('/'), class: '' };
}
