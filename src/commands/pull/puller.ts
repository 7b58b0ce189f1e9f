import type { Context, ServiceFlags } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import type { Platform } from '../../model/platform/platform.ts';
import {
  manifestReference,
  parseReference,
  type Reference,
  toStoreName,
  withDefaultTag,
} from '../../model/reference/reference.ts';
import { refuseMisread } from '../../places/misread.ts';
import { endpointReport, pins } from '../../registry/extensions.ts';
import type { Registry } from '../../registry/registry.ts';
import type { TransferResult } from '../../transfer/transfer.ts';
import { OpenedRegistries } from '../moving/opened-registries.ts';
import type { Planned } from '../moving/planned-batch.ts';

interface PullerOptions extends ServiceFlags {
  readonly allTags: boolean;
  /** None for all. */
  readonly platforms: readonly Platform[] | undefined;
  /** Whether an image for another platform is an error. */
  readonly explicit: boolean;
}

/** An image that is pulled. */
export interface PlannedPull extends Planned {
  readonly reference: Reference;
  /** Whether the word named no tag. */
  readonly isDefault: boolean;
}

/** Knows what words mean, and where the images come from. */
export class Puller {
  readonly #context: Context;
  readonly #options: PullerOptions;
  readonly #parsed = new Map<string, Promise<Reference>>();
  readonly #registries: OpenedRegistries;
  readonly #used = new Set<Registry>();

  constructor(context: Context, options: PullerOptions) {
    this.#context = context;
    this.#options = options;
    this.#registries = new OpenedRegistries(context, options, 'pull');
  }

  /** For the summary: `from registry.example.com`, if it is one. */
  readonly route = (): string | undefined => {
    const hosts = new Set([...this.#used].map((registry) => registry.extension(endpointReport)?.servedBy()));
    const [host, another] = [...hosts].filter((each) => each !== undefined);
    return host === undefined || another !== undefined ? undefined : `from ${host.replace(/^https?:\/\//, '')}`;
  };

  /** @throws OciError REFERENCE_INVALID, USAGE */
  parse(word: string): Promise<Reference> {
    const reference = this.#parsed.get(word) ?? this.#parse(word);
    this.#parsed.set(word, reference);
    return reference;
  }

  async open(reference: Reference): Promise<Registry> {
    const registry = await this.#registries.open(reference);
    this.#used.add(registry);
    return registry;
  }

  async plan(given: Reference, local: Registry): Promise<PlannedPull> {
    const reference = withDefaultTag(given);
    const { platforms, explicit } = this.#options;
    const { tag, digest, path } = reference;
    return {
      reference,
      isDefault: given.tag === undefined && given.digest === undefined,
      root: {
        from: { registry: await this.open(reference), repo: path, reference: manifestReference(reference) },
        to: {
          registry: local,
          repo: toStoreName(reference),
          tags: digest === undefined && tag !== undefined ? [tag] : [],
          sparse: true,
        },
        platforms,
        requirePlatform: explicit,
      },
    };
  }

  /** Keeps an image that was pulled by digest from collections. */
  async keep({ reference }: PlannedPull, { root }: TransferResult, local: Registry): Promise<void> {
    if (reference.digest !== undefined) await local.extension(pins)?.pin(toStoreName(reference), root.digest);
  }

  async #parse(word: string): Promise<Reference> {
    refuseMisread(word, 'image');
    return parsePullable(await this.#context.imageName(word, this.#options), this.#options.allTags);
  }
}

function parsePullable(word: string, allTags: boolean): Reference {
  const reference = parseReference(word);
  if (allTags && (reference.tag !== undefined || reference.digest !== undefined)) {
    throw new OciError('USAGE', "tag can't be used with --all-tags/-a", { hint: 'name the repository alone' });
  }
  if (reference.domain === 'docker.io' && reference.path === 'library/scratch') {
    throw new OciError('REFERENCE_INVALID', "'scratch' is a reserved name", {
      hint: 'scratch is the empty image that builds start from; there is nothing to pull',
    });
  }
  return reference;
}
