import type { Credential } from '../../credentials/credential.ts';
import { OciError } from '../../model/errors.ts';
import { tryParseObject } from '../../model/json.ts';
import { type HttpResponse, header } from '../../transport/http.ts';
import type { Transport } from '../../transport/transport.ts';

/** What the logins of all clouds are made with. */
export interface CloudContext {
  readonly env: NodeJS.ProcessEnv;
  /** The connection to a host of the cloud. It is closed by its owner. */
  readonly connect: (base: URL) => Transport;
  /** Loads a package of the cloud's SDK. @throws Node's error if it is not installed, or cannot be loaded. */
  readonly load: (name: string) => unknown;
  readonly signal: AbortSignal;
}

/** A login, and when it ends in milliseconds since 1970. */
export interface CloudLogin {
  readonly credential: Credential;
  readonly expiresAtMs: number;
}

const maxAnswerBytes = 256 * 1024;

/**
 * The JSON object of an answer.
 *
 * @param what What was asked for, for errors. They contain nothing of the answer but its status and the name of its error.
 * @throws OciError DENIED for a 4xx, UNAVAILABLE for a 5xx, PROTOCOL.
 */
export async function readAnswer(response: HttpResponse, what: string): Promise<Readonly<Record<string, unknown>>> {
  const text = Buffer.from(await response.body.bytes(maxAnswerBytes)).toString('utf8');
  const answer = tryParseObject(text);
  const { status, url } = response;
  if (status !== 200) {
    // `InvalidSignatureException`, `com.amazon.coral#ExpiredTokenException:http://…`
    const name = /(\w+)(?::.*)?$/.exec(
      String(answer?.['__type'] ?? header(response.headers, 'x-amzn-errortype') ?? ''),
    );
    const reason = name?.[1] === undefined ? `${status}` : `${status} ${name[1].slice(0, 100)}`;
    throw new OciError(status >= 500 ? 'UNAVAILABLE' : 'DENIED', `${url.host} refuses ${what}: ${reason}`, { status });
  }
  if (!answer) throw new OciError('PROTOCOL', `${url.host} answers the request for ${what} with something else`);
  return answer;
}
