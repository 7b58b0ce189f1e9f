/** `ocictl doctor`, and the files it reads. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ocictl } from './command.ts';
import { type Scope, sandbox } from './sandbox.ts';

export interface Finding {
  readonly topic: string;
  readonly endpoint?: string;
  readonly status: string;
  readonly text: string;
  readonly advice?: string;
}

/** The results of `doctor --json`, and its exit status. */
export async function doctor(
  t: Scope,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly exitCode: number | null; readonly stderr: string; find(topic: string): readonly Finding[] }> {
  const { exitCode, stdout, stderr } = await ocictl(t, ['doctor', '--json', ...words], { env });
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly Finding[] };
  return { exitCode, stderr, find: (topic) => checks.filter((check) => check.topic === topic) };
}

export async function writeDaemonJson(t: Scope, settings: unknown): Promise<void> {
  await writeFile((await sandbox(t)).daemonJson, JSON.stringify(settings));
}

export async function writeDockerConfig(t: Scope, config: unknown): Promise<void> {
  await writeFile(join((await sandbox(t)).dockerConfig, 'config.json'), JSON.stringify(config));
}
