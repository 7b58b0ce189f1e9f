// Signs an image and attests how it was built, then verifies both, as before a deployment.
//
//     ocictl key generate
//     COSIGN_PASSWORD=… node examples/sign-and-verify.ts localhost:5000/team/app:1 cosign.key cosign.pub
//
// Node 22.18 or newer runs TypeScript as it is.
import { readFile } from 'node:fs/promises';
import { attest, isOciError, sign, verify, verifyAttestation } from 'ocictl';

const [reference, privateKey, publicKey] = process.argv.slice(2);
if (!reference || !privateKey || !publicKey) throw new Error('usage: sign-and-verify REFERENCE PRIVATE PUBLIC');

const builder = 'https://ci.example.com/builder';
const provenance = {
  buildDefinition: { buildType: 'https://ci.example.com/build', externalParameters: {} },
  runDetails: { builder: { id: builder } },
};

try {
  const key = await readFile(privateKey, 'utf8');
  const password = process.env['COSIGN_PASSWORD'];
  await sign(reference, { key, password });
  await attest(reference, provenance, { key, password, type: 'slsaprovenance1' });

  const signedBy = [{ key: await readFile(publicKey, 'utf8'), name: publicKey }];
  const { image, verdicts } = await verify(reference, { signedBy });
  for (const { form, accepted } of verdicts) {
    if (accepted) process.stdout.write(`${image} is signed by ${accepted.signedBy.name} (${form})\n`);
  }
  const fields = { 'runDetails.builder.id': builder };
  const attested = await verifyAttestation(image, { signedBy, type: 'slsaprovenance1', fields });
  for (const { accepted } of attested.verdicts) {
    if (accepted) process.stdout.write(`${accepted.attested.predicateText}\n`);
  }
} catch (error) {
  if (!isOciError(error)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n${error.hint ?? ''}\n`);
  process.exitCode = 1;
}
