/**
 * Counters, gauges and histograms in the text format of Prometheus.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */

/** A family of series that have one name. Label values come from bounded sets: each combination is kept for ever. */
export interface Family {
  /** Its lines, each with its end. */
  render(): string;
}

/** One series of a counter or gauge. Whoever counts often keeps it: finding it costs more than counting. */
export interface Count {
  total: number;
}

/** A value that only grows, or one that may also become less (`gauge`). */
export class Counter implements Family {
  readonly #head: string;
  readonly #series: Series<Count>;

  constructor(name: string, help: string, labels: readonly string[], type: 'counter' | 'gauge' = 'counter') {
    this.#head = headOf(name, help, type);
    this.#series = new Series(name, labels, () => ({ total: 0 }));
  }

  /** @param values Of its labels, in their order. */
  at(...values: readonly string[]): Count {
    return this.#series.at(values);
  }

  render(): string {
    return this.#head + this.#series.lines((line, { total }) => line('', total));
  }
}

/** One series of a histogram. */
export class Distribution {
  readonly bounds: readonly number[];
  /** By bound, and the rest. */
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.bounds.length && value > (this.bounds[at] ?? 0)) at += 1;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sum += value;
  }
}

/** How often values were at most so large. */
export class Histogram implements Family {
  readonly #head: string;
  readonly #series: Series<Distribution>;

  constructor(name: string, help: string, labels: readonly string[], bounds: readonly number[]) {
    this.#head = headOf(name, help, 'histogram');
    this.#series = new Series(name, labels, () => new Distribution(bounds));
  }

  /** @param values Of its labels, in their order. */
  at(...values: readonly string[]): Distribution {
    return this.#series.at(values);
  }

  render(): string {
    const lines = this.#series.lines((line, { bounds, counts, sum }) => {
      let below = 0;
      let text = '';
      for (const [at, count] of counts.entries()) {
        below += count;
        text += line('_bucket', below, `le="${bounds[at] ?? '+Inf'}"`);
      }
      return text + line('_sum', sum) + line('_count', below);
    });
    return this.#head + lines;
  }
}

/** A value that is read when it is asked for. */
export class Gauge implements Family {
  readonly #head: string;
  readonly #name: string;
  readonly #read: () => number | undefined;

  /** @param read Undefined where this system does not tell. */
  constructor(name: string, help: string, read: () => number | undefined, type: 'gauge' | 'counter' = 'gauge') {
    this.#head = headOf(name, help, type);
    this.#name = name;
    this.#read = read;
  }

  render(): string {
    const value = this.#read();
    return value === undefined ? '' : `${this.#head}${this.#name} ${value}\n`;
  }
}

/** Writes one line of a series. @param suffix Of the name. @param more A further label. */
type Line = (suffix: string, value: number, more?: string) => string;

class Series<T> {
  readonly #name: string;
  readonly #labels: readonly string[];
  readonly #make: () => T;
  readonly #byLabels = new Map<string, T>();

  constructor(name: string, labels: readonly string[], make: () => T) {
    this.#name = name;
    this.#labels = labels;
    this.#make = make;
  }

  at(values: readonly string[]): T {
    const key = values.join('\n');
    const found = this.#byLabels.get(key);
    if (found !== undefined) return found;
    const made = this.#make();
    this.#byLabels.set(key, made);
    return made;
  }

  lines(write: (line: Line, series: T) => string): string {
    let text = '';
    for (const [key, series] of this.#byLabels) {
      const values = key.split('\n');
      const own = this.#labels.map((label, at) => `${label}="${escaped(values[at] ?? '')}"`);
      text += write((suffix, value, more) => {
        const labels = [...own, ...(more === undefined ? [] : [more])].join(',');
        return `${this.#name}${suffix}${labels === '' ? '' : `{${labels}}`} ${value}\n`;
      }, series);
    }
    return text;
  }
}

function headOf(name: string, help: string, type: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

function escaped(value: string): string {
  return value.replace(/[\\"]/g, '\\$&');
}
