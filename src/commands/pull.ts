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
import { reportOne } from '../terminal/report.ts';
import type { TransferResult } from '../transfer/transfer.ts';
import { defineCommand, flag, list } from './command-line/command.ts';
import { credentialOptions, jsonOption, progressOption, serviceOptions } from './command-line/options.ts';
import { forEachReference, readReferences, severalHelp } from './command-line/several.ts';
import { isOfOneTag, throwFailures } from './moving/every-tag.ts';
import { type BlobOutcome, runTransfer, withProgress } from './moving/run-transfer.ts';

export const pull = defineCommand({
  name: 'pull',
  summary: 'Download an image from a registry into the local store',
  description:
    'Without a tag, it pulls latest. For an image with several platforms, it pulls the one of this machine unless\n' +
    '--platform says otherwise. What is in the store is not downloaded again, and an interrupted download is resumed.\n\n' +
    'Stdout has the lines that Docker prints while it pulls; with --quiet or --json, only the result.\n\n' +
    severalHelp,
  arguments: [
    {
      label: 'NAME[:TAG|@DIGEST]',
      summary: 'The image, or several; - reads them from standard input',
      arity: 'many',
      completes: 'image',
    },
  ],
  options: {
    allTags: flag('-a, --all-tags', 'Pull every tag of the repository'),
    platform: list('--platform <os/arch>', 'Platforms to pull, comma-separated, or all'),
    quiet: flag('-q, --quiet', 'Print only the full name of the pulled image'),
    json: jsonOption,
    progress: progressOption,
    ...serviceOptions,
    ...credentialOptions,
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
  const several = allTags ? 'in turn' : undefined;
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
  const puller = new Puller(context, remote, choice, progress, quiet || json);
  if (!allTags && reference.tag === undefined && reference.digest === undefined) {
    await puller.say(`Using default tag: ${defaultTag}`);
  }
  const local = await context.store();
  await using _lease = await local.extension(leases)?.lease({ signal: context.signal });
  let count = 0;
  const failures = new Map<string, OciError>();
  for await (const wanted of tagsOf(reference, allTags, remote, context.signal)) {
    count += 1;
    try {
      const outcome = await puller.pull(wanted, local);
      if (json) await out(`${formatJson(outcome)}\n`);
      else if (quiet || !allTags) await out(`${formatReference(wanted)}\n`);
    } catch (error) {
      if (!allTags || !isOfOneTag(error)) throw error;
      failures.set(`${wanted.tag}`, error);
      reportOne(familiarReference(wanted), error, context.terminal);
    }
  }
  throwFailures(failures, { count, what: 'pulled', hint: 'the others are in the local store' });
  if (count === 0) throw new OciError('MANIFEST_UNKNOWN', `${familiarReference(reference)} has no tags to pull`);
  if (allTags && !quiet && !json) await out(`${familiarReference(reference)}\n`);
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

async function* tagsOf(
  reference: Reference,
  allTags: boolean,
  remote: Registry,
  signal: AbortSignal,
): AsyncGenerator<Reference> {
  if (!allTags) yield withDefaultTag(reference);
  else for await (const tag of remote.tags(reference.path, { signal })) yield { ...reference, tag };
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

class Puller {
  readonly #context: Context;
  readonly #remote: Registry;
  readonly #choice: PlatformChoice;
  readonly #progress: Progress;
  /** Whether stdout gets only the result. */
  readonly #silent: boolean;

  constructor(context: Context, remote: Registry, choice: PlatformChoice, progress: Progress, silent: boolean) {
    this.#context = context;
    this.#remote = remote;
    this.#choice = choice;
    this.#progress = progress;
    this.#silent = silent;
  }

  async say(line: string): Promise<void> {
    if (!this.#silent) await this.#progress.say(line);
  }

  async pull(reference: Reference, local: Registry): Promise<PullOutcome> {
    const result = await runTransfer(this.#context, {
      from: { registry: this.#remote, repo: reference.path, reference: manifestReference(reference) },
      to: {
        registry: local,
        repo: toStoreName(reference),
        tags: reference.digest === undefined && reference.tag !== undefined ? [reference.tag] : [],
        sparse: true,
      },
      platforms: this.#choice.platforms,
      requirePlatform: this.#choice.explicit,
      parallelBlobs: await this.#context.parallelDownloads(),
      progress: this.#progress,
      lineOf: this.#silent ? undefined : (event) => lineOf(event, reference),
    });
    if (reference.digest !== undefined) await local.extension(pins)?.pin(toStoreName(reference), result.root.digest);
    await this.#conclude(reference, result);
    return {
      reference: formatReference(reference),
      digest: result.root.digest,
      mediaType: result.root.mediaType,
      status: result.changed ? 'downloaded' : 'up-to-date',
      transferredBytes: result.transferredBytes,
      endpoint: this.#remote.extension(endpointReport)?.origin(),
      layers: result.layers,
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
    const what = reference.digest === undefined ? reference.tag : formatReference(reference);
    return `${what}: Pulling from ${reference.path}`;
  }
  if (event.type !== 'done' || event.kind !== 'layer') return undefined;
  return `${shortDigest(event.node.digest)}: ${event.outcome === 'transferred' ? 'Pull complete' : 'Already exists'}`;
}
