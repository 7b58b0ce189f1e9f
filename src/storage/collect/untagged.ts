import type { Digest } from '../../model/digest.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { atOnce } from '../at-once.ts';
import type { ObjectFacts } from '../driver.ts';
import { mediaTypePath, pinPath, referrerLinkPath, revisionLinkPath } from '../paths.ts';
import type { Store } from '../store.ts';
import { is, type RepositoryGraph, readsAtOnce } from './graph.ts';

/** Which manifests a collection may remove. */
export interface Policy {
  /** Those that no tag leads to. */
  readonly untagged: boolean;
  /** Referrers whose subject is not there, as far as no tag leads to them. */
  readonly orphans: boolean;
}

interface UntaggedOptions extends SignalOption {
  readonly policy: Policy;
  /** Undefined: nothing is young. */
  readonly isYoung: ((facts: ObjectFacts | undefined) => boolean) | undefined;
}

interface Untagged {
  /** Each level leads to the next, so that an image is judged after the index that names it. */
  readonly levels: readonly (readonly number[])[];
  /** Number of manifests that are kept only because they are recent. */
  readonly recent: number;
}

/**
 * The manifests that a collection may remove: no tag, no pin, no index and no subject that is kept leads to them. None if
 * references are unknown, because of a damaged tag or a manifest of an unknown type. The others are marked as kept.
 */
export async function untaggedManifests(
  { driver }: Store,
  repo: RepositoryName,
  graph: RepositoryGraph,
  { policy, isYoung, signal }: UntaggedOptions,
): Promise<Untagged> {
  const revisions = [...graph.revisions()];
  const isOrphan = (number: number): boolean => {
    const subject = graph.subjects.get(number);
    return subject !== undefined && !graph.has(subject, is.revision);
  };
  const mayGo = (number: number): boolean => (isOrphan(number) ? policy.orphans : policy.untagged);
  if (graph.isUnclear || graph.isTagDamaged) graph.keep(revisions);
  graph.keep(
    revisions.filter((number) => !graph.has(number, is.readable) || graph.has(number, is.tagged) || !mayGo(number)),
  );
  const left = (): number[] => revisions.filter((number) => !graph.has(number, is.kept));
  const [pinned, young]: [number[], number[]] = [[], []];
  await atOnce(left(), readsAtOnce, async (number) => {
    signal?.throwIfAborted();
    const digest = graph.digests.at(number);
    if ((await driver.stat(pinPath(repo, digest))) !== undefined) pinned.push(number);
    if (isYoung?.(await driver.stat(revisionLinkPath(repo, digest)))) young.push(number);
  });
  graph.keep(pinned);
  const recent = young.filter((number) => !graph.has(number, is.kept)).length;
  graph.keep(young);
  return { levels: levelsOf(graph, left()), recent };
}

function levelsOf(graph: RepositoryGraph, numbers: readonly number[]): number[][] {
  const above = new Map(numbers.map((number) => [number, 0]));
  const count = (to: number, more: number): number | undefined => {
    const before = above.get(to);
    if (before !== undefined) above.set(to, before + more);
    return before;
  };
  for (const number of numbers) for (const to of graph.leads.from(number)) count(to, 1);
  const levels: number[][] = [];
  for (let level = numbers.filter((number) => above.get(number) === 0); above.size > 0; ) {
    // What leads to itself in a circle is one level.
    if (level.length === 0) level = [...above.keys()];
    for (const number of level) above.delete(number);
    levels.push(level);
    const next: number[] = [];
    for (const number of level) for (const to of graph.leads.from(number)) if (count(to, -1) === 1) next.push(to);
    level = next;
  }
  return levels;
}

/** Removes a manifest without tags, so tags are not searched. Its revision link goes last, as in any deletion. */
export async function removeUntagged(
  { driver }: Store,
  repo: RepositoryName,
  { digest, subject }: { readonly digest: Digest; readonly subject: Digest | undefined },
): Promise<void> {
  if (subject !== undefined) await driver.delete(referrerLinkPath(repo, subject, digest));
  await driver.delete(mediaTypePath(repo, digest));
  await driver.delete(pinPath(repo, digest));
  await driver.delete(revisionLinkPath(repo, digest));
}
