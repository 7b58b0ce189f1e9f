import type { TestContext } from 'node:test';
import { digestTagsOf } from '../../../src/model/reference/digest-tag.ts';
import { buildArtifact, buildImage, pushImage } from '../../support/images.ts';
import { app, one, startPlace, two } from '../copy/places.ts';

/** A registry with an image under two tags; two referrers and a signature hang on it. */
export async function startSigned(t: TestContext) {
  const place = await startPlace(t);
  const image = await buildImage({ layers: [{ files: { a: 'a' } }] });
  const { digest } = image.descriptor;
  for (const tag of [one, two]) await pushImage(place.registry, app, tag, image);
  const parts = await buildArtifact({ artifactType: 'a/parts', subject: image.descriptor });
  const report = await buildArtifact({ artifactType: 'a/report', subject: image.descriptor });
  const signature = await buildArtifact({ artifactType: 'a/signature' });
  const [tag] = digestTagsOf(digest);
  for (const each of [parts, report]) await pushImage(place.registry, app, undefined, each);
  await pushImage(place.registry, app, tag, signature);
  return { ...place, image, digest, parts, report, signature, tag, name: `${place.host}/team/app` };
}
