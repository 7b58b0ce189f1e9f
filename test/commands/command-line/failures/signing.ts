/** Failures of signing and verifying. */
import type { TestContext } from 'node:test';
import { readManifest } from '../../../../src/model/manifest/manifest.ts';
import { mediaTypes } from '../../../../src/model/manifest/media-types.ts';
import { digestTag } from '../../../../src/model/reference/digest-tag.ts';
import { envelopeType } from '../../../../src/trust/formats/dsse.ts';
import { ocictl } from '../../../support/command.ts';
import { pushImage } from '../../../support/images.ts';
import { buildBlob } from '../../../support/layer.ts';
import type { RunResult } from '../../../support/process.ts';
import { writeKeys } from '../../../support/trust/key-files.ts';
import { app, imageFor, one } from '../../copy/places.ts';
import { startFilled, type Tries } from './tries.ts';

const env = { COSIGN_PASSWORD: 'secret' };

/** An image in a registry, and a pair of keys. */
async function startSigning(t: TestContext, { encrypted = false } = {}) {
  const place = await startFilled(t);
  if (encrypted) await ocictl(t, ['key', 'generate'], { env });
  else await writeKeys(t, 'cosign');
  const name = `${place.host}/team/app:1`;
  const sign = (words: readonly string[] = [], password = 'secret'): Promise<RunResult> =>
    ocictl(t, ['sign', '--key', 'cosign.key', ...words, name], { env: { COSIGN_PASSWORD: password } });
  const verify = (): Promise<RunResult> => ocictl(t, ['verify', '--key', 'cosign.pub', name]);
  const attest = (type: string, input: string): Promise<RunResult> =>
    ocictl(t, ['attest', '--key', 'cosign.key', '--predicate', '-', '--type', type, name], { env, input });
  return { ...place, sign, verify, attest };
}

export const signing: Tries = {
  '`verify` of an image without a signature, or with none that counts': [
    {
      run: async (t) => (await startSigning(t)).verify(),
      error: /has no signature$/,
      hint: /ocictl sign adds one/,
    },
    {
      async run(t) {
        const { sign, verify } = await startSigning(t);
        await sign();
        await writeKeys(t, 'cosign');
        return verify();
      },
      error: /no signature that counts, of 2/,
      hint: /the reason for each is above/,
    },
  ],
  '`verify` cannot read a list of signatures': [
    {
      async run(t) {
        const { proxy, verify } = await startSigning(t);
        proxy.fail({ path: /\/referrers\//, status: 503 });
        return verify();
      },
      error: /referrers of sha256:.*: 503/,
      hint: /^$/,
    },
  ],
  '`attest` with a file that is not what `--type` says': [
    {
      run: async (t) => (await startSigning(t)).attest('spdxjson', '{"bomFormat":"CycloneDX"}'),
      error: /standard input is not SPDX in JSON/,
      hint: /--type/,
    },
  ],
  '`attest` where the tag `sha256-….att` holds no attestations': [
    {
      async run(t) {
        const { registry, attest } = await startSigning(t);
        const { digest } = await registry.statManifest(app, one);
        await pushImage(registry, app, digestTag(digest, 'att'), await imageFor('amd64', ['other']));
        return attest('custom', 'any');
      },
      error: /holds something else than attestations/,
      hint: /--signature-format bundle/,
    },
  ],
  '`verify-attestation` of an image without an attestation, or with none that counts': [
    {
      async run(t) {
        const { sign, host } = await startSigning(t);
        await sign();
        return ocictl(t, ['verify-attestation', '--key', 'cosign.pub', `${host}/team/app:1`]);
      },
      error: /has no attestation that counts, of 1/,
      hint: /the reason for each is above/,
    },
  ],
  '`verify-attestation` cannot read a list of attestations': [
    {
      async run(t) {
        const { proxy, host } = await startSigning(t);
        proxy.fail({ path: /\/manifests\/sha256-.*\.att$/, status: 500 });
        return ocictl(t, ['verify-attestation', '--key', 'cosign.pub', `${host}/team/app:1`]);
      },
      error: /\.att: 500/,
      hint: /^$/,
    },
  ],
  'signatures and attestations of one image that are more than 1000, or more than 256 MiB, in all; none of them is then said to count or not':
    [
      {
        async run(t) {
          const { registry, host } = await startSigning(t);
          const { digest } = await registry.statManifest(app, one);
          const [envelope, config] = await Promise.all([
            buildBlob('{}', envelopeType),
            buildBlob('{ }', mediaTypes.ociConfig),
          ]);
          for (const { descriptor, source } of [envelope, config]) await registry.pushBlob(app, descriptor, source);
          const mediaType = mediaTypes.ociManifest;
          const layers = Array.from({ length: 1001 }, () => envelope.descriptor);
          const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config: config.descriptor, layers }));
          await registry.pushManifest(app, await readManifest({ mediaType, bytes }), {
            tags: [digestTag(digest, 'att')],
          });
          return ocictl(t, ['verify-attestation', '--key', 'cosign.pub', `${host}/team/app:1`]);
        },
        error: /has 1001 attestations; up to 1000 are looked at/,
        hint: /ocictl discover/,
      },
    ],
  '`sign` with a wrong password for the key': [
    {
      run: async (t) => (await startSigning(t, { encrypted: true })).sign([], 'wrong'),
      error: /wrong password for the key cosign\.key/,
      hint: /COSIGN_PASSWORD/,
    },
  ],
  '`sign` where the tag `sha256-….sig` holds no signatures': [
    {
      async run(t) {
        const { registry, sign } = await startSigning(t);
        const { digest } = await registry.statManifest(app, one);
        await pushImage(registry, app, digestTag(digest, 'sig'), await imageFor('amd64', ['other']));
        return sign();
      },
      error: /holds something else than signatures/,
      hint: /--signature-format bundle/,
    },
  ],
  '`key generate` where a file exists': [
    {
      async run(t) {
        await startSigning(t);
        return ocictl(t, ['key', 'generate'], { env });
      },
      error: /cosign\.key exists already/,
      hint: /--output-prefix/,
    },
  ],
};
