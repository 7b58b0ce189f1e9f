import { type Bench, failure, scoped, tell } from '../context.ts';
import type { Row } from '../results.ts';
import { settings, titleOf } from './cells.ts';
import { type Count, count } from './count.ts';
import { type Opened, openSetting, where } from './opened.ts';
import { canHaveOwnNetwork, inOwnNetwork } from './own-network.ts';

/** Prints what the chosen settings take from the network, wait for wait, without any distance. */
export async function countDistance(bench: Bench): Promise<void> {
  if (canHaveOwnNetwork()) return inOwnNetwork(bench.scope, process.argv.slice(2), 'inherit');
  for (const setting of settings.filter(({ name }) => isChosen(bench, name))) {
    await scoped(bench, async (scope) => {
      const opened = await openSetting(bench, scope, setting);
      process.stdout.write(`\n${setting.name}: ${titleOf(setting)}${where()}\n`);
      let isFirst = true;
      for await (const [name, counted] of counts(bench, opened)) {
        process.stdout.write(counted ? described(name, counted, isFirst) : `  ${name}: failed\n`);
        isFirst = false;
      }
    });
  }
}

/** Whether these names of one thing were chosen, or nothing was. */
export function isChosen({ cells }: Pick<Bench, 'cells'>, ...names: string[]): boolean {
  return cells.length === 0 || names.some((name) => cells.includes(name));
}

/** What each runner takes; undefined, and told, where it fails. */
export async function* counts(
  bench: Bench,
  { site, rounds, runners }: Opened,
  isCounted: (name: string) => boolean = () => true,
): AsyncGenerator<readonly [name: string, count: Count | undefined]> {
  for (const { name, commands, env, before } of runners.filter((runner) => isCounted(runner.name))) {
    try {
      await before?.();
      yield [name, await count(commands, { site, rounds, env: { ...env } })];
    } catch (error) {
      tell(`not counted: ${failure(bench, name, error)}`);
      yield [name, undefined];
    }
  }
}

export function asColumns(counted: Count | undefined): Pick<Row, 'waits' | 'connections' | 'requests' | 'wireBytes'> {
  if (!counted) return {};
  const { waits, connections, requests, sentBytes, receivedBytes } = counted;
  return { waits, connections, requests: requests.length, wireBytes: sentBytes + receivedBytes };
}

function described(name: string, counted: Count, detailed: boolean): string {
  const { waits, connections, requests, sentBytes, receivedBytes, rounds } = counted;
  const sums = [`${waits} waits`, `${connections} connections`, `${requests.length} requests`];
  const head = `  ${name}: ${sums.join(', ')}, ${sentBytes} + ${receivedBytes} bytes\n`;
  if (!detailed) return head;
  const lines = [...rounds.map((round, i) => `${i + 1}. ${round.join('; ')}`), ...requests];
  return head + lines.map((line) => `      ${line}\n`).join('');
}
