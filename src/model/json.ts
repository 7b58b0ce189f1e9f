/** In levels. Documents of registries and settings have fewer than ten; deeper nesting costs time and stack to parse. */
export const maxJsonDepth = 200;

/** JSON that nests deeper than {@link maxJsonDepth}. */
export class JsonDepthError extends SyntaxError {
  constructor() {
    super(`it is nested deeper than ${maxJsonDepth} levels`);
  }
}

/**
 * Parses untrusted JSON. The nesting is checked before the parser builds anything. All untrusted JSON goes through here.
 *
 * @throws SyntaxError for text that is not JSON; {@link JsonDepthError} for JSON that nests too deep.
 */
export function parseJson(text: string): unknown {
  refuseDeepNesting(text);
  return JSON.parse(text);
}

const quoteMark = 0x22;
const backslash = 0x5c;
/** `[` differs from `{`, and `]` from `}`, in this bit only. */
const braceBit = 0x20;

// One pass. Text that is not JSON passes as well: the parser reports it.
function refuseDeepNesting(text: string): void {
  if (text.length <= maxJsonDepth) return;
  let depth = 0;
  let isString = false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (isString) {
      if (unit === backslash) at += 1;
      else if (unit === quoteMark) isString = false;
    } else if (unit === quoteMark) isString = true;
    else if ((unit | braceBit) === 0x7b) {
      depth += 1;
      if (depth > maxJsonDepth) throw new JsonDepthError();
    } else if ((unit | braceBit) === 0x7d) depth -= 1;
  }
}

/** Whether a parsed value is an object, and neither null nor an array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object that a text holds; undefined if it holds anything else, or is no JSON. */
export function tryParseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = parseJson(text);
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
