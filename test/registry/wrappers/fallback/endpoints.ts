import { type ErrorCode, OciError, type OciErrorOptions } from '../../../../src/model/errors.ts';
import type { Descriptor } from '../../../../src/model/manifest/descriptor.ts';
import { parseRepositoryName, parseTag } from '../../../../src/model/reference/reference.ts';
import type { Content } from '../../../../src/registry/content.ts';
import type { Registry } from '../../../../src/registry/registry.ts';
import type { FallbackEvent } from '../../../../src/registry/wrappers/fallback/attempts.ts';
import type { FallbackEndpoint } from '../../../../src/registry/wrappers/fallback/candidate.ts';
import { pushBytes } from '../../../contract/contract.ts';
import { configOnly } from '../../../contract/manifests.ts';
import { memoryRegistry } from '../../../support/memory.ts';

export const repo = parseRepositoryName('library/app');
export const latest = parseTag('latest');

/** A registry that does as the test says, and records its requests. */
export interface Actor extends FallbackEndpoint {
  readonly registry: Registry;
  readonly asked: string[];
  opened: number;
  /** Every request fails with this. */
  failure: unknown;
  /** A blob's body fails with `failure.error` after this many bytes. */
  breaking: { readonly afterBytes: number; readonly error: unknown } | undefined;
}

export function actor(name: string, kind: 'mirror' | 'origin', more: Partial<FallbackEndpoint> = {}): Actor {
  const registry = memoryRegistry({ name });
  const asked: string[] = [];
  const self: Actor = {
    name,
    kind,
    ...more,
    registry,
    asked,
    opened: 0,
    failure: undefined,
    breaking: undefined,
    async open() {
      self.opened += 1;
      return watched(self);
    },
  };
  return self;
}

function watched(self: Actor): Registry {
  const { registry } = self;
  return new Proxy(registry, {
    get(target, property: keyof Registry) {
      const method: unknown = target[property];
      if (typeof method !== 'function' || property === 'extension') return method;
      return (...args: unknown[]) => {
        self.asked.push(property);
        const run = (): unknown => (method as (...all: unknown[]) => unknown).apply(target, args);
        if (['tags', 'repositories', 'referrers'].includes(property)) return guardedList(self, run);
        return guarded(self, property, run);
      };
    },
  });
}

async function guarded(self: Actor, property: string, run: () => unknown): Promise<unknown> {
  if (self.failure !== undefined) throw self.failure;
  const result = await run();
  return property === 'getBlob' && self.breaking ? broken(result as Content, self.breaking) : result;
}

async function* guardedList(self: Actor, run: () => unknown): AsyncGenerator<unknown> {
  if (self.failure !== undefined) throw self.failure;
  yield* run() as AsyncIterable<unknown>;
}

function broken(content: Content, { afterBytes, error }: NonNullable<Actor['breaking']>): Content {
  const chunks = async function* () {
    let left = afterBytes;
    for await (const chunk of content) {
      if (left > 0) yield chunk.subarray(0, left);
      left -= chunk.length;
      if (left <= 0) break;
    }
    throw error;
  };
  return {
    descriptor: content.descriptor,
    [Symbol.asyncIterator]: chunks,
    async drainTo(sink) {
      for await (const chunk of chunks()) await sink.write(chunk);
    },
    cancel: () => content.cancel(),
  };
}

/** Pushes the same image and blob to each of them. */
export async function fill(bytes: Uint8Array, ...actors: readonly Actor[]): Promise<Descriptor> {
  let blob: Descriptor | undefined;
  for (const { registry } of actors) {
    blob = await pushBytes(registry, repo, bytes);
    await registry.pushManifest(repo, await configOnly(registry, repo), { tags: [latest] });
  }
  if (blob === undefined) throw new Error('nothing to fill');
  return blob;
}

export function failing(code: ErrorCode, options: OciErrorOptions = {}): OciError {
  return new OciError(code, `${code} for a test`, options);
}

export function watchFallbacks(): { readonly events: string[]; readonly onFallback: (event: FallbackEvent) => void } {
  const events: string[] = [];
  return { events, onFallback: ({ from, to, error }) => events.push(`${from} ${error.code} -> ${to}`) };
}
