/** Type checks for fields of parsed JSON. Errors name the path of the field. */
import { OciError } from './errors.ts';
import { JsonDepthError, parseJson } from './json.ts';

/** Asserts a JSON object. @throws OciError MANIFEST_INVALID */
export function asObject(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidField(where, 'must be an object');
  return value as Record<string, unknown>;
}

/** Parses bytes as a JSON object. @throws OciError MANIFEST_INVALID */
export function parseJsonObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    const problem = cause instanceof JsonDepthError ? cause.message : 'it is not JSON';
    throw new OciError('MANIFEST_INVALID', `malformed manifest: ${problem}`, { cause });
  }
  return asObject(value, 'the document');
}

/** Asserts a JSON list. @throws OciError MANIFEST_INVALID */
export function asArray(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidField(where, 'must be a list');
  return value;
}

/** Asserts a JSON string. @throws OciError MANIFEST_INVALID */
export function asString(value: unknown, where: string): string {
  if (typeof value !== 'string') throw invalidField(where, 'must be a string');
  return value;
}

/** Whether a JSON field is present. Go programs write null for an absent one. */
export function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Asserts a JSON list of strings; an absent one is an empty list. @throws OciError MANIFEST_INVALID */
export function asStrings(value: unknown, where: string): readonly string[] {
  return asArray(value ?? [], where).map((item, i) => asString(item, `${where}[${i}]`));
}

/** The error for a field with a wrong type or value. */
export function invalidField(where: string, problem: string): OciError {
  return new OciError('MANIFEST_INVALID', `malformed manifest: ${where} ${problem}`);
}
