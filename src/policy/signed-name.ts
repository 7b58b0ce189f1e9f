/** The name that a signature has to have signed. */
import type { NameRule } from '../config/trust-rules.ts';
import type { SignatureRules } from '../trust/verify/rules.ts';

/** How an image was asked for, in full. */
export interface AskedName {
  /** `registry.example.com/team/app` */
  readonly repository: string;
  /** With the tag or digest. */
  readonly exact: string;
  readonly byDigest: boolean;
}

export function signedName(rule: NameRule, asked: AskedName): Pick<SignatureRules, 'reference' | 'name'> {
  if (rule.kind === 'exactly') return { reference: 'exact', name: { ...asked, exact: rule.name } };
  if (rule.kind === 'in-repository')
    return { reference: 'repository', name: { ...asked, repository: rule.repository } };
  if (rule.kind === 'remapped') return signedName({ kind: 'tag-exact' }, remapped(rule, asked));
  if (rule.kind === 'tag-exact') return { reference: asked.byDigest ? 'repository' : 'exact', name: asked };
  return { reference: rule.kind, name: asked };
}

/** A prefix is a host, or ends at a slash or at the whole name. */
function remapped({ prefix, signedPrefix }: NameRule & { readonly kind: 'remapped' }, asked: AskedName): AskedName {
  const { repository, exact } = asked;
  if (exact === prefix) return { ...asked, exact: signedPrefix };
  if (repository !== prefix && !repository.startsWith(`${prefix}/`)) return asked;
  const renamed = (name: string): string => signedPrefix + name.slice(prefix.length);
  return { ...asked, repository: renamed(repository), exact: renamed(exact) };
}
