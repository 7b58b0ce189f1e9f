/** The access log of `ocictl serve`, on stderr. */
import { randomUUID } from 'node:crypto';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import type { AccessEntry } from '../../server/http/access-entry.ts';
import type { Terminal } from '../../terminal/terminal.ts';

export const logFormats = ['text', 'json', 'combined', 'none'] as const;
type LogFormat = (typeof logFormats)[number];

interface LogOptions {
  /** The word of `--access-log`. */
  readonly format: string | undefined;
  readonly verbose: boolean;
  readonly json: boolean;
}

/**
 * @returns What writes an entry. Failures of the server itself are written in any case.
 * @throws OciError USAGE
 */
export async function openAccessLog(terminal: Terminal, options: LogOptions): Promise<(entry: AccessEntry) => void> {
  const format = formatOf(options);
  const log = await import('../../server/http/access-log.ts');
  const instanceId = randomUUID();
  const ofFailures = options.json ? 'json' : format === 'none' ? 'text' : format;
  return (entry) => {
    const fails = log.isOurFailure(entry);
    if (!fails && (format === 'none' || log.isProbe(entry))) return;
    const at = new Date();
    const as = fails ? ofFailures : format;
    if (as === 'json') terminal.data(log.accessRecord(entry, at, instanceId));
    if (as === 'combined') terminal.note(log.combinedLine(entry, at));
    // A combined line has no place for the cause.
    if (as === 'text' || (fails && as === 'combined')) terminal.note(log.formatAccess(entry, at));
  };
}

function formatOf({ format, verbose, json }: LogOptions): LogFormat {
  if (format === undefined) return verbose ? (json ? 'json' : 'text') : 'none';
  const known = logFormats.find((each) => each === format);
  if (known === undefined) {
    throw new OciError('USAGE', `invalid --access-log ${quote(format)}`, { hint: `choose ${logFormats.join(', ')}` });
  }
  if (json && (known === 'text' || known === 'combined')) {
    throw new OciError('USAGE', `conflicting options: --access-log ${known} and --json`, {
      hint: 'with --json everything on stderr is JSON: choose json or none',
    });
  }
  return known;
}
