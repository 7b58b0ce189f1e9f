import { bytesBody } from './body.ts';
import type { Answer } from './exchange.ts';
import { networkError, speaksTls } from './failures.ts';
import { contentLength } from './http.ts';
import { clientCertificateError } from './tls-failures.ts';

/**
 * Some servers report connection problems in a body: Go and nginx plain http on a TLS port, nginx a client certificate
 * problem. Others just cut the connection.
 *
 * @returns Any other response; it can still be read. @throws OciError TLS or NETWORK for such a body.
 */
export async function refuseConnectionFault(answer: Answer, url: URL, certsDir: string | undefined): Promise<Answer> {
  if (answer.status !== 400 || (contentLength(answer.headers) ?? 0) > 4096) return answer;
  const bytes = await answer.body.bytes(64 * 1024).catch((error: unknown) => {
    throw networkError(error, url);
  });
  const text = Buffer.from(bytes).toString('latin1');
  const secure = url.protocol === 'https:';
  if (!secure && /HTTP request (?:was sent )?to (?:an )?HTTPS (?:server|port)/i.test(text)) throw speaksTls(url);
  const [fault] = (secure && /No required SSL certificate was sent|The SSL certificate error/.exec(text)) || [];
  if (fault) throw clientCertificateError(url, { shown: fault.startsWith('The'), certsDir });
  return { ...answer, body: bytesBody(bytes) };
}
