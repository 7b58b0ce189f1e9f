import type { Scope } from '../../test/support/sandbox.ts';
import { type Bench, failure, scoped } from '../context.ts';
import { contenders } from '../transfers.ts';
import { type Count, count } from './count.ts';
import { canHaveOwnNetwork, inOwnNetwork, relayAddress } from './own-network.ts';
import { Rounds } from './rounds.ts';
import { type RowKind, rowKinds } from './rows.ts';
import { type Auth, startSite } from './site.ts';
import { forget, setStage, stageEnv } from './stage.ts';

/** Prints what the chosen rows take from the network, wait for wait, without any distance. */
export async function countDistance(bench: Bench): Promise<void> {
  if (canHaveOwnNetwork()) return inOwnNetwork(bench.scope, process.argv.slice(2), 'inherit');
  const address = relayAddress();
  if (address === '127.0.0.1') process.stdout.write('On loopback, where other rules hold for insecure registries.\n');
  for (const auth of ['basic', 'token'] as const) {
    for (const row of rowKinds) {
      const name = auth === 'basic' ? row.name : `${row.name}-${auth}`;
      if (bench.cells.length > 0 && !bench.cells.includes(name)) continue;
      await scoped(bench, (scope) => countRow(bench, scope, { row, auth, address, name }));
    }
  }
}

interface Cell {
  readonly row: RowKind;
  readonly auth: Auth;
  readonly address: string;
  readonly name: string;
}

async function countRow(bench: Bench, scope: Scope, { row, auth, address, name }: Cell): Promise<void> {
  const rounds = new Rounds();
  const site = await startSite(scope, { link: rounds, auth, address, registries: row.registries });
  for (const pid of site.pids) rounds.watch(pid);
  const stage = await setStage(bench, scope, site, row);
  process.stdout.write(`\n${name}: ${row.title}\n`);
  for (const program of contenders(bench, 'https')) {
    const commands = row.commands(program, stage);
    if (!commands) continue;
    const ours = bench.nodes.some((node) => node.name === program.name);
    if (ours) await forget(site.env);
    for (const [nth, what] of (ours ? ['first run', 'known host'] : ['']).entries()) {
      try {
        await row.before?.(stage);
        const counted = await count(commands, { site, rounds, env: stageEnv(stage, row) });
        process.stdout.write(described(`${program.name}${what && `, ${what}`}`, counted, ours && nth === 0));
      } catch (error) {
        process.stdout.write(`  not counted: ${failure(bench, program.name, error)}\n`);
      }
    }
  }
}

function described(name: string, counted: Count, detailed: boolean): string {
  const { waits, connections, requests, sentBytes, receivedBytes, rounds } = counted;
  const head = `  ${name}: ${waits} waits, ${connections} connections, ${requests.length} requests, ${sentBytes} + ${receivedBytes} bytes\n`;
  if (!detailed) return head;
  const lines = [...rounds.map((round, i) => `${i + 1}. ${round.join('; ')}`), ...requests];
  return head + lines.map((line) => `      ${line}\n`).join('');
}
