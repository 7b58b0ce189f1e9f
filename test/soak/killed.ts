/** Commands that are killed again and again. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { ocictl, spawnOcictl } from '../support/command.ts';

export const killsOfEach = 20;

type Env = Readonly<Record<string, string>>;

interface Killing {
  readonly before?: (kills: number) => Promise<unknown>;
  readonly after: (kills: number) => Promise<unknown>;
  /** Default `killsOfEach`. */
  readonly upTo?: number;
  /** How long the command takes. Default 600. */
  readonly usualMs?: number;
  /** Added to the command's environment. */
  readonly env?: Env;
}

/** Runs a command until it was killed often enough, at moments that are spread over its usual time. @returns How often it was */
export async function killed(
  t: TestContext,
  words: readonly string[],
  { before, after, upTo = killsOfEach, usualMs = 600, env = {} }: Killing,
): Promise<number> {
  let kills = 0;
  // A command that ends before its moment makes the next ones earlier.
  let longestMs = usualMs;
  while (kills < upTo) {
    await before?.(kills);
    const began = performance.now();
    const running = await spawnOcictl(t, words, { env });
    const timer = setTimeout(() => running.child.kill('SIGKILL'), longestMs * (0.2 + 0.9 * Math.random()));
    const { signal, exitCode, stderr } = await running.result;
    clearTimeout(timer);
    await after(kills);
    if (signal === 'SIGKILL') kills += 1;
    else {
      assert.equal(exitCode, 0, stderr);
      longestMs = Math.min(longestMs, performance.now() - began);
    }
  }
  return kills;
}

/** Runs the command once more. It has to succeed. */
export async function finish(t: TestContext, words: readonly string[], env: Env = {}): Promise<void> {
  const { exitCode, stderr } = await ocictl(t, words, { ownProcess: true, env });
  assert.equal(exitCode, 0, stderr);
}
