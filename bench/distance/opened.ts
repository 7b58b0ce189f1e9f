import type { Scope } from '../../test/support/sandbox.ts';
import { type Bench, scaled } from '../context.ts';
import { measureAll } from '../measure.ts';
import type { Runner } from '../race.ts';
import { contenders } from '../transfers.ts';
import type { Setting } from './cells.ts';
import { relayAddress } from './own-network.ts';
import type { Link } from './relay.ts';
import { Rounds } from './rounds.ts';
import type { Stage } from './rows.ts';
import { type Site, startSite } from './site.ts';
import { forget, setStage, stageEnv } from './stage.ts';

/** A setting whose servers run, and what is run in it. */
export interface Opened {
  readonly site: Site;
  readonly rounds: Rounds;
  /** Ours first, twice: on a host that is new to it, and on one that it knows. */
  readonly runners: readonly Runner[];
  /** What connections from now on travel by; at first they are counted in rounds. */
  use(link: Link): void;
}

export async function openSetting(bench: Bench, scope: Scope, setting: Setting): Promise<Opened> {
  const { auth, front, proxy } = setting;
  const row = { ...setting.row, layerBytes: scaled(bench, setting.row.layerBytes) };
  const rounds = new Rounds();
  let current: Link = rounds;
  const link: Link = { connect: (name) => current.connect(name) };
  const { registries } = row;
  const site = await startSite(scope, { link, auth, front, proxy, registries, address: relayAddress() });
  for (const pid of site.pids) rounds.watch(pid);
  const stage = await setStage(bench, scope, site, row);
  const env = { ...site.env, ...stageEnv(stage, row) };
  const before = async (): Promise<void> => row.before?.(stage);
  const runners = contenders(bench, 'https').flatMap((program): Runner[] => {
    const commands = row.commands(program, stage);
    if (!commands) return [];
    const runner = { name: program.name, commands, env, before };
    return isOurs(bench, program.name) ? [firstRun(runner, stage), knownHost(runner, stage)] : [runner];
  });
  return {
    ...{ site, rounds, runners },
    use(other) {
      current = other;
    },
  };
}

export function isOurs({ nodes }: Pick<Bench, 'nodes'>, name: string): boolean {
  return nodes.some((node) => name.startsWith(node.name));
}

/** Said of every figure that is not from a network of its own. */
export function where(): string {
  return relayAddress() === '127.0.0.1' ? ' (on loopback, where insecure registries have other rules)' : '';
}

function firstRun(runner: Runner, stage: Stage): Runner {
  const env = ownMemory(runner, stage, 'first');
  return {
    ...{ ...runner, name: `${runner.name}, first run`, env },
    async before() {
      await forget(env);
      await runner.before?.();
    },
  };
}

function knownHost(runner: Runner, stage: Stage): Runner {
  const env = ownMemory(runner, stage, 'known');
  let isKnown = false;
  return {
    ...{ ...runner, name: `${runner.name}, known host`, env },
    async before() {
      if (!isKnown) {
        await forget(env);
        await runner.before?.();
        await measureAll(runner.commands, { env });
        isKnown = true;
      }
      await runner.before?.();
    },
  };
}

/** Where this runner alone keeps what it learns, and Node's compiled code. */
function ownMemory({ env, name }: Runner, { target }: Stage, what: string): Record<string, string> {
  const directory = `${target}-${name.replaceAll(/[^\w.]+/g, '-')}-${what}`;
  return { ...env, XDG_CACHE_HOME: `${directory}-cache`, XDG_RUNTIME_DIR: `${directory}-run` };
}
