/** What registries refuse whoever asks, by a rule of theirs; known by status, and by their words where those are known. */

/** `overwrite`: a tag that stays as it is. `sealed`: nobody writes here. `rule`: another one. */
export type RuleRefusal = 'overwrite' | 'sealed' | 'rule';

interface Phrase {
  readonly says: RuleRefusal;
  readonly statuses: readonly number[];
  /** Sought in code and message, or in a body that is no JSON. */
  readonly words: RegExp;
}

const refusing: readonly number[] = [400, 403, 405, 409, 412];

/** In the order in which they count; with each, where a registry is seen to say so. */
const phrases: readonly Phrase[] = [
  // Ours, and others in their maintenance; Nexus: https://issues.sonatype.org/browse/NEXUS-25275
  { says: 'sealed', statuses: refusing, words: /\bread[- ]?only\b|\bdelet\w+ (?:is|are) disabled\b/i },
  // docker-registry with `maintenance: readonly` has no such methods: all that it says is this. A cache says UNSUPPORTED.
  // https://distribution.github.io/distribution/about/configuration/#readonly
  { says: 'sealed', statuses: [405], words: /^method not allowed$/i },
  // Amazon ECR, 400 TAG_INVALID: https://github.com/moby/buildkit/issues/3776
  // Alibaba Cloud: https://help.aliyun.com/en/acr/user-guide/turn-on-immutable-image-version
  // Mirantis: https://docs.mirantis.com/msr/current/ops/manage-images/prevent-tags-from-being-overwritten.html
  // Harbor before 2.0: https://github.com/goharbor/harbor/pull/9427
  { says: 'overwrite', statuses: refusing, words: /\bcannot be overwrit/i },
  // Harbor, 412 ("configured as immutable"): https://github.com/goharbor/harbor/pull/9837
  // Docker Hub and GitLab call such tags so: https://docs.docker.com/docker-hub/repos/manage/hub-images/immutable-tags,
  // https://docs.gitlab.com/user/packages/container_registry/immutable_container_tags
  { says: 'overwrite', statuses: refusing, words: /\bimmutab/i },
];

/**
 * Whether a write was refused by a rule. 409 and 412 say so without any words.
 *
 * @param words What the registry said.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.5.10
 */
export function ruleRefusal(status: number, words: string): RuleRefusal | undefined {
  const known = phrases.find((phrase) => phrase.statuses.includes(status) && phrase.words.test(words.trim()));
  return known?.says ?? (status === 409 || status === 412 ? 'rule' : undefined);
}

/**
 * How registries say that a repository, or the project that it is to be in, has to be created before a push. With each,
 * what creates it.
 */
const creators: readonly { readonly words: RegExp; readonly how: string }[] = [
  // Amazon ECR: https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-push-ecr-image.html
  {
    words: /\brepository with name '[^']*' does not exist in the registry\b/i,
    how: 'aws ecr create-repository --repository-name NAME',
  },
  // Harbor ("project app not found"): https://goharbor.io/docs/main/working-with-projects/create-projects/
  { words: /\bproject\b.{0,255}\bnot found\b/i, how: 'a new project in Harbor' },
];

/** What creates the repository that a push lacks, where the registry's words tell; else undefined. */
export function creatorOf(words: string): string | undefined {
  return creators.find((each) => each.words.test(words))?.how;
}
