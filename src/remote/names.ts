import type { Digest } from '../model/digest.ts';
import { familiarName, isDigestReference, type RepositoryName, type Tag } from '../model/reference/reference.ts';

/** `alpine:3`, `registry.example.com/app@sha256:…`: what people call it. */
export function shownReference(registry: string, repo: RepositoryName, reference: Tag | Digest): string {
  return `${shownName(registry, repo)}${isDigestReference(reference) ? '@' : ':'}${reference}`;
}

/** The repository as people call it. */
export function shownName(registry: string, repo: RepositoryName): string {
  return familiarName({ domain: registry, path: repo });
}
