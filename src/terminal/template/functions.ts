/** The functions of templates: those of Go's text/template and those that Docker adds. */
import { formatJson } from '../json.ts';
import { templateError } from './tokens.ts';
import { isRecord, isTrue, kindOf, printed } from './values.ts';

interface TemplateFunction {
  /** The smallest and, in `max`, the largest number of arguments. */
  readonly min: number;
  readonly max: number;
  call(args: readonly unknown[], at: number): unknown;
}

const many = Number.POSITIVE_INFINITY;

/** @see https://docs.docker.com/engine/cli/formatting/ and https://pkg.go.dev/text/template#hdr-Functions */
const templateFunctions: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['and', { min: 1, max: many, call: (args) => args.find((arg) => !isTrue(arg)) ?? falseOr(args) }],
  ['eq', { min: 2, max: many, call: ([first, ...rest], at) => rest.some((arg) => compare(first, arg, at) === 0) }],
  ['ge', { min: 2, max: 2, call: ([a, b], at) => order(a, b, at) >= 0 }],
  ['gt', { min: 2, max: 2, call: ([a, b], at) => order(a, b, at) > 0 }],
  ['index', { min: 1, max: many, call: ([of, ...keys], at) => keys.reduce((from, key) => index(from, key, at), of) }],
  ['join', { min: 2, max: 2, call: ([list, by], at) => items(list, at).map(printed).join(string(by, at)) }],
  ['json', { min: 1, max: 1, call: ([arg]) => formatJson(arg) }],
  ['le', { min: 2, max: 2, call: ([a, b], at) => order(a, b, at) <= 0 }],
  ['len', { min: 1, max: 1, call: ([arg], at) => length(arg, at) }],
  ['lower', { min: 1, max: 1, call: ([arg], at) => string(arg, at).toLowerCase() }],
  ['lt', { min: 2, max: 2, call: ([a, b], at) => order(a, b, at) < 0 }],
  ['ne', { min: 2, max: 2, call: ([a, b], at) => compare(a, b, at) !== 0 }],
  ['not', { min: 1, max: 1, call: ([arg]) => !isTrue(arg) }],
  ['or', { min: 1, max: many, call: (args) => args.find(isTrue) ?? args.at(-1) }],
  ['pad', { min: 3, max: 3, call: ([arg, before, after], at) => pad(string(arg, at), before, after, at) }],
  ['print', { min: 0, max: many, call: (args) => args.map(printed).join('') }],
  ['printf', { min: 1, max: many, call: ([format, ...args], at) => printf(string(format, at), args, at) }],
  ['println', { min: 0, max: many, call: (args) => `${args.map(printed).join(' ')}\n` }],
  ['split', { min: 2, max: 2, call: ([arg, by], at) => string(arg, at).split(string(by, at)) }],
  ['title', { min: 1, max: 1, call: ([arg], at) => string(arg, at).replace(/(?<![\p{L}\p{Nd}_'])\p{Ll}/gu, upper) }],
  [
    'truncate',
    { min: 2, max: 2, call: ([arg, count], at) => [...string(arg, at)].slice(0, number(count, at)).join('') },
  ],
  ['upper', { min: 1, max: 1, call: ([arg], at) => string(arg, at).toUpperCase() }],
]);

/** Calls a function by name. @throws OciError USAGE, as {@link requireFunction} */
export function callFunction(name: string, args: readonly unknown[], at: number): unknown {
  return requireFunction(name, args.length, at).call(args, at);
}

/** The function of this name. @throws OciError USAGE naming the existing functions, or the number of arguments it takes. */
export function requireFunction(name: string, count: number, at: number): TemplateFunction {
  const found = templateFunctions.get(name);
  if (!found) {
    throw templateError(
      at,
      `there is no function ${name}`,
      `the functions are ${[...templateFunctions.keys()].join(', ')}`,
    );
  }
  if (count < found.min || count > found.max) {
    const wanted = found.max === found.min ? `${found.min}` : `at least ${found.min}`;
    throw templateError(at, `${name} takes ${wanted} argument${wanted === '1' ? '' : 's'}, not ${count}`);
  }
  return found;
}

// `find` returns undefined both for an undefined argument and if nothing was found.
function falseOr(args: readonly unknown[]): unknown {
  return args.every(isTrue) ? args.at(-1) : undefined;
}

function upper(text: string): string {
  return text.toUpperCase();
}

function string(value: unknown, at: number): string {
  if (typeof value === 'string') return value;
  throw templateError(at, `a string is needed, this is ${kindOf(value)}`);
}

function number(value: unknown, at: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw templateError(at, `a whole number is needed, this is ${kindOf(value)}`);
}

function items(value: unknown, at: number): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value === null || value === undefined) return [];
  throw templateError(at, `a list is needed, this is ${kindOf(value)}`);
}

function index(from: unknown, key: unknown, at: number): unknown {
  if (from instanceof Map) return from.get(String(key)) ?? '';
  if (isRecord(from) && typeof key === 'string') {
    if (Object.hasOwn(from, key)) return from[key];
    throw templateError(
      at,
      `there is no field ${JSON.stringify(key)}`,
      `the fields are ${Object.keys(from).join(', ')}`,
    );
  }
  // A missing map: Go's nil map gives the same.
  if (from === null || from === undefined) return '';
  if (!Array.isArray(from)) throw templateError(at, `index needs a list or a map, this is ${kindOf(from)}`);
  const place = number(key, at);
  if (place >= from.length) throw templateError(at, `the list has ${from.length} items: there is no item ${place}`);
  return from[place];
}

function length(value: unknown, at: number): number {
  if (value === null || value === undefined) return 0;
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  throw templateError(at, `len needs a string, a list or a map, this is ${kindOf(value)}`);
}

function compare(a: unknown, b: unknown, at: number): number {
  const [left, right] = [a ?? null, b ?? null];
  if (left === null || right === null) return left === right ? 0 : 1;
  if (typeof left !== typeof right || typeof left === 'object') {
    throw templateError(at, `${kindOf(left)} and ${kindOf(right)} cannot be compared`);
  }
  if (left === right) return 0;
  return (left as string | number) < (right as string | number) ? -1 : 1;
}

function order(a: unknown, b: unknown, at: number): number {
  if (typeof a === typeof b && (typeof a === 'string' || typeof a === 'number')) return compare(a, b, at);
  throw templateError(at, `${kindOf(a)} and ${kindOf(b)} have no order`);
}

function pad(text: string, before: unknown, after: unknown, at: number): string {
  return text === '' ? text : padding(number(before, at), at) + text + padding(number(after, at), at);
}

const maxPadding = 4096;

function padding(count: number, at: number): string {
  if (count > maxPadding) throw templateError(at, `more than ${maxPadding} spaces`);
  return ' '.repeat(count);
}

function printf(format: string, args: readonly unknown[], at: number): string {
  const left = [...args];
  const text = format.replace(
    /%([-0]?)(\d*)(?:\.(\d+))?(.?)/gsu,
    (whole, flag: string, width: string, digits: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      if (!'svdqtf'.includes(verb) || verb === '')
        throw templateError(at, `printf does not know ${whole}`, 'it knows %s %v %d %q %t %f %%');
      if (left.length === 0) throw templateError(at, `printf has no argument for ${whole}`);
      const shown = formatted(verb, left.shift(), digits === undefined ? undefined : Number(digits), at);
      const columns = Number(width);
      padding(columns, at);
      return flag === '-' ? shown.padEnd(columns) : shown.padStart(columns, flag === '0' ? '0' : ' ');
    },
  );
  if (left.length > 0) throw templateError(at, `printf has ${left.length} arguments too many`);
  return text;
}

function formatted(verb: string, value: unknown, digits: number | undefined, at: number): string {
  if (verb === 'q') return JSON.stringify(printed(value));
  if (verb === 'd' || verb === 'f') {
    if (typeof value !== 'number') throw templateError(at, `%${verb} needs a number, this is ${kindOf(value)}`);
    return verb === 'd' ? String(Math.trunc(value)) : value.toFixed(Math.min(digits ?? 6, 100));
  }
  if (verb === 't' && typeof value !== 'boolean')
    throw templateError(at, `%t needs a boolean, this is ${kindOf(value)}`);
  return digits === undefined ? printed(value) : [...printed(value)].slice(0, digits).join('');
}
