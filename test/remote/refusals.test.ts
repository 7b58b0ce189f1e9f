import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exitStatusOf, isOciError, OciError } from '../../src/model/errors.ts';
import { parseTag } from '../../src/model/reference/reference.ts';
import { fakeRegistry, repo } from './fake-registry.ts';

const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
const bytes = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: ociManifest,
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: `sha256:${'0'.repeat(64)}`, size: 2 },
    layers: [],
  }),
);

const said = (code: string, message: string): string => JSON.stringify({ errors: [{ code, message }] });

async function failure(work: Promise<unknown>): Promise<OciError> {
  const error = await work.then(
    () => assert.fail('it was taken'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof OciError, String(error));
  assert.ok(error.fromServer);
  return error;
}

describe('a write that a registry refuses', () => {
  const cannot = "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the";
  for (const [by, status, body, exit, message, hint] of [
    [
      'ECR',
      400,
      said('TAG_INVALID', `${cannot} repository is immutable.`),
      9,
      /repository is immutable/,
      /choose another/,
    ],
    [
      'ECR, by a rule',
      400,
      said('TAG_INVALID', `${cannot} tag is immutable.`),
      9,
      /tag is immutable/,
      /choose another/,
    ],
    [
      'Harbor',
      412,
      said('PRECONDITION', "Failed to process request due to 'app:v1' configured as immutable."),
      9,
      /configured as immutable/,
      /choose another/,
    ],
    [
      'an immutable tag with 403',
      403,
      said('DENIED', 'tag v1 is immutable'),
      9,
      /tag v1 is immutable/,
      /choose another/,
    ],
    [
      'Artifact Registry',
      400,
      said('MANIFEST_INVALID', 'cannot update tag v1. The repository has enabled tag immutability'),
      9,
      /has enabled tag immutability/,
      /choose another/,
    ],
    [
      'Azure, of what is locked',
      405,
      said('REGISTRY_DISALLOWED_OPERATION', 'The operation is disallowed on this registry, repository or image. View'),
      9,
      /is disallowed on this registry/,
      /a rule of the registry forbids it/,
    ],
    [
      'Quay, read-only',
      405,
      said(
        'DENIED',
        'System is currently read-only. Pulls will succeed but all write operations are currently suspended.',
      ),
      4,
      /takes no pushes: .*currently read-only/,
      /another login does not help/,
    ],
    [
      'Quay, of a tag',
      409,
      said('TAG_ALREADY_EXISTS', 'tag was already pushed'),
      9,
      /already pushed/,
      /choose another/,
    ],
    [
      'Quay, of a quota',
      403,
      said('DENIED', 'Quota has been exceeded on namespace'),
      9,
      /Quota has been exceeded/,
      /a rule of the registry forbids it/,
    ],
    ['409 without words', 409, '', 9, /409 from/, /a rule of the registry forbids it/],
    ['412 with others', 412, said('PROJECTPOLICYVIOLATION', 'not signed'), 9, /not signed/, /a rule of the registry/],
    ['a tag that is no tag to it', 400, said('TAG_INVALID', 'no dots'), 5, /no dots/, undefined],
    ['a name that is no name to it', 400, said('NAME_INVALID', 'two parts'), 5, /two parts/, undefined],
    ['docker-registry, read-only', 405, 'Method not allowed\n', 4, /takes no pushes/, /another login does not help/],
    ['a cache', 405, said('UNSUPPORTED', 'The operation is unsupported.'), 1, /unsupported/, /a mirror of another/],
    [
      'ECR without the repository',
      404,
      said('NAME_UNKNOWN', "The repository with name 'app' does not exist in the registry with id '1'"),
      3,
      /team\/app has to be created at .* before a push: The repository with name/,
      /aws ecr create-repository/,
    ],
    [
      'Artifact Registry without it',
      404,
      said('NAME_UNKNOWN', 'Repository "app" not found'),
      3,
      /has to be created at .* before a push: Repository "app" not found/,
      /create it with gcloud artifacts repositories create NAME/,
    ],
    [
      'Harbor without the project',
      401,
      said('UNAUTHORIZED', 'project team not found, name: team'),
      3,
      /has to be created at .* before a push: project team not found/,
      /a new project in Harbor/,
    ],
    [
      'GitLab and Hub, that deny it',
      403,
      said('DENIED', 'requested access to the resource is denied'),
      4,
      /push access denied/,
      /has to be created first/,
    ],
  ] as const) {
    it(`by ${by} ends with ${exit}`, async (t) => {
      const { registry } = await fakeRegistry(t, ({ method }, response) =>
        method === 'PUT' ? response.writeHead(status).end(body) : response.writeHead(404).end(),
      );
      const pushed = registry.pushManifest(repo, { mediaType: ociManifest, bytes }, { tags: [parseTag('v1')] });
      const error = await failure(pushed);
      assert.equal(exitStatusOf(error), exit, `${error.code} ${error.message}`);
      assert.match(error.message, message);
      if (hint) assert.match(error.hint ?? '', hint);
    });
  }

  it('is refused for deletes in words of their own', async (t) => {
    const { registry } = await fakeRegistry(t, (_, response) =>
      response.writeHead(412).end(said('PRECONDITION', "due to 'app:v1' configured as immutable.")),
    );
    const error = await failure(registry.deleteTag(repo, parseTag('v1')));
    assert.equal(exitStatusOf(error), 9);
    assert.match(error.hint ?? '', /does not delete this tag/);
  });

  it('of a pull is a rule only with 412', async (t) => {
    for (const [status, exit] of [
      [412, 9],
      [409, 5],
    ] as const) {
      const { registry } = await fakeRegistry(t, (_, response) =>
        response.writeHead(status).end(said('PROJECTPOLICYVIOLATION', 'vulnerable')),
      );
      const error = await failure(registry.getManifest(repo, parseTag('v1')));
      assert.equal(exitStatusOf(error), exit);
    }
  });
});

describe('the status of what this program says itself', () => {
  it('is that of usage, unlike what a server says with the same code', () => {
    const own = new OciError('TAG_INVALID', 'x');
    assert.deepEqual([exitStatusOf(own), own.fromServer], [2, false]);
    const theirs = new OciError('TAG_INVALID', 'x', { status: 400 });
    assert.ok(isOciError(theirs, 'TAG_INVALID'));
    assert.deepEqual([exitStatusOf(theirs), theirs.fromServer], [5, true]);
  });
});
