import type { Context, ServiceFlags, StoreCheck, StoreFault } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { counted, formatBytes } from '../../terminal/format.ts';
import { formatJson } from '../../terminal/json.ts';
import type { ProgressMode } from '../../terminal/progress/progress.ts';
import { reportOne } from '../../terminal/report.ts';
import { defineCommand, flag, value } from '../command-line/command.ts';
import { jsonOption, progressOption, readingOptions } from '../command-line/options.ts';
import { withProgress } from '../moving/run-batch.ts';
import { requireRoot, rootOption, shownRoot, whichStore } from './root-option.ts';

export const storageFsck = defineCommand({
  name: 'storage fsck',
  summary: "Check a registry's store, and repair it",
  description:
    `${whichStore}\n\n` +
    'It checks that every tag, manifest and link leads to what it names, and names what is wrong by repository and tag\n' +
    '(status 10); --bytes also reads every blob again. --repair removes what points at nothing and links what is there;\n' +
    'with --from REGISTRY it fetches what is missing or damaged from the repositories of the same names there. What it\n' +
    'fetches is verified, and replaces nothing before that.',
  arguments: [],
  options: {
    root: rootOption,
    bytes: flag('--bytes', 'Also compare all blobs with their digests'),
    repair: flag('--repair', 'Remove what points at nothing, and fetch what is missing from --from'),
    from: value('--from <registry>', 'A registry with the same repositories, as HOST or HOST/PREFIX'),
    progress: progressOption,
    json: jsonOption,
    ...readingOptions,
  },
  examples: [
    { text: 'What is damaged', command: 'storage fsck --root images --bytes' },
    {
      text: 'Repair it from another registry',
      command: 'storage fsck --root images --repair --from registry.example.com',
    },
  ],
  run: ({ options }, context) => checkStores(requireRoot(options.root, 'fsck'), options, context),
});

const maxNames = 20;

interface FsckOptions extends ServiceFlags {
  readonly bytes: boolean;
  readonly repair: boolean;
  readonly from: string | undefined;
  readonly json: boolean;
  readonly progress: ProgressMode | undefined;
}

/** @throws OciError STORAGE_DAMAGED if faults are left */
async function checkStores(root: string, options: FsckOptions, context: Context): Promise<void> {
  const { terminal } = context;
  const { bytes, repair, from, json, progress: mode } = options;
  if (from !== undefined && !repair) {
    throw new OciError('USAGE', '--from is for --repair', { hint: 'add --repair to fetch what is missing' });
  }
  const faults: StoreFault[] = [];
  const checked = await withProgress(
    context,
    { mode, quiet: json || !bytes, action: 'scrub', name: shownRoot(root), several: true },
    (progress) =>
      context.checkRegistry(root, {
        bytes,
        repair,
        ...(from !== undefined && { from, flags: options }),
        onBlob(node, state) {
          if (state === 'begins') {
            progress.event({ type: 'discovered', node, kind: 'layer' });
            progress.event({ type: 'started', node, resumedBytes: 0 });
          } else progress.event({ type: 'done', node, kind: 'layer', outcome: 'exists' });
        },
        async onFault(fault) {
          if (json) return void faults.push(fault);
          await progress.say(lineOf(fault));
          if (fault.error !== undefined) reportOne(fault.digest ?? fault.kind, fault.error, terminal);
        },
      }),
  );
  if (json) await terminal.out(`${formatJson({ ...checked, found: faults.map(faultJson) })}\n`);
  else await terminal.out(`${summaryOf(checked)}\n`);
  if (checked.faults > 0) throw damageError(checked, shownRoot(root), options);
}

/** `Missing: layer sha256:… (3.4MB) of team/app:1, team/app:2` */
function lineOf({ kind, state, digest, size, names, repaired }: StoreFault): string {
  const words = { damaged: 'Damaged', invalid: 'Invalid', missing: 'Missing', dangling: 'Points at nothing' };
  const word =
    repaired === undefined ? words[state] : { fetched: 'Fetched', linked: 'Linked', removed: 'Removed' }[repaired];
  const what = [kind, ...(digest === undefined || kind === 'tag' ? [] : [digest])].join(' ');
  const of =
    kind === 'tag' || kind === 'repository' || kind === 'directory'
      ? ` ${names.join()}`
      : names.length === 0
        ? ' that no manifest names'
        : ` of ${someOf(names)}`;
  return `${word}: ${what}${size === undefined ? '' : ` (${formatBytes(size)})`}${of}`;
}

// An image may have thousands of tags. With --json all are named.
function someOf(names: readonly string[]): string {
  const left = names.length - maxNames;
  return left <= 1 ? names.join(', ') : `${names.slice(0, maxNames).join(', ')}, and ${left} more`;
}

function faultJson({ kind, state, digest, size, names, repaired, error }: StoreFault): unknown {
  return {
    kind,
    state,
    digest: digest ?? null,
    size: size ?? null,
    names,
    repaired: repaired ?? null,
    error: error === undefined ? null : { code: error.code, message: error.message },
  };
}

function summaryOf({ repositories, tags, manifests, blobs, repaired }: StoreCheck): string {
  const parts = [
    counted(repositories, 'repository', 'repositories'),
    counted(tags, 'tag'),
    counted(manifests, 'manifest'),
    `${counted(blobs.count, 'blob')} (${formatBytes(blobs.bytes)})`,
  ];
  return `Checked: ${parts.join(', ')}${repaired > 0 ? `; repaired: ${counted(repaired, 'fault')}` : ''}`;
}

function damageError({ faults }: StoreCheck, root: string, { repair, from }: FsckOptions): OciError {
  const found = `${counted(faults, 'fault')} in ${root}`;
  if (!repair) {
    const hint = '--repair removes what points at nothing; with --from REGISTRY it fetches what is missing';
    return new OciError('STORAGE_DAMAGED', found, { hint });
  }
  return new OciError('STORAGE_DAMAGED', `${found} could not be repaired`, {
    hint: from === undefined ? 'fetch what is missing with --from REGISTRY, or push it again' : 'the reasons are above',
  });
}
