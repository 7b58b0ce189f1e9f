/** The code of a Node or undici error; for an AggregateError the code of its first error. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  if (typeof code === 'string' && code !== '') return code;
  return Array.isArray(errors) && errors.length > 0 ? errorCode(errors[0]) : '';
}

/** An error of ours with one of undici's codes. */
export function coded(code: `UND_ERR_${string}`): Error {
  return Object.assign(new Error(code), { code });
}
