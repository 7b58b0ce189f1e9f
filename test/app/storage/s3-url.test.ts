import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseS3Url } from '../../../src/app/storage/s3-url.ts';
import { isOciError } from '../../../src/model/errors.ts';

/** The settings of a URL, with the endpoint as text. */
function read(word: string, env: Record<string, string> = {}): Record<string, unknown> {
  const { endpoint, ...rest } = parseS3Url(word, env);
  return { ...rest, endpoint: endpoint.href };
}

const basis = { bucket: 'images', prefix: '', region: 'eu-central-1', pathStyle: false, chunkBytes: 5_242_880 };

describe('the URL of a store on S3', () => {
  for (const [word, expected] of [
    ['s3://images?region=eu-central-1', { endpoint: 'https://s3.eu-central-1.amazonaws.com/' }],
    [
      's3://images/a%20b/c/?region=eu-central-1',
      { prefix: 'a b/c', endpoint: 'https://s3.eu-central-1.amazonaws.com/' },
    ],
    ['s3://images?region=cn-north-1', { region: 'cn-north-1', endpoint: 'https://s3.cn-north-1.amazonaws.com.cn/' }],
    [
      's3://my.images?region=eu-central-1',
      { bucket: 'my.images', pathStyle: true, endpoint: 'https://s3.eu-central-1.amazonaws.com/' },
    ],
    [
      's3://images?region=eu-central-1&dual-stack=true',
      { endpoint: 'https://s3.dualstack.eu-central-1.amazonaws.com/' },
    ],
    ['s3://images?region=eu-central-1&accelerate=true', { endpoint: 'https://s3-accelerate.amazonaws.com/' }],
    [
      's3://images?endpoint=http://127.0.0.1:9000',
      { region: 'us-east-1', pathStyle: true, endpoint: 'http://127.0.0.1:9000/' },
    ],
    [
      's3://images?endpoint=https://s3.example.com&path-style=false&region=eu-central-1&chunk-size=16MiB',
      { endpoint: 'https://s3.example.com/', chunkBytes: 16_777_216 },
    ],
    [
      's3://images?region=eu-central-1&storage-class=STANDARD_IA&encrypt=AES256&acl=bucket-owner-full-control',
      {
        storageClass: 'STANDARD_IA',
        encryption: { algorithm: 'AES256', keyId: undefined },
        acl: 'bucket-owner-full-control',
        endpoint: 'https://s3.eu-central-1.amazonaws.com/',
      },
    ],
    [
      's3://images?region=eu-central-1&key-id=arn:aws:kms:eu-central-1:1:key/2',
      {
        encryption: { algorithm: 'aws:kms', keyId: 'arn:aws:kms:eu-central-1:1:key/2' },
        endpoint: 'https://s3.eu-central-1.amazonaws.com/',
      },
    ],
  ] as const) {
    it(`is read: ${word}`, () => assert.deepEqual(read(word), { ...basis, ...expected }));
  }

  it('leaves the region and the endpoint to variables that AWS’s programs read too', () => {
    assert.equal(read('s3://images', { AWS_REGION: 'eu-west-1' })['region'], 'eu-west-1');
    assert.equal(read('s3://images', { AWS_DEFAULT_REGION: 'eu-west-2' })['region'], 'eu-west-2');
    assert.equal(read('s3://images?region=eu-west-3', { AWS_REGION: 'eu-west-1' })['region'], 'eu-west-3');
    const own = read('s3://images', { AWS_ENDPOINT_URL_S3: 'http://localhost:9000' });
    assert.deepEqual([own['endpoint'], own['pathStyle']], ['http://localhost:9000/', true]);
  });

  for (const [word, problem, hint] of [
    ['s3://', /the bucket has no valid name/, /s3:\/\/BUCKET\/PREFIX/],
    ['s3:///a', /the bucket has no valid name/, /s3:\/\/BUCKET/],
    ['s3://i', /the bucket has no valid name/, /s3:\/\/BUCKET/],
    ['s3://images/a//b?region=r', /empty part/, /without slashes/],
    ['s3://images', /the region of the bucket is not known/, /\$AWS_REGION/],
    ['s3://images?region=a/b', /the region is not valid/, /eu-central-1/],
    ['s3://images?regionendpoint=http://h', /unknown parameter "regionendpoint"/, /did you mean endpoint\?/],
    ['s3://images?storage_class=X', /unknown parameter/, /did you mean storage-class\?/],
    ['s3://images?flavour=x', /unknown parameter "flavour"/, /it takes endpoint, region/],
    ['s3://images?region=a&region=b', /region is there twice/, /leave out/],
    ['s3://images?region=', /region has no value/, /region=VALUE/],
    ['s3://images?region=r&path-style=yes', /neither true nor false/, /path-style=true/],
    ['s3://images?region=r&storage-class=cold', /storage-class is not valid/, /STANDARD_IA/],
    ['s3://images?region=r&encrypt=on', /neither AES256 nor aws:kms/, /encrypt=AES256/],
    ['s3://images?region=r&encrypt=AES256&key-id=k', /goes with no key-id/, /aws:kms/],
    ['s3://images?region=r&key-id=a%0Ab', /key-id is not valid/, /ARN/],
    ['s3://images?region=r&chunk-size=1MiB', /between 5MiB and 128MiB/, /chunk-size=10MiB/],
    ['s3://images?region=r&chunk-size=lots', /between 5MiB and 128MiB/, /chunk-size=10MiB/],
    ['s3://images?endpoint=s3.example.com', /endpoint is no http or https URL/, /https:\/\/HOST/],
    ['s3://images?endpoint=https://h/?x=1', /query or a fragment/, /https:\/\/HOST/],
    ['s3://images?region=r&accelerate=true&path-style=true', /accelerate goes with neither/, /leave it out/],
    ['s3://images?endpoint=http://h&dual-stack=true', /dual-stack goes with no endpoint/, /leave out/],
  ] as const) {
    it(`is refused: ${word}`, () => {
      assert.throws(
        () => parseS3Url(word, {}),
        (error) => isOciError(error, 'USAGE') && problem.test(error.message) && hint.test(error.hint ?? ''),
      );
    });
  }

  for (const word of [
    's3://AKIDEXAMPLE:wJalrXUtnFEMI@images?region=r',
    's3://images?region=r&secret-key=wJalrXUtnFEMI',
    's3://images?region=r&accesskey=wJalrXUtnFEMI',
    's3://images?region=r&session-token=wJalrXUtnFEMI',
    's3://images?endpoint=https://AKID:wJalrXUtnFEMI@h',
  ]) {
    it(`may hold no secret, and shows none: ${word.replace('wJalrXUtnFEMI', '…')}`, () => {
      assert.throws(
        () => parseS3Url(word, {}),
        (error) =>
          isOciError(error, 'USAGE') &&
          /\$AWS_ACCESS_KEY_ID/.test(error.hint ?? '') &&
          !`${error.message} ${error.hint}`.includes('wJalrXUtnFEMI'),
      );
    });
  }
});
