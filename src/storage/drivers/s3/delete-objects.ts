import { createHash } from 'node:crypto';
import type { S3Client } from './client.ts';
import { escapeXml } from './xml.ts';

/** S3 takes no more in one request. */
const maxKeys = 1000;

/**
 * Deletes objects, those that are there.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 */
export async function deleteObjects(client: S3Client, paths: readonly string[]): Promise<void> {
  const [first, second] = paths;
  if (first === undefined) return;
  if (second === undefined) return void (await client.delete(first));
  for (let at = 0; at < paths.length; at += maxKeys) await deleteSome(client, paths.slice(at, at + maxKeys));
}

async function deleteSome({ connection }: S3Client, paths: readonly string[]): Promise<void> {
  const action = `delete ${paths[0]} and others`;
  const keys = paths.map((path) => `<Object><Key>${escapeXml(connection.key(path))}</Key></Object>`);
  const xmlns = 'http://s3.amazonaws.com/doc/2006-03-01/';
  const body = Buffer.from(`<Delete xmlns="${xmlns}"><Quiet>true</Quiet>${keys.join('')}</Delete>`);
  const headers = {
    'content-type': 'application/xml',
    'content-md5': createHash('md5').update(body).digest('base64'),
  };
  const { answer } = await connection.call({ method: 'POST', query: { delete: '' }, headers, body, action });
  const result = await connection.document(answer, 'DeleteResult', { action, maxBytes: 1024 * 1024 });
  const [error] = result.all('Error').filter((each) => each.value('Code') !== 'NoSuchKey');
  if (error === undefined) return;
  const [code, text] = [error.value('Code'), error.value('Message')];
  throw connection.failure(
    { status: answer.status, code, text, region: undefined },
    `delete ${error.value('Key') ?? 'it'}`,
  );
}
