/** `sync`: plans, tells or carries out, and sums up. */
import type { Context, ServiceFlags } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { carryOut } from '../../sync/carry-out.ts';
import { Failures } from '../../sync/failures.ts';
import type { CompileTemplate } from '../../sync/file/name-rule.ts';
import { loadText, readSyncFile } from '../../sync/file/read-sync-file.ts';
import { judgeAll } from '../../sync/judge-all.ts';
import { createLock, readLock } from '../../sync/lock.ts';
import { OpenPlaces } from '../../sync/open-places.ts';
import { planSync, type SyncPlan } from '../../sync/plan.ts';
import { pullShortages } from '../../sync/pull-budget.ts';
import type { ProgressMode } from '../../terminal/progress/progress.ts';
import { reportOne } from '../../terminal/report.ts';
import { parseTemplate } from '../../terminal/template.ts';
import { differs } from '../command-line/exit-status.ts';
import { forSeveral, runBatch, withProgress } from '../moving/run-batch.ts';
import { placeOpener } from './place-opener.ts';
import { removeAll } from './remove-all.ts';
import { SyncReport } from './sync-report.ts';

interface SyncFlags extends ServiceFlags {
  readonly hostCreds: readonly string[];
  readonly delete: boolean;
  readonly dryRun: boolean;
  readonly keepGoing: boolean;
  readonly lock: string | undefined;
  readonly quiet: boolean;
  readonly json: boolean;
  readonly progress: ProgressMode | undefined;
}

/** @returns The exit status. @throws OciError PARTLY_FAILED if some failed, and the run went on. */
export async function synchronise(
  word: string,
  destination: string | undefined,
  { quiet, progress: mode, ...flags }: SyncFlags,
  context: Context,
): Promise<number> {
  const { terminal } = context;
  const text = word === '-' ? await readStandardInput(context) : await loadText(word);
  const file = readSyncFile(text, { file: word === '-' ? 'standard input' : word, destination, compile });
  const lock = flags.lock === undefined ? new Map() : await readLock(flags.lock);
  const writeLock = flags.lock === undefined || flags.dryRun ? undefined : await createLock(flags.lock);
  const failures = new Failures({
    keepGoing: flags.keepGoing,
    tell: (name, error) => reportOne(name, error, terminal),
  });
  const signal = AbortSignal.any([context.signal, failures.signal]);
  const { access } = file;
  const opener = placeOpener(context, flags);
  await using places = new OpenPlaces({ opener, access, readOnly: flags.dryRun, signal });
  const plan = await planSync(file, { places, failures, lock, removes: flags.delete, signal });
  for (const shortage of pullShortages(plan)) terminal.warn(shortage);
  const report = new SyncReport(plan, flags, terminal);
  if (flags.dryRun) {
    await judgeAll(plan, failures, signal);
    await report.wouldChange();
  } else {
    await writeLock?.(locked(plan, lock, failures));
    const parallelBlobs = forSeveral(await context.parallelDownloads());
    const display = { mode, quiet, action: 'copy', name: word, several: true } as const;
    await withProgress(context, display, async (progress) => {
      const say = (line: string): Promise<void> => progress.say(line);
      const incomplete = await runBatch(context, { progress, parallelBlobs, signal }, (batch) =>
        carryOut(plan, {
          places,
          batch,
          begun: batch.expect(),
          failures,
          done: (image, result) => report.arrived(image, result, say),
        }),
      );
      const kept = (name: string, reason: string): void => terminal.note(`${name}: ${reason}`);
      await removeAll(plan, incomplete, { failures, signal, deleted: (name) => report.deleted(name, say), kept });
      await places.finish();
    });
  }
  await report.conclude(failures.found.length, quiet);
  throwFailures(failures, plan);
  return flags.dryRun && report.hasChanges ? differs : 0;
}

const compile: CompileTemplate = (text, fields) => {
  const template = parseTemplate(text, { fields });
  return (data) => template.render(data).replace(/\n$/, '');
};

/** Enough for 100,000 sources. */
const maxFileBytes = 16 * 1024 * 1024;

async function readStandardInput({ stdin, signal }: Context): Promise<string> {
  const { readInput } = await import('../../terminal/prompt.ts');
  return readInput(stdin(), { maxBytes: maxFileBytes, what: 'that is no sync file', signal });
}

/** Digests for the next run. What could not be looked at keeps the one that it had. */
function locked({ digests }: SyncPlan, before: SyncPlan['digests'], { found }: Failures): SyncPlan['digests'] {
  return found.length === 0 ? digests : new Map([...before, ...digests]);
}

function throwFailures({ found }: Failures, { images }: SyncPlan): void {
  const [first] = found;
  if (!first) return;
  if (found.length === 1 && images.length === 0) throw first.error;
  const names = [...new Set(found.map(({ name }) => name))];
  const more = names.length > toldFailures ? ` and ${names.length - toldFailures} more` : '';
  throw new OciError(
    'PARTLY_FAILED',
    `not everything could be synchronised: ${names.slice(0, toldFailures).join(', ')}${more}`,
    {
      hint: 'the reason for each is above; the others are at their destination',
    },
  );
}

const toldFailures = 10;
