/** Runs ocictl beside its peers, in turn, and prints medians, spread and ratios. `npm run bench -- --help`. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../test/support/programs.ts';
import { type Scope, sandbox } from '../test/support/sandbox.ts';
import { type Bench, neededBytes } from './context.ts';
import { countDistance } from './distance/counting.ts';
import { benchDistance } from './distance/distance.ts';
import { benchGrowth } from './growth.ts';
import { checkRoom, describeMachine, nodeVersion } from './machine.ts';
import { stopAll } from './measure.ts';
import { commandOf, type Options, parseOptions, usage } from './options.ts';
import { asMarkdown, asText, writeTables } from './report.ts';
import type { Section } from './results.ts';
import { benchServe } from './serve.ts';
import { benchServeS3 } from './serve-s3.ts';
import { benchStartup } from './startup.ts';
import { benchTransfers } from './transfers.ts';

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(usage);
  else await main(options);
} catch (error) {
  // What was killed by Ctrl-C fails too, and is no news.
  process.exitCode ||= 1;
  if (process.exitCode === 1) process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n`);
}

async function main(options: Options): Promise<void> {
  if (findProgram('docker-registry') === undefined) throw new Error("needs Debian's docker-registry on PATH");
  const nodes = options.nodes.map((path) => ({ path, name: `ocictl (Node ${nodeVersion(path)})` }));
  const work = await mkdtemp('/dev/shm/ocictl-bench-');
  const ends: (() => unknown)[] = [];
  const leave = async (): Promise<void> => {
    stopAll();
    for (const end of ends.splice(0).reverse()) await end();
    await rm(work, { recursive: true, force: true, maxRetries: 5 });
  };
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      process.exitCode = status;
      leave().finally(() => process.exit());
    });
  }
  try {
    await checkRoom(work, neededBytes(options));
    // Whatever anybody writes goes to memory: the disk takes no part.
    process.env['TMPDIR'] = join(work, 'tmp');
    await mkdir(process.env['TMPDIR']);
    // A server that does not run as root finds its configuration there.
    for (const directory of [work, process.env['TMPDIR']]) await chmod(directory, 0o711);
    const scope: Scope = { after: (end) => void ends.push(end as () => unknown) };
    const { env } = await sandbox(scope);
    const until = Date.now() + options.minutes * 60_000;
    const bin = join(process.cwd(), 'bin', 'ocictl.js');
    const bench: Bench = { ...options, work, scope, env, nodes, bin, until };
    await (options.count ? countDistance(bench) : run(bench));
  } finally {
    await leave();
  }
}

async function run(bench: Bench): Promise<void> {
  const machine = describeMachine(commandOf(bench));
  const sections: Section[] = [];
  for await (const section of all(bench)) {
    sections.push(section);
    process.stdout.write(await asText(section));
    // Written as they come: hours of figures shall not be lost with the last of them.
    if (bench.json !== undefined)
      await writeFile(bench.json, `${JSON.stringify({ machine, sections }, undefined, 2)}\n`);
    if (bench.markdown !== undefined) await writeTables(bench.markdown, asMarkdown(machine, sections));
    if (section.failures.some((failure) => failure.startsWith('ocictl'))) process.exitCode = 1;
  }
}

async function* all(bench: Bench): AsyncGenerator<Section> {
  if (bench.only.some((part) => part === 'pull' || part === 'push' || part === 'copy')) yield* benchTransfers(bench);
  if (bench.only.includes('startup')) yield* benchStartup(bench);
  if (bench.only.includes('serve')) yield* benchServe(bench);
  if (bench.only.includes('serve-s3')) yield* benchServeS3(bench);
  if (bench.only.includes('growth')) yield* benchGrowth(bench);
  if (bench.only.includes('distance')) yield* benchDistance(bench);
}
