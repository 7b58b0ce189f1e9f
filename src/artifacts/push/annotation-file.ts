import { OciError } from '../../model/errors.ts';
import { parseJson } from '../../model/json.ts';
import { quote } from '../../model/quote.ts';

type Annotations = Readonly<Record<string, string>>;

/** The annotations of an artifact, as a file for oras has them. */
interface AnnotationFile {
  readonly manifest: Annotations;
  readonly config: Annotations;
  /** By the title of the file. */
  readonly files: ReadonlyMap<string, Annotations>;
}

/**
 * Reads `{"$manifest": {…}, "$config": {…}, "FILE": {…}}`.
 *
 * @param shown The name of the file, for errors.
 * @throws OciError USAGE naming what is wrong.
 * @see https://oras.land/docs/how_to_guides/manifest_annotations
 */
export function parseAnnotationFile(bytes: Uint8Array, shown: string): AnnotationFile {
  const refuse = (problem: string, cause?: unknown): OciError =>
    new OciError('USAGE', `${shown} ${problem}`, {
      hint: 'it looks like {"$manifest": {"KEY": "VALUE"}, "$config": {}, "FILE": {"KEY": "VALUE"}}',
      cause,
    });
  let document: unknown;
  try {
    document = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refuse('is not JSON', cause);
  }
  if (!isObject(document)) throw refuse('is not a JSON object');
  const files = new Map<string, Annotations>();
  for (const [name, value] of Object.entries(document)) {
    if (!isObject(value)) throw refuse(`has no object of annotations under ${quote(name)}`);
    const wrong = Object.entries(value).find(([, text]) => typeof text !== 'string');
    if (wrong) throw refuse(`has a value that is not a string: ${quote(wrong[0])} of ${quote(name)}`);
    files.set(name, value as Annotations);
  }
  const take = (name: string): Annotations => {
    const found = files.get(name) ?? {};
    files.delete(name);
    return found;
  };
  return { manifest: take('$manifest'), config: take('$config'), files };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
