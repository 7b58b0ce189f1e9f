/**
 * Commands of docker, podman, crane, skopeo, oras, regctl and cosign that have another name here, by the words after the
 * program's name. Of several hints the first counts whose command there is: a command that comes later brings its hints along.
 */
export type Hints = string | readonly string[];

const list = 'ocictl images lists the local store, ocictl tags a repository';
const rmi = 'ocictl rmi removes from the local store';
const remove = `${rmi}, ocictl delete from a registry`;
const raw = 'ocictl inspect --raw prints the manifest';
const repos = 'ocictl repos HOST lists the repositories of a registry';
const save = 'ocictl save -o FILE IMAGE writes images into an archive';
const load = 'ocictl load -i FILE takes images from an archive';
const free = 'ocictl prune frees what nothing in the local store refers to';
const containers = 'ocictl moves images and runs none';
const builds = 'ocictl moves images and builds none';
const indexes = 'ocictl index create makes an index, ocictl index add and ocictl index remove change it';
const signs = [
  'ocictl sign, ocictl attest and ocictl verify are for images',
  'ocictl neither signs nor verifies signatures',
];
const keys = ['ocictl key generate makes a pair of keys', 'ocictl neither signs nor verifies signatures'];
const referrers = 'ocictl discover lists what is attached to an image';
const changes = (name: string): Hints => [
  `ocictl ${name} changes an image`,
  'ocictl moves images as they are, and changes none',
];
const artifacts = (name: string): Hints => [
  `ocictl artifact ${name} is for artifacts`,
  'ocictl copy moves artifacts as it moves images',
];
const cat = ['ocictl cat prints a file of an image', 'ocictl does not look into layers'];

const known: Readonly<Record<string, Hints>> = {
  'artifact get': artifacts('pull'),
  'artifact list': referrers,
  'artifact put': artifacts('push'),
  'artifact tree': referrers,
  'auth get': 'ocictl whoami tells what is stored; ocictl auth token prints a token',
  'auth login': 'ocictl login HOST logs in',
  'auth logout': 'ocictl logout HOST logs out',
  annotate: changes('mutate'),
  backup: save,
  'blob copy': 'ocictl copy moves an image with its blobs',
  'blob fetch': 'ocictl blob get prints a blob',
  'blob get-file': cat,
  'blob push': 'ocictl blob put uploads a blob',
  bundle: signs,
  clean: signs,
  'config get': 'ocictl config show prints every setting',
  'config set': 'ocictl config path tells which files settings are read from',
  convert: 'ocictl moves images as they are, and changes none',
  cp: 'did you mean copy?',
  dockerfile: signs,
  download: signs,
  edit: changes('mutate'),
  env: 'ocictl config show prints every setting',
  'garbage-collect': "ocictl storage gc --root DIR frees space in a registry's directory",
  gc: "ocictl prune frees space in the local store, ocictl storage gc in a registry's directory",
  generate: signs,
  'generate-key-pair': keys,
  'generate-sigstore-key': keys,
  image: 'did you mean images, rmi or prune?',
  'image check-base': [
    'ocictl check-base tells whether a base is up to date',
    'ocictl inspect shows what an image is made of',
  ],
  'image copy': 'did you mean copy?',
  'image cp': 'did you mean copy?',
  'image create': indexes,
  'image delete': 'did you mean delete?',
  'image digest': 'did you mean digest?',
  'image export': save,
  'image get-file': cat,
  'image history': 'ocictl history shows what made each layer',
  'image import': load,
  'image inspect': 'did you mean inspect? store:NAME is an image of the local store',
  'image list': 'did you mean images?',
  'image load': load,
  'image ls': 'did you mean images?',
  'image manifest': raw,
  'image mod': changes('mutate'),
  'image prune': free,
  'image pull': 'did you mean pull?',
  'image push': 'did you mean push?',
  'image ratelimit': 'ocictl doctor NAME tells the rate limit of its registry',
  'image rm': rmi,
  'image save': save,
  'image search': 'did you mean search?',
  'image tag': 'did you mean tag?',
  'image tree': referrers,
  'image untag': 'ocictl rmi NAME takes a name away; the image stays while it has another',
  import: load,
  'import-key-pair': keys,
  'index append': indexes,
  'index delete': 'did you mean index remove?',
  'index filter': 'ocictl index create --platform makes an index of some images of another',
  info: 'ocictl version shows versions and where the store is',
  initialize: signs,
  layers: 'ocictl inspect shows the layers',
  list,
  'list-tags': 'did you mean tags?',
  ls: list,
  'manifest diff': ['ocictl diff compares two images', 'ocictl manifest get prints a manifest'],
  'manifest index': indexes,
  'manifest fetch': 'ocictl manifest get prints a manifest',
  'manifest fetch-config': 'ocictl inspect --config prints the config of an image',
  'manifest push': 'ocictl manifest put writes a manifest',
  'manifest rm': 'ocictl manifest delete deletes a manifest',
  'manifest verify': signs,
  'manifest-digest': 'ocictl digest prints the digest of an image',
  mount: 'ocictl does not look into layers',
  ping: 'ocictl doctor NAME tells whether a registry can be used',
  'piv-tool': keys,
  'pkcs11-tool': keys,
  policy: signs,
  'public-key': keys,
  ref: 'ocictl doctor NAME tells how a name is read',
  registry: 'did you mean serve?',
  'registry config': 'ocictl config show prints every setting',
  'registry login': 'did you mean login?',
  'registry logout': 'did you mean logout?',
  'registry serve': 'did you mean serve?',
  'registry set': 'ocictl config path tells which files settings are read from',
  'registry whoami': 'did you mean whoami?',
  remove,
  repo: 'ocictl repos HOST lists repositories, ocictl tags REPO tags',
  'repo copy': 'ocictl copy --all-tags copies a repository',
  'repo delete': 'ocictl delete takes tags and manifests away',
  'repo list': repos,
  'repo ls': repos,
  'repo show-tags': 'did you mean tags?',
  'repo tags': 'did you mean tags?',
  resolve: 'did you mean digest?',
  restore: load,
  rm: remove,
  'sign-blob': signs,
  'signing-config': signs,
  'standalone-sign': signs,
  'standalone-verify': signs,
  system: free,
  'system df': ['ocictl df tells what takes space', 'ocictl images lists the local store with sizes'],
  'system info': 'ocictl version shows versions and where the store is',
  'system prune': free,
  'tag delete': 'did you mean delete?',
  'tag list': 'did you mean tags?',
  'tag ls': 'did you mean tags?',
  'tag rm': 'did you mean delete?',
  tree: referrers,
  triangulate: referrers,
  trust: signs,
  'trusted-root': signs,
  unmount: 'ocictl does not look into layers',
  untag: 'ocictl rmi NAME takes a name away; the image stays while it has another',
  'update-key-pair': keys,
  upload: 'ocictl copy moves artifacts as it moves images',
  'verify-blob': signs,
  'verify-blob-attestation': signs,
  'attest-blob': signs,
};

/** Of docker and podman: what is about containers, or builds images. */
const running =
  'checkpoint commit compose container create events exec generate health healthcheck init kill kube logs machine network node pause play plugin pod port ps quadlet rename restart run secret service stack start stats stop swarm top unpause update volume wait stop';
const building = 'bake build builder buildx debug farm';

export const otherCommands: ReadonlyMap<string, Hints> = new Map([
  ...running.split(' ').map((name) => [name, containers] as const),
  ...building.split(' ').map((name) => [name, builds] as const),
  ...Object.entries(known),
]);
