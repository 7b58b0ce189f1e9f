import { OciError } from '../../model/errors.ts';
import { formatChallenge } from '../../wire/challenges.ts';
import { answerError } from '../http/answers.ts';
import type { Exchange } from '../http/exchange.ts';
import { type Access, type Authorize, type Decision, denied } from './access.ts';

/**
 * Authorises a request, and answers it if it is refused.
 *
 * @param mount Further access that a mount needs. If the token covers the target only, the client is sent for one that
 * covers both, as in distribution. If no token would, the mount becomes an ordinary upload.
 * @returns Whether the request may proceed.
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
  // This challenge names all of the access: a client that gets a token for both may mount.
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
