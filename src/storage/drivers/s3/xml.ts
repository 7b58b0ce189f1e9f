import { parseXml, XmlElement, type XmlNode, XmlText } from '@rgrove/parse-xml';

/** An element of an answer. Namespaces and attributes do not matter. */
export interface Element {
  readonly name: string;
  /** The text directly in it, trimmed. */
  readonly text: string;
  /** The children of this name. */
  all(name: string): readonly Element[];
  /** The text of the first child of this name; undefined if there is none. */
  value(name: string): string | undefined;
}

/** A page of a list has 1,000 entries of some 15 elements. Elements take a hundred times the memory of their text. */
const maxTags = 100_000;

/** The root of a document; undefined for what is not XML. Entities and declarations of types are not followed. */
export function tryParseXml(bytes: Uint8Array): Element | undefined {
  const text = Buffer.from(bytes).toString('utf8').trimStart();
  // A web page may be well-formed too, and then has another root than callers ask for.
  if (!text.startsWith('<')) return undefined;
  if (hasTooManyTags(text)) return undefined;
  try {
    const { root } = parseXml(text);
    return root === null ? undefined : element(root);
  } catch {
    return undefined; // also if it is nested so deeply that the stack overflows
  }
}

function hasTooManyTags(text: string): boolean {
  let count = 0;
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at + 1)) {
    count += 1;
    if (count > maxTags) return true;
  }
  return false;
}

// Lists have thousands of elements, so nothing is made before it is asked for.
function element(node: XmlElement): Element {
  const named = function* (name: string): Generator<XmlElement> {
    for (const child of node.children) if (child instanceof XmlElement && localName(child) === name) yield child;
  };
  return {
    name: localName(node),
    get text() {
      return textOf(node.children);
    },
    all: (name) => Array.from(named(name), element),
    value(name) {
      const [first] = named(name);
      return first && textOf(first.children);
    },
  };
}

function localName({ name }: XmlElement): string {
  return name.slice(name.indexOf(':') + 1);
}

function textOf(nodes: readonly XmlNode[]): string {
  return nodes
    .map((node) => (node instanceof XmlText ? node.text : ''))
    .join('')
    .trim();
}

/** Text for the content of an element. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"'\r]/g, (c) => `&#${c.charCodeAt(0)};`);
}
