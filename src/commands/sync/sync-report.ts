import { shortDigest } from '../../model/digest.ts';
import { changeOf } from '../../sync/changes.ts';
import type { LookedAt } from '../../sync/look.ts';
import type { SyncPlan } from '../../sync/plan.ts';
import { formatJson } from '../../terminal/json.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import type { TransferResult } from '../../transfer/transfer.ts';

/** Writes a line to stdout. */
type Say = (line: string) => Promise<void>;

/** Tells what a run did or would do: a line for each change, and for each image with `--json`; at the end the sums. */
export class SyncReport {
  readonly #plan: SyncPlan;
  readonly #flags: { readonly json: boolean; readonly dryRun: boolean };
  readonly #terminal: Terminal;
  readonly #sums = { copied: 0, unchanged: 0, deleted: 0, transferredBytes: 0 };

  constructor(plan: SyncPlan, flags: { readonly json: boolean; readonly dryRun: boolean }, terminal: Terminal) {
    this.#plan = plan;
    this.#flags = flags;
    this.#terminal = terminal;
    for (const { name } of plan.gone) terminal.note(`${name} was listed, and is gone: it is passed over`);
  }

  /** Whether something was changed, or would be. */
  get hasChanges(): boolean {
    return this.#sums.copied + this.#sums.deleted > 0;
  }

  /** The whole plan, for `--dry-run`. */
  async wouldChange(): Promise<void> {
    const say: Say = (line) => this.#terminal.out(`${line}\n`);
    for (const image of this.#plan.images) {
      if (changeOf(image) === 'same') await this.#unchanged(image, say);
      else {
        this.#sums.copied += 1;
        await this.#image(image, 'would-copy', `Would copy: ${route(image)} (${shownChange(image)})`, say);
      }
    }
    for (const { place, tags } of this.#plan.removals) {
      for (const tag of tags) {
        this.#sums.deleted += 1;
        await this.#deletion(`${place.repository}:${tag}`, 'would-delete', 'Would delete', say);
      }
    }
  }

  /** @param result Undefined if nothing had to be asked. */
  async arrived(image: LookedAt, result: TransferResult | undefined, say: Say): Promise<void> {
    if (!result?.changed) return this.#unchanged(image, say);
    this.#sums.copied += 1;
    this.#sums.transferredBytes += result.transferredBytes;
    const { transferredBytes, root } = result;
    await this.#image({ ...image, digest: root.digest }, 'copied', `Copied: ${route(image)}`, say, transferredBytes);
  }

  async deleted(name: string, say: Say): Promise<void> {
    this.#sums.deleted += 1;
    await this.#deletion(name, 'deleted', 'Deleted', say);
  }

  /** The sums. @param failed How many failures were told. */
  async conclude(failed: number, quiet: boolean): Promise<void> {
    const { images, gone } = this.#plan;
    const { dryRun, json } = this.#flags;
    const { copied, unchanged, deleted } = this.#sums;
    if (json) {
      const sums = { images: images.length, ...this.#sums, gone: gone.length, failed, dryRun };
      return this.#terminal.out(`${formatJson({ summary: sums })}\n`);
    }
    if (quiet) return;
    const would = dryRun ? 'would be ' : '';
    const parts = [
      `${copied} ${would}copied`,
      `${unchanged} unchanged`,
      ...(deleted > 0 ? [`${deleted} ${would}deleted`] : []),
      ...(gone.length > 0 ? [`${gone.length} gone`] : []),
      ...(failed > 0 ? [`${failed} failed`] : []),
    ];
    this.#terminal.note(`${images.length} image${images.length === 1 ? '' : 's'}: ${parts.join(', ')}`);
  }

  async #unchanged(image: LookedAt, say: Say): Promise<void> {
    this.#sums.unchanged += 1;
    await this.#image(image, 'unchanged', undefined, say);
  }

  async #image(
    {
      wanted: { name, target },
      digest,
      before = null,
    }: Omit<LookedAt, 'before'> & { readonly before?: string | null | undefined },
    outcome: string,
    line: string | undefined,
    say: Say,
    transferredBytes = 0,
  ): Promise<void> {
    if (this.#flags.json) {
      const record = { source: name, destination: target.fullName, digest, before, outcome, transferredBytes };
      await say(formatJson(record));
    } else if (line !== undefined) await say(line);
  }

  async #deletion(name: string, outcome: string, word: string, say: Say): Promise<void> {
    await say(this.#flags.json ? formatJson({ destination: name, outcome }) : `${word}: ${name}`);
  }
}

function route({ wanted: { name, target } }: LookedAt): string {
  return `${name} to ${target.fullName}`;
}

function shownChange(image: LookedAt): string {
  return image.before === undefined ? 'new' : `replaces ${shortDigest(image.before)}`;
}
