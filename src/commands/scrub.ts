import type { Fault, Scrubbed } from '../app/context.ts';
import { OciError } from '../model/errors.ts';
import { counted, formatBytes } from '../terminal/format.ts';
import { formatJson } from '../terminal/json.ts';
import { reportOne } from '../terminal/report.ts';
import { defineCommand, flag } from './command-line/command.ts';
import { jsonOption, progressOption, readingOptions } from './command-line/options.ts';
import { withProgress } from './moving/run-batch.ts';

export const scrub = defineCommand({
  name: 'scrub',
  summary: 'Read the local store again, and repair what is damaged',
  description:
    'Reads every manifest, config and layer of the local store again and compares it with its digest, or those of the\n' +
    'images that are named. What is damaged or missing is printed with the images that need it, and the exit status is\n' +
    '10. Nothing is changed without --repair.\n\n' +
    '--repair fetches what is damaged or missing from the registry that the image is named after, and replaces it only\n' +
    'when the new copy is complete and right. The exit status is 10 if something could not be repaired.\n\n' +
    'It runs beside pulls, pushes and removals.',
  arguments: [
    { label: 'IMAGE', summary: 'Only these images: names, digests or image IDs', arity: 'any', completes: 'stored' },
  ],
  options: {
    repair: flag('--repair', 'Fetch what is damaged or missing'),
    quiet: flag('-q, --quiet', 'Print only what is damaged or missing'),
    json: jsonOption,
    progress: progressOption,
    ...readingOptions,
  },
  examples: [
    { text: 'The whole store', command: 'scrub' },
    { text: 'Two images, repaired', command: 'scrub --repair alpine:3.20 debian:12' },
    { text: 'For a script', command: 'scrub --json' },
  ],
  async run({ words, options }, context) {
    const { terminal } = context;
    const { repair, quiet, json, progress: mode } = options;
    const name = words.length === 0 ? 'the local store' : words.join(', ');
    const scrubbed = await withProgress(
      context,
      { mode, quiet: quiet || json, action: 'scrub', name, several: true },
      (progress) =>
        context.scrub(words, {
          ...(repair && { repairWith: options }),
          onEvent: (event) => progress.event(event),
          async onFault(fault) {
            if (json) return;
            await progress.say(lineOf(fault));
            const { error } = fault;
            if (error !== undefined) reportOne(fault.digest ?? 'tag', error, terminal);
          },
        }),
    );
    if (json) await terminal.out(`${formatJson(toJson(scrubbed))}\n`);
    else if (!quiet) await terminal.out(`${summaryOf(scrubbed)}\n`);
    const left = scrubbed.faults.filter(({ repaired }) => repaired !== true);
    if (left.length > 0) throw damageError(left, scrubbed, repair);
  },
});

/** `Damaged: layer sha256:… (3.4MB) of alpine:3.20, app:1` */
function lineOf({ kind, digest, size, state, images, repaired }: Fault): string {
  const word = repaired === true ? 'Repaired' : state === 'damaged' ? 'Damaged' : 'Missing';
  const what = [kind === 'unused' ? 'blob' : kind, ...(digest === undefined ? [] : [digest])].join(' ');
  const of = kind === 'unused' ? 'that no image uses' : kind === 'tag' ? images.join() : `of ${images.join(', ')}`;
  return `${word}: ${what}${size === undefined ? '' : ` (${formatBytes(size)})`} ${of}`;
}

function summaryOf({ images, manifests, blobs, bytes }: Scrubbed): string {
  return `Checked: ${counted(images, 'image')}, ${counted(manifests, 'manifest')}, ${counted(blobs, 'blob')} (${formatBytes(bytes)})`;
}

function damageError(left: readonly Fault[], { manifests, blobs }: Scrubbed, repair: boolean): OciError {
  const is = left.length === 1 ? 'is' : 'are';
  const lost = `${counted(left.length, 'item')} of the ${manifests + blobs} in the local store ${is} damaged or missing`;
  return new OciError('STORAGE_DAMAGED', repair ? `${lost}, and could not be repaired` : lost, {
    hint: hintFor(left, repair),
  });
}

function hintFor(left: readonly Fault[], repair: boolean): string {
  const parts = [
    ...(left.some(({ kind }) => kind !== 'unused' && kind !== 'tag')
      ? [
          repair
            ? 'the reasons are above; ocictl rmi removes an image'
            : 'ocictl scrub --repair fetches what images need',
        ]
      : []),
    ...(left.some(({ kind }) => kind === 'tag') ? ['ocictl pull sets a damaged tag again'] : []),
    ...(left.some(({ kind }) => kind === 'unused') ? ['ocictl prune removes what no image uses'] : []),
  ];
  return parts.join('; ');
}

function toJson({ images, manifests, blobs, bytes, faults }: Scrubbed): unknown {
  return {
    images,
    manifests,
    blobs,
    bytes,
    faults: faults.map(({ kind, digest, size, state, images: names, repaired, error }) => ({
      kind,
      digest: digest ?? null,
      size: size ?? null,
      state,
      images: names,
      repaired: repaired ?? null,
      error: error === undefined ? null : { code: error.code, message: error.message },
    })),
  };
}
