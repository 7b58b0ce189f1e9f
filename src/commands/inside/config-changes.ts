import { isObject, parseJson } from '../../model/json.ts';

/** A field of the config that is not the same in both images. */
export interface ConfigChange {
  /** `config.Env`, `created`. */
  readonly field: string;
  /** Undefined where the image does not have it. */
  readonly before: unknown;
  readonly after: unknown;
}

/** Fields that follow from layers and steps, which are compared by themselves. */
const others = new Set(['rootfs', 'history']);
/** Fields whose own fields are compared. */
const opened = new Set(['config', 'config.Labels']);

/** Compares two configs field by field, in the order of the fields' names. @throws SyntaxError for what is no JSON */
export function configChanges(before: Uint8Array, after: Uint8Array): readonly ConfigChange[] {
  const [a, b] = [fieldsOf(before), fieldsOf(after)];
  const fields = [...new Set([...a.keys(), ...b.keys()])].sort();
  return fields
    .filter((field) => JSON.stringify(a.get(field)) !== JSON.stringify(b.get(field)))
    .map((field) => ({ field, before: a.get(field), after: b.get(field) }));
}

function fieldsOf(bytes: Uint8Array): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  const add = (object: unknown, before: string): void => {
    if (!isObject(object)) return;
    for (const [key, value] of Object.entries(object)) {
      const field = before + key;
      if (others.has(field)) continue;
      if (opened.has(field)) add(value, `${field}.`);
      else if (value !== null) found.set(field, value);
    }
  };
  add(parseJson(new TextDecoder().decode(bytes)), '');
  return found;
}
