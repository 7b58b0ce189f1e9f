import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, measure } from '../measure.ts';
import type { Traffic } from './relay.ts';
import type { Round, Rounds } from './rounds.ts';
import type { Site } from './site.ts';

/** What commands took from the network. */
export interface Count extends Traffic {
  /** The longest chain of round trips; of several commands their sum. */
  readonly waits: number;
  readonly rounds: readonly Round[];
  /** `GET /v2/… 200`, by server. */
  readonly requests: readonly string[];
}

/** Runs commands one after the other and counts. @throws Error where one fails. */
export async function count(
  commands: readonly Command[],
  { site, rounds, env }: { readonly site: Site; readonly rounds: Rounds; readonly env: NodeJS.ProcessEnv },
): Promise<Count> {
  await rounds.reset();
  site.reset();
  for (const command of commands) {
    await measure(command, { env: { ...site.env, ...env }, started: (pid) => rounds.watch(pid) });
  }
  const counted = [...rounds.rounds];
  // Servers write their logs when they have answered.
  await sleep(50);
  return { waits: counted.length, rounds: counted, ...site.traffic(), requests: site.requests() };
}
