import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../test/support/programs.ts';
import type { Load } from './load.ts';
import { load } from './load.ts';

const exec = promisify(execFile);

/** wrk prints rounded figures; its script is handed the exact ones. */
const script = `done = function(summary)
  local errors = summary.errors
  io.write(string.format('\\nfigures %d %d %d %d\\n', summary.requests, summary.bytes, summary.duration,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
`;

export interface Get {
  readonly host: string;
  readonly path: string;
  readonly accept?: string;
  readonly clients: number;
  readonly seconds: number;
}

/** GETs the same again and again, with wrk where it is there, else with our own client. */
export async function get(directory: string, what: Get): Promise<Load> {
  return findProgram('wrk') === undefined ? ownGet(what) : wrk(directory, what);
}

async function wrk(directory: string, { host, path, accept, clients, seconds }: Get): Promise<Load> {
  const file = join(directory, 'figures.lua');
  await writeFile(file, script);
  const words = ['-t1', `-c${clients}`, `-d${seconds}s`, '--timeout', '30s', '-s', file];
  if (accept !== undefined) words.push('-H', `Accept: ${accept}`);
  const { stdout } = await exec('wrk', [...words, `http://${host}${path}`], { timeout: (seconds + 60) * 1000 });
  const found = /^figures (\d+) (\d+) (\d+) (\d+)$/m.exec(stdout);
  const [requests = 0, bytes = 0, microseconds = 1, errors = 0] = found?.slice(1).map(Number) ?? [];
  if (!found || errors > 0 || requests === 0) throw new Error(`wrk on ${path}: ${errors} of ${requests} failed`);
  return { requests, bytes, seconds: microseconds / 1e6 };
}

function ownGet({ host, path, accept, clients, seconds }: Get): Promise<Load> {
  const until = performance.now() + seconds * 1000;
  return load(host, clients, async (ask) => {
    if (performance.now() > until) return false;
    const answer = await ask({ method: 'GET', path, headers: accept === undefined ? {} : { accept } });
    return Number(answer.headers['content-length'] ?? 0);
  });
}
