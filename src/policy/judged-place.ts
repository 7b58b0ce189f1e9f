/** A place whose images are judged before they are copied from it. */
import type { TrustSubject } from '../config/trust-rules.ts';
import type { Digest } from '../model/digest.ts';
import { isDigestReference, type Reference, type RepositoryName, type Tag } from '../model/reference/reference.ts';
import { fromStoreName } from '../model/reference/store-name.ts';
import type { Place } from '../places/place.ts';
import type { Registry } from '../registry/registry.ts';
import { admitting } from '../registry/wrappers/admitting.ts';
import type { JudgedSource } from './judge.ts';
import type { Policy } from './policy.ts';
import { approval, refusal } from './refusal.ts';

/** The registry of a name without its mirrors; undefined if nothing but the registry that is read would be asked. */
type OriginOf = (repository: Pick<Reference, 'domain' | 'path'>, kind: string) => Promise<Registry | undefined>;

/** The same place, of which transfers copy only what complies. */
export function judgedPlace(place: Place, policy: Policy, originOf: OriginOf): Place {
  const { judge } = policy;
  const registry = admitting(place.registry, async (image, opts = {}) => {
    const source = judgedSource(place, image.reference, originOf);
    const judgement = await judge.judge(image, source, opts);
    if (judgement.complies) return approval(judgement);
    const signers = judgement.missed && policy.signers.get(judgement.missed);
    throw refusal(source.asked.exact, judgement, signers ?? []);
  });
  const wrap = (other: Place): Place => ({
    ...other,
    registry,
    at: (tag) => wrap(other.at(tag)),
    ...(other.below && { below: (tag) => wrap(other.below?.(tag) ?? other) }),
    ...(other.image && { image: (name) => wrap(other.image?.(name) ?? other) }),
  });
  return wrap(place);
}

/** How a policy sees an image of a place. */
function judgedSource(place: Place, reference: Tag | Digest, originOf: OriginOf): JudgedSource {
  const { kind, registry, repository, hosted, repo } = place;
  const byDigest = isDigestReference(reference);
  const asked = { repository, exact: `${repository}${byDigest ? '@' : ':'}${reference}`, byDigest };
  const named = hosted ?? (kind.prefix === 'store:' ? fromStoreName(repo) : undefined);
  if (!named) {
    const path = place.replaced ?? pathOf(place);
    return { subject: { kind: kind.prefix.replace(/:$/, ''), path }, asked, registry };
  }
  return {
    subject: subjectOf(named, reference, kind.prefix),
    asked: hosted ? asked : { ...asked, repository: withoutPrefix(repository), exact: withoutPrefix(asked.exact) },
    registry,
    origin: async () => {
      const origin = await originOf(named, kind.prefix);
      return origin && { registry: origin, repo: named.path };
    },
  };
}

function subjectOf(
  { domain, path }: { readonly domain: string; readonly path: RepositoryName },
  reference: Tag | Digest,
  prefix: string,
): TrustSubject {
  const name: Reference = {
    domain,
    path,
    ...(isDigestReference(reference) ? { digest: reference } : { tag: reference }),
  };
  return prefix === '' ? { kind: '', reference: name } : { kind: 'store', path: undefined, reference: name };
}

function withoutPrefix(name: string): string {
  return name.slice('store:'.length);
}

/** Of a layout, which follows links in its identity. */
function pathOf({ identity, kind, tag, reference }: Place): string | undefined {
  const suffix = tag === undefined ? `@${reference}` : `:${tag}`;
  const path = identity.slice(kind.prefix.length, identity.endsWith(suffix) ? -suffix.length : undefined);
  return path.startsWith('/') ? path : undefined;
}
