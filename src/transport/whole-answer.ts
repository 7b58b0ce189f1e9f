import { bytesBody } from './body.ts';
import type { Answer } from './exchange.ts';
import { contentLength } from './http.ts';

/** An answer whose body was read completely, if it is a 200 and a limit is given. @throws OciError TOO_LARGE, and what reading throws. */
export async function wholeAnswer(answer: Answer, maxBytes: number | undefined): Promise<Answer> {
  if (maxBytes === undefined || answer.status !== 200) return answer;
  // The caller's error names what is too large.
  if ((contentLength(answer.headers) ?? 0) > maxBytes) return answer;
  return { ...answer, body: bytesBody(await answer.body.bytes(maxBytes)) };
}
