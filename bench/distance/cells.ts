import type { DelayOptions } from './delay.ts';
import { type RowKind, rowKinds } from './rows.ts';
import type { Auth } from './site.ts';
import type { Front } from './spots.ts';

/** What can be counted: a row, with what stands at the far end. */
export interface Setting {
  /** `pull-ten`, `digest-token` */
  readonly name: string;
  readonly row: RowKind;
  readonly auth: Auth;
  readonly front: Front;
  readonly proxy: boolean;
}

/** What is timed: a setting at a distance. */
export interface Cell {
  /** `pull-ten-40` */
  readonly name: string;
  readonly title: string;
  readonly setting: Setting;
  readonly delay: DelayOptions;
  /** Where the time is that of the bytes, which hardly varies, few runs do. */
  readonly mostRuns?: number;
}

/** All that differ in what passes over the network. */
export const settings: readonly Setting[] = [
  ...rowKinds.filter(({ front }) => !front).flatMap((row) => [setting(row.name), setting(row.name, { auth: 'token' })]),
  ...rowKinds.filter(({ front }) => front).map(({ name, front }) => setting(name, { ...(front && { front }) })),
  ...['pull-ten', 'push-ten'].flatMap((row) => [setting(row, { front: 'http1' }), setting(row, { front: 'nginx' })]),
  ...['digest', 'pull-ten'].map((row) => setting(row, { proxy: true })),
];

const hundredMbit = 12.5e6;

/** At most 40: the long chains at every distance, the others at one. What stands first is measured first. */
export const cells: readonly Cell[] = [
  ...at(40, 'digest', 'inspect', 'tags', 'login', 'pull-ten', 'pull-one', 'push-ten', 'push-again'),
  ...at(40, 'copy-within', 'copy-between', 'tags-pages', 'many-tags'),
  ...at(40, 'digest-token', 'pull-ten-token', 'push-ten-token', 'push-again-token', 'copy-between-token'),
  ...at(0, 'digest', 'pull-ten', 'push-ten'),
  ...at(10, 'pull-ten', 'push-ten'),
  ...at(150, 'digest', 'pull-ten', 'push-ten', 'copy-between', 'pull-ten-token'),
  ...['pull-ten', 'push-ten'].map((name) =>
    cell(name, 'unsteady', '40 ms, to 20 more, and stalls of 200', {
      ...{ rttMs: 40, jitterMs: 20, stalls: { oneIn: 50, ms: 200 } },
    }),
  ),
  cell('digest-token', 'far-tokens', '10 ms, the token server 80 ms', { rttMs: 10, rttMsOf: { tokens: 80 } }),
  ...at(40, 'pull-ten-http1', 'push-ten-http1', 'pull-ten-nginx', 'push-ten-nginx', 'digest-proxy', 'pull-ten-proxy'),
  cell('pull-five', 'shared', '40 ms, 100 Mbit/s for all', { rttMs: 40, sharedRate: hundredMbit }),
  cell('pull-five', 'each', '40 ms, 100 Mbit/s for each connection', { rttMs: 40, rate: hundredMbit }),
  cell('pull-large', 'each', '40 ms, 100 Mbit/s for each connection', { rttMs: 40, rate: hundredMbit }),
  ...at(40, 'copy-all'),
];

function setting(rowName: string, options: Partial<Pick<Setting, 'auth' | 'front' | 'proxy'>> = {}): Setting {
  const row = rowKinds.find(({ name }) => name === rowName);
  if (!row) throw new Error(`there is no row ${rowName}`);
  const { auth = 'basic', front = 'docker-registry', proxy = false } = options;
  const words = [auth === 'basic' ? '' : auth, front === row.front || front === 'docker-registry' ? '' : front];
  const name = [rowName, ...words, proxy ? 'proxy' : ''].filter((word) => word !== '').join('-');
  return { name, row, auth, front, proxy };
}

function at(rttMs: number, ...names: string[]): Cell[] {
  return names.map((name) => cell(name, String(rttMs), `${rttMs} ms`, { rttMs }));
}

function cell(settingName: string, word: string, title: string, delay: DelayOptions): Cell {
  const found = settings.find(({ name }) => name === settingName);
  if (!found) throw new Error(`there is no setting ${settingName}`);
  const isLimited = delay.rate !== undefined || delay.sharedRate !== undefined;
  return {
    ...{ name: `${settingName}-${word}`, title: `${titleOf(found)}; ${title}`, setting: found, delay },
    ...(isLimited && { mostRuns: 3 }),
  };
}

export function titleOf({ row, auth, front, proxy }: Setting): string {
  const words = [
    auth === 'token' ? 'tokens' : '',
    front === 'http1' ? 'HTTP/1.1' : front === 'nginx' ? 'behind nginx' : '',
    proxy ? 'through a proxy' : '',
  ];
  return [row.title, ...words].filter((word) => word !== '').join(', ');
}
