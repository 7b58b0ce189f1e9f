import type { Context, ServiceFlags } from '../app/context.ts';
import { shortDigest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { TransferEvent } from '../model/events.ts';
import { type Platform, parsePlatform } from '../model/platform/platform.ts';
import {
  defaultTag,
  familiarName,
  familiarReference,
  formatReference,
  manifestReference,
  parseReference,
  type Reference,
  toStoreName,
  withDefaultTag,
} from '../model/reference/reference.ts';
import { refuseMisread } from '../places/misread.ts';
import { endpointReport, leases, pins } from '../registry/extensions.ts';
import type { Registry } from '../registry/registry.ts';
import { formatJson } from '../terminal/json.ts';
import type { Progress, ProgressMode } from '../terminal/progress/progress.ts';
import type { TransferResult, TransferRoot } from '../transfer/transfer.ts';
import { defineCommand, flag, list } from './command-line/command.ts';
import { jsonOption, progressOption, readingOptions } from './command-line/options.ts';
import { forEachReference, readReferences, severalHelp, severalImages } from './command-line/several.ts';
import { LayerOutcomes } from './moving/layer-outcomes.ts';
import { moveTags } from './moving/move-tags.ts';
import { type BlobOutcome, runTransfer, withProgress } from './moving/run-transfer.ts';

export const pull = defineCommand({
  name: 'pull',
  summary: 'Download an image from a registry into the local store',
  description:
    'Without a tag, it pulls latest. For an image with several platforms, it pulls the one of this machine unless\n' +
    '--platform says otherwise. What is in the store is not downloaded again, and an interrupted download is resumed.\n\n' +
    'Stdout has the lines that Docker prints while it pulls; with --quiet or --json, only the result.\n\n' +
    severalHelp,
  arguments: [severalImages('NAME[:TAG|@DIGEST]')],
  options: {
    allTags: flag('-a, --all-tags', 'Pull every tag of the repository'),
    platform: list('--platform <os/arch>', 'Platforms to pull, comma-separated, or all'),
    quiet: flag('-q, --quiet', 'Print only the full name of the pulled image'),
    json: jsonOption,
    progress: progressOption,
    ...readingOptions,
  },
  examples: [
    { text: 'The image tagged latest, for this machine', command: 'pull alpine' },
    { text: 'Two platforms of one tag', command: 'pull --platform linux/amd64,linux/arm64 alpine:3.20' },
    { text: 'By digest, from a registry of your own', command: 'pull registry.example.com/team/app@sha256:…' },
  ],
  async run({ words, options }, context) {
    const choice = await choosePlatforms(options.platform, context);
    const references = await readReferences(words, context, options);
    await forEachReference(references, { terminal: context.terminal, what: 'pulled' }, (word) =>
      pullReference(word, options, choice, context),
    );
  },
});

interface PullFlags extends ServiceFlags {
  readonly progress: ProgressMode | undefined;
  readonly allTags: boolean;
  readonly quiet: boolean;
  readonly json: boolean;
}

/** Pulls one image, or all tags of a repository. */
async function pullReference(
  word: string,
  options: PullFlags,
  choice: PlatformChoice,
  context: Context,
): Promise<void> {
  const { allTags, quiet, progress: mode } = options;
  refuseMisread(word, 'image');
  const reference = parsePullable(await context.imageName(word, options), allTags);
  const remote = await (await context.service(options)).open(reference, 'pull');
  const name = allTags ? familiarName(reference) : familiarReference(withDefaultTag(reference));
  const route = (): string | undefined => from(remote.extension(endpointReport)?.servedBy());
  const several = allTags;
  await withProgress(context, { mode, quiet, action: 'pull', name, several, route }, (progress) =>
    pullTags(reference, { ...options, remote, choice, progress }, context),
  );
}

interface Wish {
  readonly remote: Registry;
  readonly choice: PlatformChoice;
  readonly progress: Progress;
  readonly allTags: boolean;
  readonly quiet: boolean;
  readonly json: boolean;
}

async function pullTags(reference: Reference, wish: Wish, context: Context): Promise<void> {
  const { remote, choice, progress, allTags, quiet, json } = wish;
  const { out } = context.terminal;
  const local = await context.store();
  const puller = new Puller(context, { remote, local, choice, progress, silent: quiet || json });
  await using _lease = await local.extension(leases)?.lease({ signal: context.signal });
  if (!allTags) {
    if (reference.tag === undefined && reference.digest === undefined) {
      await puller.say(`Using default tag: ${defaultTag}`);
    }
    const wanted = withDefaultTag(reference);
    const outcome = await puller.pull(wanted);
    await out(`${json ? formatJson(outcome) : formatReference(wanted)}\n`);
    return;
  }
  const count = await puller.pullAll(reference, async (wanted, outcome) => {
    if (json) await out(`${formatJson(await outcome())}\n`);
    else if (quiet) await out(`${formatReference(wanted)}\n`);
  });
  if (count === 0) throw new OciError('MANIFEST_UNKNOWN', `${familiarReference(reference)} has no tags to pull`);
  if (!quiet && !json) await out(`${familiarReference(reference)}\n`);
}

function from(host: string | undefined): string | undefined {
  return host === undefined ? undefined : `from ${host.replace(/^https?:\/\//, '')}`;
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

interface PlatformChoice {
  readonly platforms: readonly Platform[] | undefined;
  readonly explicit: boolean;
}

async function choosePlatforms(words: readonly string[], context: Context): Promise<PlatformChoice> {
  if (words.includes('all')) return { platforms: undefined, explicit: false };
  if (words.length > 0) return { platforms: words.map(parsePlatform), explicit: true };
  return { platforms: [await context.defaultPlatform()], explicit: false };
}

/** The `--json` output for one image. */
interface PullOutcome {
  readonly reference: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly status: 'downloaded' | 'up-to-date';
  readonly transferredBytes: number;
  readonly endpoint: string | undefined;
  readonly layers: readonly BlobOutcome[];
}

interface PullEnds {
  readonly remote: Registry;
  readonly local: Registry;
  readonly choice: PlatformChoice;
  readonly progress: Progress;
  /** Whether stdout gets only the result. */
  readonly silent: boolean;
}

class Puller {
  readonly #context: Context;
  readonly #ends: PullEnds;

  constructor(context: Context, ends: PullEnds) {
    this.#context = context;
    this.#ends = ends;
  }

  async say(line: string): Promise<void> {
    if (!this.#ends.silent) await this.#ends.progress.say(line);
  }

  async pull(reference: Reference): Promise<PullOutcome> {
    const { local, progress, silent } = this.#ends;
    const result = await runTransfer(this.#context, {
      ...this.#rootOf(reference),
      parallelBlobs: await this.#context.parallelDownloads(),
      progress,
      keeps: 'parts',
      lineOf: silent ? undefined : (event) => lineOf(event, reference),
    });
    if (reference.digest !== undefined) await local.extension(pins)?.pin(toStoreName(reference), result.root.digest);
    await this.#conclude(reference, result);
    return this.#outcomeOf(reference, result, result.layers);
  }

  /** Pulls every tag of a repository. @returns How many there are. */
  async pullAll(
    repository: Reference,
    tell: (reference: Reference, outcome: () => Promise<PullOutcome>) => Promise<void>,
  ): Promise<number> {
    const { remote, local, progress, silent } = this.#ends;
    const layers = new LayerOutcomes();
    return moveTags(this.#context, {
      progress,
      parallelBlobs: await this.#context.parallelDownloads(),
      lineOf: (event) => {
        layers.note(event);
        return silent ? undefined : lineOf(event, repository);
      },
      tags: (signal) => remote.tags(repository.path, { signal }),
      plan: async (tag) => ({ reference: { ...repository, tag }, root: this.#rootOf({ ...repository, tag }) }),
      conclude: ({ reference }, result) => ({ reference, result }),
      tell: async ({ reference, result }) => {
        await this.#conclude(reference, result);
        const from = { registry: local, repo: toStoreName(reference), reference: result.root.digest };
        await tell(reference, async () => this.#outcomeOf(reference, result, await layers.of(from, this.#context)));
      },
      nameOf: (tag) => familiarReference({ ...repository, tag }),
      what: 'pulled',
      others: 'the others are in the local store',
    });
  }

  #rootOf(reference: Reference): TransferRoot {
    const { remote, local, choice } = this.#ends;
    const tags = reference.digest === undefined && reference.tag !== undefined ? [reference.tag] : [];
    return {
      from: { registry: remote, repo: reference.path, reference: manifestReference(reference) },
      to: { registry: local, repo: toStoreName(reference), tags, sparse: true },
      platforms: choice.platforms,
      requirePlatform: choice.explicit,
    };
  }

  #outcomeOf(reference: Reference, result: TransferResult, layers: readonly BlobOutcome[]): PullOutcome {
    return {
      reference: formatReference(reference),
      digest: result.root.digest,
      mediaType: result.root.mediaType,
      status: result.changed ? 'downloaded' : 'up-to-date',
      transferredBytes: result.transferredBytes,
      endpoint: this.#ends.remote.extension(endpointReport)?.origin(),
      layers,
    };
  }

  async #conclude(reference: Reference, { root, changed }: TransferResult): Promise<void> {
    await this.say(`Digest: ${root.digest}`);
    const status = changed ? 'Downloaded newer image for' : 'Image is up to date for';
    await this.say(`Status: ${status} ${familiarReference(reference)}`);
  }
}

function lineOf(event: TransferEvent, reference: Reference): string | undefined {
  if (event.type === 'resolved') {
    const what = reference.digest === undefined ? event.reference : formatReference(reference);
    return `${what}: Pulling from ${reference.path}`;
  }
  if (event.type !== 'done' || event.kind !== 'layer') return undefined;
  return `${shortDigest(event.node.digest)}: ${event.outcome === 'transferred' ? 'Pull complete' : 'Already exists'}`;
}
