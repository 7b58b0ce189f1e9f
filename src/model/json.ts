/** Levels; documents of registries and settings have under ten. What nests deeper costs its readers time and stack. */
export const maxJsonDepth = 200;

/** JSON that nests deeper than {@link maxJsonDepth}. */
export class JsonDepthError extends SyntaxError {
  constructor() {
    super(`it is nested deeper than ${maxJsonDepth} levels`);
  }
}

/**
 * Parses JSON that others wrote, whose nesting is bounded before anything is built: the one way to parse it.
 *
 * @throws SyntaxError for text that is not JSON; {@link JsonDepthError} for one that nests too deep.
 */
export function parseJson(text: string): unknown {
  refuseDeepNesting(text);
  return JSON.parse(text);
}

const quoteMark = 0x22;
const backslash = 0x5c;
/** `[` and `{`, `]` and `}` differ in this bit alone. */
const braceBit = 0x20;

// One pass, whatever the text is: where it is not JSON, the parser says so.
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
