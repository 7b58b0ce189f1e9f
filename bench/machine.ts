import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { formatBytes } from '../src/terminal/format.ts';
import { findProgram } from '../test/support/programs.ts';

/** Figures mean something beside the machine that made them. */
export interface Machine {
  readonly command: string;
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  /** Of the minute before: what else went on. */
  readonly loadBefore: number;
  /** Name → version. */
  readonly programs: Readonly<Record<string, string>>;
}

const versionOf: Readonly<Record<string, readonly string[]>> = {
  crane: ['version'],
  skopeo: ['--version'],
  regctl: ['version', '--format', '{{.VCSTag}}'],
  oras: ['version'],
  dockerd: ['--version'],
  wrk: ['--version'],
  'docker-registry': ['--version'],
  registry: ['--version'],
  versitygw: ['--version'],
};

export function describeMachine(command: string): Machine {
  const programs = Object.entries(versionOf)
    .filter(([name]) => findProgram(name) !== undefined)
    .map(([name, words]) => {
      const { stdout, stderr } = spawnSync(findProgram(name) ?? name, words, { encoding: 'utf8', timeout: 10_000 });
      return [name, /\d+(\.\d+)+[^\s,)]*/.exec(stdout + stderr)?.[0] ?? 'of unknown version'] as const;
    });
  return {
    command,
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    loadBefore: loadavg()[0] ?? 0,
    programs: Object.fromEntries(programs),
  };
}

/** @throws Error when a Node to measure with cannot be run. */
export function nodeVersion(node: string): string {
  const { stdout, status } = spawnSync(node, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  if (status !== 0) throw new Error(`--node ${node}: cannot be run`);
  return stdout.trim().slice(1);
}

/** Refuses early what would fill the memory half-way. What lies on tmpfs is memory. */
export async function checkRoom(directory: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const meminfo = readFileSync('/proc/meminfo', 'utf8');
  const freeMemory = Number(/MemAvailable:\s+(\d+) kB/.exec(meminfo)?.[1] ?? 0) * 1024;
  const free = Math.min(bavail * bsize, freeMemory);
  if (free >= neededBytes) return;
  const [needed, left] = [formatBytes(neededBytes), formatBytes(free)];
  throw new Error(`needs ${needed} of memory for ${directory}, and ${left} are free; try --scale 0.1 or --only`);
}
