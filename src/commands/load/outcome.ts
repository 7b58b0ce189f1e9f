/** What became of the images of an archive. */
import type { Context, LoadableArchive } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Platform } from '../../model/platform/platform.ts';
import { formatReference, type Reference } from '../../model/reference/reference.ts';
import { formatJson } from '../../terminal/json.ts';
import type { Progress } from '../../terminal/progress/progress.ts';
import { reportOne } from '../../terminal/report.ts';
import { naming } from '../../transfer/graph.ts';
import { isOfOneTag } from '../moving/every-tag.ts';
import type { ArchivedImage, chooseImages } from './choose.ts';
import { loadedLine } from './target.ts';

export interface LoadWish {
  readonly archive: LoadableArchive;
  readonly chosen: Awaited<ReturnType<typeof chooseImages>>;
  readonly platforms: readonly Platform[];
  readonly progress: Progress;
  readonly json: boolean;
}

export interface LoadedImage {
  readonly image: ArchivedImage;
  readonly target: Reference;
  readonly root: Descriptor;
  /** The image ID. */
  readonly id: Digest;
  readonly absent: readonly Descriptor[];
  /** Manifests and blobs that are there now. */
  readonly digests: ReadonlySet<Digest>;
  readonly changed: boolean;
  readonly transferredBytes: number;
}

/** Tells of each image in the order of the archive. One that fails does not stop the others. */
export class LoadOutcome {
  readonly images: LoadedImage[] = [];
  readonly #failures: Map<string, OciError>;
  readonly #wish: LoadWish;
  readonly #context: Context;

  constructor(wish: LoadWish, context: Context) {
    this.#wish = wish;
    this.#context = context;
    this.#failures = new Map(wish.chosen.failures);
    for (const [name, error] of this.#failures) this.#report(name, error);
  }

  /** @throws an error that concerns more than this image. */
  async tell(image: ArchivedImage, loading: Promise<LoadedImage>): Promise<void> {
    try {
      const loaded = await loading;
      this.images.push(loaded);
      await this.#print(loaded);
    } catch (error) {
      if (!isOfOneTag(error) && !isOciError(error, 'REFERENCE_INVALID')) throw error;
      const name = image.name ?? image.descriptor.digest;
      this.#failures.set(name, error);
      this.#report(name, error);
    }
  }

  /** @throws OciError the only error if nothing was loaded, otherwise PARTLY_FAILED naming the images. */
  throwFailures(): void {
    const [first] = this.#failures.values();
    if (!first) return;
    if (this.images.length === 0) throw first;
    const count = this.images.length + this.#failures.size;
    const names = [...this.#failures.keys()].join(', ');
    throw new OciError('PARTLY_FAILED', `${this.#failures.size} of ${count} images could not be loaded: ${names}`, {
      hint: 'the reason for each is above; the others are loaded',
    });
  }

  // The only image's error is that of the command.
  #report(name: string, error: OciError): void {
    const { images, failures } = this.#wish.chosen;
    if (images.length + failures.size > 1) reportOne(name, error, this.#context.terminal);
  }

  async #print({ image, target, root, id, absent, changed, transferredBytes }: LoadedImage): Promise<void> {
    const { json, progress, archive } = this.#wish;
    const { terminal } = this.#context;
    if (absent.length > 0) {
      terminal.note(
        `${image.name ?? root.digest}: ${archive.shown} lists images that it does not have: ${naming(absent)}`,
      );
    }
    if (!json) return await progress.say(loadedLine(image, target, id));
    const { digest, mediaType } = root;
    const missing = absent.map((entry) => entry.digest);
    const record = { reference: formatReference(target), digest, mediaType, id, changed, transferredBytes, missing };
    await terminal.out(`${formatJson(record)}\n`);
  }
}
