import type { Context, ServiceFlags } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import type { Platform } from '../../model/platform/platform.ts';
import {
  defaultTag,
  familiarName,
  familiarReference,
  parseReference,
  type Reference,
  type Tag,
  toStoreName,
} from '../../model/reference/reference.ts';
import { refuseMisread } from '../../places/misread.ts';
import { connecting, foreignLayers } from '../../registry/extensions.ts';
import type { Registry } from '../../registry/registry.ts';
import { choosePushed, reducedNote } from '../../transfer/choose/pushed.ts';
import type { TransferRoot } from '../../transfer/transfer.ts';
import { OpenedRegistries } from '../moving/opened-registries.ts';
import type { Planned } from '../moving/planned-batch.ts';

type Tagged = Reference & { readonly tag: Tag };

/** An image that is pushed. */
export interface PlannedPush extends Planned {
  readonly reference: Tagged;
  /** Whether the word named no tag. */
  readonly isDefault: boolean;
}

interface PusherOptions extends ServiceFlags {
  readonly allTags: boolean;
  readonly platform: Platform | 'all' | undefined;
}

type MountSource = TransferRoot['mountFrom'];

/** Knows what words mean, and what is pushed where. */
export class Pusher {
  readonly #context: Context;
  readonly #options: PusherOptions;
  readonly #registries: OpenedRegistries;
  /** Domains that a connection was opened to. */
  readonly #connecting = new Set<string>();
  readonly #mountSources = new Map<string, Promise<MountSource>>();

  constructor(context: Context, options: PusherOptions) {
    this.#context = context;
    this.#options = options;
    this.#registries = new OpenedRegistries(context, options, 'push');
  }

  /** @throws OciError REFERENCE_INVALID, USAGE */
  parse(word: string): Reference {
    refuseMisread(word, 'image');
    const reference = parseReference(word);
    if (reference.digest !== undefined) {
      throw new OciError('REFERENCE_INVALID', 'cannot push a digest reference', {
        hint: 'give it a tag with ocictl tag, and push that',
      });
    }
    if (this.#options.allTags && reference.tag !== undefined) {
      throw new OciError('USAGE', "tag can't be used with --all-tags/-a", { hint: 'name the repository alone' });
    }
    return reference;
  }

  /** The tags that are pushed: the one that is named, or all of the repository. @throws OciError IMAGE_UNKNOWN */
  async tags(reference: Reference): Promise<readonly [Tag, ...Tag[]]> {
    const { signal } = this.#context;
    const store = await this.#context.store();
    const wanted = this.#options.allTags ? undefined : (reference.tag ?? defaultTag);
    const all: Tag[] = [];
    try {
      for await (const tag of store.tags(toStoreName(reference), { signal })) all.push(tag);
    } catch (error) {
      if (!(error instanceof OciError) || error.code !== 'NAME_UNKNOWN') throw error;
    }
    const [first, ...others] = all.filter((tag) => wanted === undefined || tag === wanted);
    if (first !== undefined) return [first, ...others];
    const problem =
      all.length > 0
        ? `tag does not exist: ${familiarReference({ ...reference, ...(wanted && { tag: wanted }) })}`
        : `An image does not exist locally with the tag: ${familiarName(reference)}`;
    throw new OciError('IMAGE_UNKNOWN', problem, {
      hint: 'ocictl images lists what is in the local store; ocictl tag gives an image this name',
    });
  }

  open(reference: Reference): Promise<Registry> {
    return this.#registries.open(reference);
  }

  async plan(given: Reference, tag: Tag, signal = this.#context.signal): Promise<PlannedPush> {
    const reference = { ...given, tag };
    const remote = await this.open(reference);
    // The image is there, so requests will follow; a connection takes longer than what is read of the store before.
    if (!this.#connecting.has(reference.domain)) remote.extension(connecting)?.open(1);
    this.#connecting.add(reference.domain);
    const store = await this.#context.store();
    const source = { registry: store, repo: toStoreName(reference), reference: tag, sparse: true };
    const pushed = await choosePushed(source, this.#options.platform, { signal });
    const reduced = reducedNote(familiarReference(reference), 'pushing', pushed);
    if (reduced !== undefined) this.#context.terminal.note(reduced);
    const root = {
      from: { ...source, reference: pushed.digest },
      to: { registry: remote, repo: reference.path, tags: [tag], host: reference.domain },
      mountFrom: await this.#mountSource(reference),
      foreignLayers: remote.extension(foreignLayers)?.accepted ? ('copy' as const) : ('skip' as const),
    };
    return { reference, isDefault: given.tag === undefined, root };
  }

  #mountSource(reference: Reference): Promise<MountSource> {
    const key = `${reference.domain}/${reference.path}`;
    const source = this.#mountSources.get(key) ?? this.#context.mountSource(reference);
    this.#mountSources.set(key, source);
    return source;
  }
}
