/** Refusals of writes by a registry's rules, recognised by status, and by wording where that is known. */

/** `overwrite`: an immutable tag. `sealed`: the whole registry or repository is read-only. `rule`: another rule. */
export type RuleRefusal = 'overwrite' | 'sealed' | 'rule';

interface Phrase {
  readonly says: RuleRefusal;
  readonly statuses: readonly number[];
  /** Matched against code and message, or a body that is not JSON. */
  readonly words: RegExp;
}

const refusing: readonly number[] = [400, 403, 405, 409, 412];

/** The first match counts. The links show where a registry uses these words. */
const phrases: readonly Phrase[] = [
  // Our own server, and others during maintenance; Nexus: https://issues.sonatype.org/browse/NEXUS-25275
  // Quay, 405 DENIED: https://github.com/quay/quay/blob/master/endpoints/v2/errors.py
  { says: 'sealed', statuses: refusing, words: /\bread[- ]?only\b|\bdelet\w+ (?:is|are) disabled\b/i },
  // docker-registry with `maintenance: readonly` removes these methods, and sends only this text. A pull-through cache
  // sends UNSUPPORTED.
  // https://distribution.github.io/distribution/about/configuration/#readonly
  { says: 'sealed', statuses: [405], words: /^method not allowed$/i },
  // Amazon ECR, 400 TAG_INVALID: https://github.com/moby/buildkit/issues/3776
  // Alibaba Cloud: https://help.aliyun.com/en/acr/user-guide/turn-on-immutable-image-version
  // Mirantis: https://docs.mirantis.com/msr/current/ops/manage-images/prevent-tags-from-being-overwritten.html
  // Harbor before 2.0: https://github.com/goharbor/harbor/pull/9427
  { says: 'overwrite', statuses: refusing, words: /\bcannot be overwrit/i },
  // Harbor, 412 ("configured as immutable"): https://github.com/goharbor/harbor/pull/9837
  // Google Artifact Registry, 400 MANIFEST_INVALID ("the repository has enabled tag immutability"):
  // https://cloud.google.com/artifact-registry/docs/docker/troubleshoot#push
  // The term of Docker Hub and GitLab for such tags:
  // https://docs.docker.com/docker-hub/repos/manage/hub-images/immutable-tags,
  // https://docs.gitlab.com/user/packages/container_registry/immutable_container_tags
  { says: 'overwrite', statuses: refusing, words: /\bimmutab/i },
  // Quay, 409 TAG_ALREADY_EXISTS, 403 for a quota and 405 for a namespace:
  // https://github.com/quay/quay/blob/master/endpoints/v2/errors.py
  { says: 'overwrite', statuses: [409], words: /\btag was already pushed\b/i },
  { says: 'rule', statuses: [403, 405], words: /\bquota has been exceed|\bnamespace is disabled\b/i },
  // Azure, 405 for what is locked: https://github.com/Azure/azure-sdk-for-net/issues/22827
  // https://learn.microsoft.com/azure/container-registry/container-registry-image-lock
  { says: 'rule', statuses: [405], words: /\boperation is disallowed on this\b/i },
];

/**
 * Whether a rule of the registry refused a write. The statuses 409 and 412 mean that with any text.
 *
 * @param words The registry's error text.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.5.10
 */
export function ruleRefusal(status: number, words: string): RuleRefusal | undefined {
  const known = phrases.find((phrase) => phrase.statuses.includes(status) && phrase.words.test(words.trim()));
  return known?.says ?? (status === 409 || status === 412 ? 'rule' : undefined);
}

/**
 * Error texts that mean that the repository, or the project for it, must be created before a push, each with the way to
 * create it.
 */
const creators: readonly { readonly words: RegExp; readonly how: string }[] = [
  // Amazon ECR: https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-push-ecr-image.html
  {
    words: /\brepository with name '[^']*' does not exist in the registry\b/i,
    how: 'aws ecr create-repository --repository-name NAME',
  },
  // Google Artifact Registry: https://github.com/GoogleCloudPlatform/avocano/issues/412
  {
    words: /\brepository "[^"]*" not found\b/i,
    how: 'gcloud artifacts repositories create NAME --repository-format=docker',
  },
  // Harbor ("project app not found"): https://goharbor.io/docs/main/working-with-projects/create-projects/
  { words: /\bproject\b.{0,255}\bnot found\b/i, how: 'a new project in Harbor' },
];

/** How to create the repository that a push needs, if the registry's error text is known; else undefined. */
export function creatorOf(words: string): string | undefined {
  return creators.find((each) => each.words.test(words))?.how;
}
