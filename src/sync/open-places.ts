import { unlessUnknown } from '../model/errors.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { Place, PlaceRole } from '../places/place.ts';
import { kindOf } from '../places/places.ts';
import { leases } from '../registry/extensions.ts';
import type { SignalOption } from '../registry/registry.ts';
import { Slots } from '../transfer/slots.ts';
import type { HostAccess } from './file/sync-file.ts';
import type { Target } from './target.ts';

/** How places are opened. */
export interface PlaceOpener {
  /** @param access What the file says about the host, if the place has one. */
  open(word: string, role: PlaceRole, access: HostAccess): Promise<Place>;
  /** The repositories that a registry lists. @throws OciError UNSUPPORTED if it has no such list. */
  repositories(host: string, access: HostAccess, opts: SignalOption): AsyncIterable<RepositoryName>;
}

interface OpenPlacesOptions {
  readonly opener: PlaceOpener;
  readonly access: ReadonlyMap<string, HostAccess>;
  /** Whether destinations are only looked at, and not created. */
  readonly readOnly: boolean;
  readonly signal: AbortSignal;
}

type TargetName = Pick<Target, 'place' | 'name' | 'tag'>;

/** Questions that one host is asked at once. A host that answers 429 gets fewer: see transport/retry/pressure.ts. */
const parallelQuestions = 12;

/** The places of a run. Each is opened once, so that what its images share is moved once. */
export class OpenPlaces implements AsyncDisposable {
  readonly #options: OpenPlacesOptions;
  readonly #sources = new Map<string, Promise<Place>>();
  readonly #targets = new Map<string, Promise<Place | undefined>>();
  /** Registries that are written to. */
  readonly #written = new Map<string, Promise<Place>>();
  readonly #leases: Promise<AsyncDisposable>[] = [];
  readonly #slots = new Map<string, Slots>();

  constructor(options: OpenPlacesOptions) {
    this.#options = options;
  }

  /** A repository whose images are read. */
  source(host: string, path: RepositoryName): Promise<Place> {
    const word = `${host}/${path}`;
    return once(this.#sources, word, () => this.#options.opener.open(word, 'repository', this.#accessTo(host)));
  }

  repositories(host: string): AsyncIterable<RepositoryName> {
    const { opener, signal } = this.#options;
    return opener.repositories(host, this.#accessTo(host), { signal });
  }

  /** The place of an image, to look at; undefined if it does not exist and nothing is written. */
  async target(target: TargetName): Promise<Place | undefined> {
    const place = await once(this.#targets, target.place, () => this.#openTarget(target.place));
    return place && imageAt(place, target);
  }

  /**
   * The place of an image, to write to. A registry is opened for that here: most runs find that nothing has changed, and what
   * writes is then not even loaded.
   */
  async written(target: TargetName): Promise<Place | undefined> {
    const { place: word } = target;
    if (kindOf(word).own) return this.target(target);
    const open = (): Promise<Place> => this.#options.opener.open(word, 'destination', this.#accessToPlace(word));
    return imageAt(await once(this.#written, word, open), target);
  }

  /** Asks a host, when few enough questions to it are open. @param host Any name that the questions to it share. */
  ask<T>(host: string, question: () => Promise<T>): Promise<T> {
    const slots = this.#slots.get(host) ?? new Slots(parallelQuestions);
    this.#slots.set(host, slots);
    return slots.run(question);
  }

  async finish(): Promise<void> {
    for (const place of [...this.#targets.values(), ...this.#written.values()]) await (await place)?.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const lease of this.#leases) await (await unlessFailed(lease))?.[Symbol.asyncDispose]();
    for (const place of [...this.#sources.values(), ...this.#targets.values(), ...this.#written.values()]) {
      await (await unlessFailed(place))?.[Symbol.asyncDispose]();
    }
  }

  async #openTarget(word: string): Promise<Place | undefined> {
    const { opener, readOnly, signal } = this.#options;
    const access = this.#accessToPlace(word);
    if (!kindOf(word).own) return await opener.open(word, 'look', access);
    if (readOnly) return unlessUnknown(opener.open(word, 'repository', access), 'NAME_UNKNOWN', 'STORAGE');
    const place = await opener.open(word, 'destination', access);
    const lease = place.registry.extension(leases)?.lease({ signal });
    if (lease) this.#leases.push(lease);
    await lease;
    return place;
  }

  #accessToPlace(word: string): HostAccess {
    return this.#accessTo(word.slice(0, Math.max(0, word.indexOf('/'))));
  }

  #accessTo(host: string): HostAccess {
    return this.#options.access.get(host) ?? {};
  }
}

function imageAt(place: Place, { name, tag }: TargetName): Place | undefined {
  if (name !== undefined) return place.image?.(name);
  return tag === undefined ? place : place.at(tag);
}

function once<T>(made: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = made.get(key) ?? make();
  // A failure is met by everybody who waits for it.
  known.catch(() => {});
  made.set(key, known);
  return known;
}

function unlessFailed<T>(promise: Promise<T>): Promise<T | undefined> {
  return promise.catch(() => undefined);
}
