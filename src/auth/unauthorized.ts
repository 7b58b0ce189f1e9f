/** The errors of a registry that cannot be given what it asks for. */
import type { Credential } from '../credentials/credential.ts';
import type { Challenge } from '../model/challenge.ts';
import { OciError } from '../model/errors.ts';
import { endpointOf } from '../transport/redact.ts';
import { printable } from '../wire/errors.ts';
import { loginHint } from './token-server.ts';

interface Asking {
  /** Its name in messages. */
  readonly registry: string;
  readonly base: URL;
}

/** None of its challenges can be answered. */
export function unsupportedChallenges({ registry, base }: Asking, challenges: readonly Challenge[]): OciError {
  if (challenges.some(({ scheme }) => scheme === 'bearer')) {
    const hint = 'its WWW-Authenticate: Bearer has no realm; those who run it set the address of the token server';
    const message = `unauthorized: ${registry} asks for a token and does not say where to get one`;
    return new OciError('UNAUTHORIZED', message, { status: 401, endpoint: endpointOf(base), hint });
  }
  const schemes = [...new Set(challenges.map(({ scheme }) => scheme))];
  const offered = printable(schemes.slice(0, 5).join(', ')).slice(0, 100);
  const way = offered === '' ? 'no way of logging in' : offered;
  const message = `unauthorized: ${registry} asks for ${way}, which is not supported`;
  return new OciError('UNAUTHORIZED', message, { status: 401, endpoint: endpointOf(base) });
}

/** The registry has refused a credential. */
export function refusedCredential(asking: Asking, credential: Credential): OciError {
  return unauthorized(asking, `${asking.registry} refused the credentials from ${credential.source}`, credential);
}

/** @param credential The one that was found, whether or not it could be used. */
export function unauthorized({ registry, base }: Asking, what: string, credential: Credential | undefined): OciError {
  const unfit = credential?.kind === 'identity-token' ? ' (the stored identity token cannot be used here)' : '';
  return new OciError('UNAUTHORIZED', `unauthorized: ${what}${unfit}`, {
    status: 401,
    endpoint: endpointOf(base),
    hint: loginHint(registry, credential !== undefined),
  });
}
