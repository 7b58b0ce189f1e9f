import { type ErrorCode, OciError, type OciErrorOptions } from '../model/errors.ts';
import { type HttpResponse, header } from '../transport/http.ts';
import { decodeError, isErrorDocument, printable } from '../wire/errors.ts';
import { parseRetryAfter } from '../wire/headers.ts';
import { creatorOf, type RuleRefusal, ruleRefusal } from '../wire/refusals.ts';

interface ErrorSubject {
  readonly what: string;
  readonly repository?: string | undefined;
  /** `look`: a read before a write. */
  readonly action?: 'pull' | 'look' | 'push' | 'delete' | undefined;
  readonly notFound?: ErrorCode | undefined;
  readonly registry: string;
  readonly endpoint: string;
  /** Whether the response came from another origin: a storage after a redirect, or the Location of an upload. */
  readonly redirected: boolean;
  /** Source of the credentials that were sent. */
  readonly source: string | undefined;
  /** Why a stored login could not be used for a registry that hides content from anonymous clients. */
  readonly lateRefusal: OciError | undefined;
}

const maxErrorBytes = 1024 * 1024;
const isSpelled = 'check the spelling; without a login, private images are reported as missing too';

/** The error for a failed response, with docker's wording where scripts depend on it. */
export async function responseError(response: HttpResponse, subject: ErrorSubject): Promise<OciError> {
  const error = await plainError(response, subject);
  const { lateRefusal, redirected, registry } = subject;
  if (!lateRefusal || redirected || (response.status !== 403 && response.status !== 404)) return error;
  const { code, message, detail, status, endpoint, retryAfterMs, retryable } = error;
  const hint = `the request was sent without a login, because ${registry} did not accept the stored one: ${lateRefusal.message}`;
  return new OciError(code, message, { detail, status, endpoint, retryAfterMs, retryable, hint });
}

async function plainError(response: HttpResponse, subject: ErrorSubject): Promise<OciError> {
  const { status } = response;
  const { endpoint, registry, repository, action = 'pull' } = subject;
  const body = await readErrorBody(response);
  const retryAfterMs = parseRetryAfter(header(response.headers, 'retry-after'), Date.now());
  const error = decodeError(body, {
    status,
    subject: subject.what,
    endpoint,
    retryAfterMs,
    notFound: subject.notFound,
  });
  const reason = error.message.slice(subject.what.length + 2);
  const options = { status, endpoint, retryAfterMs, detail: error.detail, retryable: error.retryable };
  if (!subject.redirected && (action === 'push' || action === 'delete')) {
    const words = isErrorDocument(body) ? reason : printable(new TextDecoder().decode(body.subarray(0, 1000)));
    const refused =
      refusedByRule(ruleRefusal(status, words), error.message, { ...subject, action }, options) ??
      (action === 'push' ? notCreated(error, reason, subject, options) : undefined);
    if (refused) return refused;
  } else if (status === 412 && !subject.redirected) {
    return refusedByRule('rule', error.message, subject, options) ?? error;
  }
  if (error.code === 'UNAUTHORIZED' || error.code === 'DENIED') {
    if (subject.redirected) {
      const message = `${subject.what}: ${registry} redirected to ${endpoint}, which refused: ${reason}`;
      return new OciError('DENIED', message, options);
    }
    const name = repository ?? registry;
    const login = `ocictl login${registry === 'docker.io' ? '' : ` ${registry}`}`;
    const message =
      action === 'pull' && repository !== undefined
        ? `pull access denied for ${name}, repository does not exist or may require 'ocictl login': ${reason}`
        : `${action === 'look' ? '' : `${action} `}access denied for ${name}: ${reason}`;
    // A token for this request was issued and refused, so the account lacks the permission, whatever the status is.
    return new OciError('DENIED', message, { ...options, hint: denialHint(login, action, subject.source) });
  }
  if (status === 413) return new OciError('TOO_LARGE', error.message, options);
  if (error.code === 'MANIFEST_UNKNOWN') {
    const unknown = /manifest unknown/i.test(reason) ? reason : `manifest unknown: ${reason}`;
    return new OciError('MANIFEST_UNKNOWN', `${subject.what} not found: ${unknown}`, { ...options, hint: isSpelled });
  }
  if (error.code === 'NAME_UNKNOWN')
    return new OciError('NAME_UNKNOWN', error.message, { ...options, hint: isSpelled });
  if (error.code === 'TOOMANYREQUESTS') {
    return new OciError('TOOMANYREQUESTS', `toomanyrequests: ${reason}`, {
      ...options,
      hint: `wait, or log in with 'ocictl login ${registry}' for a higher limit`,
    });
  }
  if (status === 405 && action === 'push') {
    const hint = 'the registry takes no pushes: it may be read-only, or a mirror of another one';
    return new OciError(error.code, error.message, { ...options, hint });
  }
  return error;
}

function refusedByRule(
  refusal: RuleRefusal | undefined,
  text: string,
  { registry, action }: Pick<ErrorSubject, 'registry' | 'action'>,
  options: OciErrorOptions,
): OciError | undefined {
  if (refusal === undefined) return undefined;
  if (refusal === 'sealed') {
    const message = `${registry} takes no ${action === 'delete' ? 'deletes' : 'pushes'}: ${text}`;
    return new OciError('DENIED', message, {
      ...options,
      hint: 'another login does not help; the operator can allow it',
    });
  }
  const hint =
    refusal === 'rule'
      ? 'a rule of the registry forbids it: trying again does not help; the operator can change the rule'
      : `${registry} does not ${action === 'delete' ? 'delete' : 'overwrite'} this tag: choose another, or have its rule changed`;
  return new OciError('REFUSED', text, { ...options, retryable: false, hint });
}

/** A push to a repository that must be created first. Some registries report that as 401 or 403. */
function notCreated(
  error: OciError,
  reason: string,
  { registry, repository }: ErrorSubject,
  options: OciErrorOptions,
): OciError | undefined {
  const how = creatorOf(reason);
  if (repository === undefined || (how === undefined && error.code !== 'NAME_UNKNOWN')) return undefined;
  const message = `${repository} has to be created at ${registry} before a push: ${reason}`;
  const hint =
    how === undefined ? 'create it there, or check the spelling' : `create it with ${how}, or check the spelling`;
  return new OciError('NAME_UNKNOWN', message, { ...options, hint });
}

function denialHint(login: string, action: ErrorSubject['action'], source: string | undefined): string {
  const more =
    action === 'push'
      ? ' and whether the repository has to be created first'
      : action === 'pull' && source !== undefined
        ? '; public images can be pulled without credentials, with --anonymous'
        : '';
  const check = `check what the account may do${more}`;
  if (source === undefined) return `log in with '${login}', or ${check}`;
  return `the credentials from ${source} were used: correct them or log in again with '${login}', or ${check}`;
}

// As far as it arrives: the error is reported even if its body breaks off.
async function readErrorBody(response: HttpResponse): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body) {
      size += chunk.length;
      if (size > maxErrorBytes) break;
      chunks.push(chunk);
    }
  } catch {
    // Use what has arrived.
  }
  return Buffer.concat(chunks);
}
