/** What a command takes from the network: the longest chain of waits, counted by a relay in front of real registries. */
import { type Count, count } from '../../../bench/distance/count.ts';
import type { Link } from '../../../bench/distance/relay.ts';
import { Rounds } from '../../../bench/distance/rounds.ts';
import { type Site, type SiteOptions, startSite } from '../../../bench/distance/site.ts';
import { forget } from '../../../bench/distance/stage.ts';
import type { Command } from '../../../bench/measure.ts';
import type { Scope } from '../sandbox.ts';

export interface Counting {
  readonly site: Site;
  /** Runs commands, one after the other. @throws Error where one fails. */
  count(commands: readonly Command[], env?: Readonly<Record<string, string>>): Promise<Count>;
  /** Has connections travel by another link, which does not count waits, or again by that which does. */
  use(link: Link | undefined): void;
  /** Takes away what earlier commands learned and kept: facts of hosts, and tokens. */
  forget(): Promise<void>;
}

/** Starts registries over TLS, with a login that the sandbox has, behind relays that count. */
export async function startCounting(t: Scope, options: Omit<SiteOptions, 'link'> = {}): Promise<Counting> {
  const rounds = new Rounds();
  let current: Link = rounds;
  const site = await startSite(t, { ...options, link: { connect: (name) => current.connect(name) } });
  for (const pid of site.pids) rounds.watch(pid);
  return {
    site,
    count: (commands, env = {}) => count(commands, { site, rounds, env }),
    use(link) {
      current = link ?? rounds;
    },
    forget: () => forget(site.env),
  };
}
