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
const signs = ['ocictl sign and ocictl verify are for images', 'ocictl neither signs nor verifies signatures'];
const keys = ['ocictl key generate makes a pair of keys', 'ocictl neither signs nor verifies signatures'];
const referrers = ['ocictl discover lists what refers to an image', 'ocictl does not list what refers to an image'];
const changes = (name: string): Hints => [
  `ocictl ${name} changes an image`,
  'ocictl moves images as they are, and changes none',
];
const manifests = (name: string): Hints => [`ocictl manifest ${name} is for single manifests`, raw];
const blobs = (name: string): Hints => [
  `ocictl blob ${name} is for single blobs`,
  'ocictl moves whole images, and no single blobs',
];
const artifacts = (name: string): Hints => [
  `ocictl artifact ${name} is for artifacts`,
  'ocictl copy moves artifacts as it moves images',
];
const cat = ['ocictl cat prints a file of an image', 'ocictl does not look into layers'];

const known: Readonly<Record<string, Hints>> = {
  artifact: artifacts('pull'),
  'artifact get': artifacts('pull'),
  'artifact list': referrers,
  'artifact put': artifacts('push'),
  'artifact tree': referrers,
  attach: ['ocictl attach puts a file beside an image', 'ocictl copy moves artifacts as it moves images'],
  'auth get': 'ocictl whoami tells what is stored; ocictl auth token prints a token',
  'auth login': 'ocictl login HOST logs in',
  'auth logout': 'ocictl logout HOST logs out',
  append: changes('append'),
  annotate: changes('mutate'),
  backup: save,
  blob: blobs('get'),
  'blob copy': 'ocictl copy moves an image with its blobs',
  'blob delete': blobs('delete'),
  'blob fetch': blobs('get'),
  'blob get': blobs('get'),
  'blob get-file': cat,
  'blob head': blobs('head'),
  'blob push': blobs('put'),
  'blob put': blobs('put'),
  bundle: signs,
  clean: signs,
  'config get': 'ocictl config show prints every setting',
  'config set': 'ocictl config path tells which files settings are read from',
  convert: 'ocictl moves images as they are, and changes none',
  cp: 'did you mean copy?',
  diff: ['ocictl diff compares two images', containers],
  discover: referrers,
  dockerfile: signs,
  download: signs,
  edit: changes('mutate'),
  env: 'ocictl config show prints every setting',
  export: ['ocictl export prints the files of an image', 'ocictl copy NAME oci:DIR writes an image into a directory'],
  flatten: changes('flatten'),
  'garbage-collect': "ocictl storage gc --root DIR frees space in a registry's directory",
  gc: "ocictl prune frees space in the local store, ocictl storage gc in a registry's directory",
  generate: signs,
  'generate-key-pair': keys,
  'generate-sigstore-key': keys,
  history: 'ocictl inspect shows the line that made each layer',
  image: 'did you mean images, rmi or prune?',
  'image check-base': [
    'ocictl check-base tells whether a base is up to date',
    'ocictl inspect shows what an image is made of',
  ],
  'image copy': 'did you mean copy?',
  'image cp': 'did you mean copy?',
  'image create': changes('index'),
  'image delete': 'did you mean delete?',
  'image digest': 'did you mean digest?',
  'image export': save,
  'image get-file': cat,
  'image history': 'ocictl inspect shows the line that made each layer',
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
  index: changes('index'),
  info: 'ocictl version shows versions and where the store is',
  initialize: signs,
  layers: 'ocictl inspect shows the layers',
  list,
  'list-tags': 'did you mean tags?',
  ls: list,
  manifest: raw,
  'manifest delete': 'did you mean delete?',
  'manifest fetch': manifests('get'),
  'manifest fetch-config': 'ocictl inspect --config prints the config of an image',
  'manifest get': manifests('get'),
  'manifest head': manifests('head'),
  'manifest push': [manifests('put')[0] ?? '', 'ocictl copy moves an image with its manifests'],
  'manifest put': [manifests('put')[0] ?? '', 'ocictl copy moves an image with its manifests'],
  'manifest rm': 'did you mean delete?',
  'manifest verify': signs,
  'manifest-digest': 'ocictl digest prints the digest of an image',
  mount: 'ocictl does not look into layers',
  mutate: changes('mutate'),
  ping: 'ocictl doctor NAME tells whether a registry can be used',
  'piv-tool': keys,
  'pkcs11-tool': keys,
  policy: signs,
  'public-key': keys,
  rebase: changes('rebase'),
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
  squash: changes('squash'),
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
  triangulate: signs,
  trust: signs,
  'trusted-root': signs,
  unmount: 'ocictl does not look into layers',
  untag: 'ocictl rmi NAME takes a name away; the image stays while it has another',
  'update-key-pair': keys,
  upload: 'ocictl copy moves artifacts as it moves images',
  validate: ['ocictl validate checks every byte of an image', 'ocictl pull checks every byte of an image'],
  'verify-attestation': signs,
  'verify-blob': signs,
  'verify-blob-attestation': signs,
  verify: signs,
  sign: signs,
  attest: signs,
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
