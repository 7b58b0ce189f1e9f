import { parseArgs } from 'node:util';
import { cells, settings } from './distance/cells.ts';

/** What can be measured, in the order in which it is. */
export const parts = ['pull', 'push', 'copy', 'startup', 'serve', 'serve-s3', 'growth', 'distance'] as const;
export type Part = (typeof parts)[number];

export interface Options {
  readonly runs: number;
  readonly only: readonly Part[];
  /** Words that a shape's name must contain one of; empty: all shapes. */
  readonly images: readonly string[];
  /** Names of cells of `distance`; empty: all. */
  readonly cells: readonly string[];
  /** Only counts what cells of `distance` take from the network, and prints it wait for wait. */
  readonly count: boolean;
  readonly nodes: readonly string[];
  /** A fraction of all sizes and counts, for a look that is quick and proves nothing. */
  readonly scale: number;
  readonly minutes: number;
  readonly json: string | undefined;
  readonly markdown: string | undefined;
}

export const usage = `npm run bench -- [options]

  --runs N          Counted runs of each command, after one that is not (default 7; of distance 5 at most)
  --only PART,…     Of ${parts.join(', ')} (default all)
  --image WORD,…    Only images whose name contains one of these words: 5-layers, 1-layer, 200-layers, 50-images
  --cell NAME,…     Only these cells of distance
  --count           Only count what these take from the network, and print it wait for wait
  --node PATH       Node to run ocictl with; may be repeated (default this one)
  --scale X         A fraction of all sizes and counts, for a quick look (default 1)
  --minutes N       Start nothing more after this time (default 120)
  --json FILE       Write every figure there
  --markdown FILE   Write the tables there, between <!-- figures --> and <!-- /figures --> where it has these
`;

/** @throws Error that says what is wrong. */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '7' },
      only: { type: 'string', multiple: true, default: [] },
      image: { type: 'string', multiple: true, default: [] },
      cell: { type: 'string', multiple: true, default: [] },
      count: { type: 'boolean', default: false },
      node: { type: 'string', multiple: true, default: [process.execPath] },
      scale: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '120' },
      json: { type: 'string' },
      markdown: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const chosen = listed(values.only);
  const unknown = chosen.find((name) => !parts.some((part) => part === name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: there are ${parts.join(', ')}`);
  const cellNames = [...settings, ...cells].map(({ name }) => name);
  const noCell = listed(values.cell).find((name) => !cellNames.includes(name));
  if (noCell !== undefined) throw new Error(`--cell ${noCell}: there are ${cellNames.join(', ')}`);
  return {
    runs: positive('--runs', values.runs, Number.isInteger),
    only: parts.filter((part) => chosen.length === 0 || chosen.includes(part)),
    images: listed(values.image),
    cells: listed(values.cell),
    count: values.count,
    nodes: values.node,
    scale: positive('--scale', values.scale),
    minutes: positive('--minutes', values.minutes),
    json: values.json,
    markdown: values.markdown,
  };
}

/** The command that measures the same, without the paths of this machine. */
export function commandOf(options: Pick<Options, 'runs' | 'only' | 'images' | 'cells' | 'scale'>): string {
  const { runs, only, images, cells, scale } = options;
  const words = [
    ...(runs === 7 ? [] : [`--runs ${runs}`]),
    ...(only.length === parts.length ? [] : [`--only ${only.join(',')}`]),
    ...(images.length === 0 ? [] : [`--image ${images.join(',')}`]),
    ...(cells.length === 0 ? [] : [`--cell ${cells.join(',')}`]),
    ...(scale === 1 ? [] : [`--scale ${scale}`]),
  ];
  return ['npm run bench', ...(words.length === 0 ? [] : ['--', ...words])].join(' ');
}

function listed(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(',')).filter((word) => word !== '');
}

function positive(name: string, text: string, fits: (value: number) => boolean = Number.isFinite): number {
  const value = Number(text);
  if (!fits(value) || value <= 0) throw new Error(`${name} ${text}: not a number above 0`);
  return value;
}
