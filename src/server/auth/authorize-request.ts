import { OciError } from '../../model/errors.ts';
import { formatChallenge } from '../../wire/challenges.ts';
import { answerError } from '../http/answers.ts';
import type { Exchange } from '../http/exchange.ts';
import { type Access, type Authorize, type Decision, denied } from './access.ts';

/**
 * Authorises a request, and answers it where it may not go on.
 *
 * @param mount What a mount needs besides. Who has a token for the target alone is sent for one that allows both, as by
 *   distribution; where none would, the blob is uploaded as if it were nowhere else.
 * @returns Whether it may go on.
 */
export async function authorizeRequest(
  exchange: Exchange,
  authorize: Authorize | undefined,
  access: readonly Access[],
  mount?: Access,
): Promise<boolean> {
  if (authorize === undefined) return true;
  const whole = await ask(exchange, authorize, mount === undefined ? access : [...access, mount]);
  exchange.mayMount = mount !== undefined && whole.outcome === 'grant';
  const decision = mount === undefined || exchange.mayMount ? whole : await ask(exchange, authorize, access);
  if (decision.outcome !== 'challenge') exchange.context.user = decision.user;
  const wider = mount !== undefined && decision.outcome === 'grant' && mayGetMore(whole) ? whole : undefined;
  if (decision.outcome === 'grant' && wider === undefined) return true;
  // The challenge for all of it: a client that gets a token for both may mount.
  if (wider !== undefined) await answerChallenge(exchange, wider, wider);
  else if (decision.outcome === 'challenge') await answerChallenge(exchange, whole, decision);
  else await answerError(exchange, new OciError('DENIED', denied));
  return false;
}

function ask(exchange: Exchange, authorize: Authorize, access: readonly Access[]): Promise<Decision> {
  const { loginSignal: signal, request, context } = exchange;
  const { method, remoteAddress, scheme, host } = context;
  const origin = host === undefined ? undefined : `${scheme}://${host}`;
  return authorize({ method, headers: request.headers, access, remoteAddress, origin, signal });
}

function mayGetMore(whole: Decision): whole is Challenged {
  if (whole.outcome !== 'challenge' || whole.isFinal) return false;
  return whole.challenges.some(({ scheme }) => scheme === 'bearer');
}

type Challenged = Extract<Decision, { readonly outcome: 'challenge' }>;

function answerChallenge(exchange: Exchange, whole: Decision, own: Challenged): Promise<void> {
  const { challenges } = whole.outcome === 'challenge' ? whole : own;
  const cause = own.reason === undefined ? undefined : new Error(own.reason);
  const error = new OciError('UNAUTHORIZED', own.message ?? 'authentication required', { cause });
  return answerError(exchange, error, { 'www-authenticate': challenges.map(formatChallenge) });
}
