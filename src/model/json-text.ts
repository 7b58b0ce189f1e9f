/** JSON that is changed in places: what is not changed keeps its bytes, also numbers that JavaScript cannot hold. */
import { parseJson } from './json.ts';
import { parseJsonObject } from './json-fields.ts';

/** A member of an object: its text up to the value, its value, and the white space after that. */
interface Member {
  readonly name: string;
  readonly lead: string;
  value: string;
  readonly trail: string;
}

/** An object in JSON text. Fields are given in the order of the text; of two with one name the last counts. */
export class JsonText {
  readonly #members: Member[];
  readonly #before: string;
  readonly #after: string;
  readonly #inEmpty: string;

  private constructor(text: string) {
    const { before, items, after, inEmpty } = splitItems(text, '{');
    this.#before = before;
    this.#after = after;
    this.#inEmpty = inEmpty;
    this.#members = items.map(memberOf);
  }

  /** @throws OciError MANIFEST_INVALID for bytes that are no JSON object. */
  static parse(bytes: Uint8Array): JsonText {
    parseJsonObject(bytes);
    return new JsonText(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  }

  /** @param text An object, which has been parsed before. */
  static read(text: string): JsonText {
    return new JsonText(text);
  }

  /** @param fields In their order. */
  static of(fields: Readonly<Record<string, unknown>>): JsonText {
    return new JsonText(JSON.stringify(fields));
  }

  /** Whether there is such a field, with a value other than null. */
  has(name: string): boolean {
    const text = this.#find(name)?.value;
    return text !== undefined && text !== 'null';
  }

  /** The value of a field; undefined if it is absent or null. */
  get(name: string): unknown {
    const text = this.#find(name)?.value;
    return text === undefined || text === 'null' ? undefined : parseJson(text);
  }

  /** The text of the value of a field; undefined if it is absent. */
  textOf(name: string): string | undefined {
    return this.#find(name)?.value;
  }

  /** An object in a field; an empty one if it is absent. Put it back with {@link set} when it was changed. */
  object(name: string): JsonText {
    const text = this.#find(name)?.value;
    return new JsonText(text?.startsWith('{') ? text : '{}');
  }

  /** The texts of the elements of a list; none if it is absent. */
  list(name: string): readonly string[] {
    const text = this.#find(name)?.value;
    return text?.startsWith('[') ? splitItems(text, '[').items.map((item) => item.trim()) : [];
  }

  /** The names of all fields. */
  names(): readonly string[] {
    return this.#members.map(({ name }) => name);
  }

  /** Whether there are no fields. */
  get isEmpty(): boolean {
    return this.#members.length === 0;
  }

  /** Sets a field. It keeps its text if it has that value already. */
  set(name: string, value: unknown): void {
    const found = this.#find(name);
    const isText = value instanceof JsonText || value instanceof JsonList;
    const text = isText ? value.text : JSON.stringify(value);
    if (found) {
      const isSame =
        value instanceof JsonList
          ? value.items.join() === this.list(name).join()
          : !isText && JSON.stringify(parseJson(found.value)) === text;
      if (!isSame) found.value = text;
      return;
    }
    const [first] = this.#members;
    const [, space = '', colon = ':'] = /^(\s*)"(?:[^"\\]|\\.)*"(\s*:\s*)$/.exec(first?.lead ?? '') ?? [];
    const last = this.#members.at(-1);
    // The white space before the closing brace stays there.
    const trail = last?.trail ?? '';
    if (last) this.#members[this.#members.length - 1] = { ...last, trail: '' };
    this.#members.push({ name, lead: `${space}${JSON.stringify(name)}${colon}`, value: text, trail });
  }

  /** Removes a field. */
  delete(name: string): void {
    for (let at = this.#members.length - 1; at >= 0; at -= 1) {
      if (this.#members[at]?.name !== name) continue;
      const [removed] = this.#members.splice(at, 1);
      const last = this.#members.at(-1);
      if (at === this.#members.length && last && removed) {
        this.#members[at - 1] = { ...last, trail: removed.trail };
      }
    }
  }

  get text(): string {
    const members = this.#members.map(({ lead, value, trail }) => `${lead}${value}${trail}`);
    const inside = members.length === 0 ? this.#inEmpty : members.join(',');
    return `${this.#before}{${inside}}${this.#after}`;
  }

  get bytes(): Uint8Array {
    return Buffer.from(this.text);
  }

  #find(name: string): Member | undefined {
    return this.#members.findLast((member) => member.name === name);
  }
}

/** A list in JSON text, of elements that are texts. */
export class JsonList {
  readonly items: readonly string[];

  constructor(items: readonly string[]) {
    this.items = items;
  }

  get text(): string {
    return `[${this.items.join(',')}]`;
  }
}

/** JSON without the space between its parts. @param text JSON that has been parsed before. */
export function onOneLine(text: string): string {
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at);
    const end = quote === -1 ? text.length : quote;
    parts.push(text.slice(at, end).replace(/[ \t\n\r]+/g, ''));
    at = quote === -1 ? end : stringEnd(text, quote) + 1;
    parts.push(text.slice(end, at));
  }
  return parts.join('');
}

interface Split {
  readonly before: string;
  readonly items: readonly string[];
  readonly after: string;
  /** The white space in an object without members. */
  readonly inEmpty: string;
}

/** Splits an object or list at its commas. The text is known to be JSON. */
function splitItems(text: string, open: '{' | '['): Split {
  const start = text.indexOf(open);
  const items: string[] = [];
  let [depth, from] = [0, start + 1];
  for (let at = start; at < text.length; at += 1) {
    const unit = text[at];
    if (unit === '"') at = stringEnd(text, at);
    else if (unit === '{' || unit === '[') depth += 1;
    else if (unit === '}' || unit === ']') {
      depth -= 1;
      if (depth > 0) continue;
      const last = text.slice(from, at);
      const isEmpty = items.length === 0 && last.trim() === '';
      if (!isEmpty) items.push(last);
      return { before: text.slice(0, start), items, after: text.slice(at + 1), inEmpty: isEmpty ? last : '' };
    } else if (unit === ',' && depth === 1) {
      items.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return { before: text, items, after: '', inEmpty: '' };
}

/** Where a string ends that begins at a quote. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function memberOf(text: string): Member {
  const start = text.indexOf('"');
  const end = stringEnd(text, start);
  const colon = text.indexOf(':', end);
  const rest = text.slice(colon + 1);
  const value = rest.trim();
  const valueAt = colon + 1 + rest.indexOf(value);
  return {
    name: parseJson(text.slice(start, end + 1)) as string,
    lead: text.slice(0, valueAt),
    value,
    trail: text.slice(valueAt + value.length),
  };
}
