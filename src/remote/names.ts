import type { Digest } from '../model/digest.ts';
import { familiarName, isDigestReference, type RepositoryName, type Tag } from '../model/reference/reference.ts';

/** The familiar reference: `alpine:3`, `registry.example.com/app@sha256:…`. */
export function shownReference(registry: string, repo: RepositoryName, reference: Tag | Digest): string {
  return `${shownName(registry, repo)}${isDigestReference(reference) ? '@' : ':'}${reference}`;
}

/** The familiar name of a repository. */
export function shownName(registry: string, repo: RepositoryName): string {
  return familiarName({ domain: registry, path: repo });
}
