/**
 * Options of docker, podman, crane, skopeo, oras, regctl and cosign that have another name here. Of several hints the first
 * counts whose option the command has; the last counts anyway.
 */
import type { Hints } from './other-commands.ts';

const insecure = '--insecure-registry HOST lets that host use plain http or any certificate';
const platform = 'did you mean --platform OS/ARCH?';
const login = 'ocictl login stores credentials; in a script with --password-stdin';
const credentials = ['did you mean --src-creds or --dest-creds?', 'did you mean --creds USER:PASSWORD?', login];
const source = ['did you mean --src-creds USER:PASSWORD?', login];
const destination = ['did you mean --dest-creds USER:PASSWORD?', login];
const token = 'a token is stored by ocictl login, as the password';
const config = '--config DIR or $DOCKER_CONFIG names the directory of config.json';
const certificates = [
  '--certs-dir DIR has a directory HOST with ca.crt, client.cert and client.key',
  'certificates are read from /etc/docker/certs.d/HOST',
];
const compress = ['did you mean --compress?', 'layers are copied as they are, so that digests stay'];
const format = ['did you mean --image-format oci or docker?', 'images are copied as they are, so that digests stay'];
const layout = 'a layout is written oci:DIR[:TAG]';
const verbose = 'did you mean --verbose?';
const daemon = 'ocictl asks no daemon: leave it out';
const signatures = 'ocictl sign signs images, and ocictl verify verifies their signatures';
const encryption = 'layers are neither encrypted nor decrypted';
const retries = 'requests that fail are repeated anyway: leave it out';
const parallel = 'max-concurrent-downloads in daemon.json says how many blobs move at once';
const timeout = 'each wait has a limit of its own; `timeout 60 ocictl …` bounds all of it';
const referrers = ['did you mean --referrers?', 'ocictl copy takes along what refers to an image'];
const headers = 'HttpHeaders in config.json adds headers';
const file = 'ocictl copy NAME oci:DIR writes an image into a directory';
const shown = 'it is shown anyway: leave it out';

const table: readonly (readonly [names: string, hints: Hints])[] = [
  ['--insecure --plain-http --tls-verify --src-tls-verify --dest-tls-verify --tls --http --skip-tls-verify', insecure],
  ['--from-insecure --to-insecure --from-plain-http --to-plain-http', insecure],
  ['--allow-insecure-registry --allow-http-registry --insecure-skip-tls-verify', insecure],
  ['--arch --os --override-arch --override-os --override-variant --variant', platform],
  ['--creds --username --password --user -u -p --registry-username --registry-password', credentials],
  ['--src-username --src-password --from-username --from-password', source],
  ['--dest-username --dest-password --to-username --to-password', destination],
  ['--registry-token --src-registry-token --dest-registry-token --identity-token --identity-token-stdin', token],
  ['--from-identity-token --to-identity-token', token],
  ['--password-stdin', login],
  ['--no-creds --src-no-creds --dest-no-creds', 'did you mean --anonymous?'],
  ['--authfile --src-authfile --dest-authfile --compat-auth-file --registry-config', config],
  ['--from-registry-config --to-registry-config', config],
  ['--cert-dir --src-cert-dir --dest-cert-dir --ca-file --cert-file --key-file --cacert', certificates],
  ['--from-ca-file --to-ca-file --registry-cacert --registry-client-cert --registry-client-key', certificates],
  ['--tlscacert --tlscert --tlskey --tlsverify --context -c --host -H', daemon],
  ['--src-daemon-host --dest-daemon-host', daemon],
  ['--multi-arch --index --include-external', 'an index is copied whole, unless --platform chooses'],
  ['--dest-compress --dest-compress-format --dest-compress-level --dest-decompress --compression-format', compress],
  ['--compression-level --force-compression --dest-force-compress-format', compress],
  ['--format --image-spec --distribution-spec', format],
  ['--receipt', 'ocictl load --receipt FILE writes one where an archive was loaded; ocictl save --since FILE reads it'],
  ['--preserve-digests', 'digests stay in any case: leave it out'],
  ['--remove-signatures --sign-by --sign-by-sigstore --sign-by-sigstore-private-key --sign-identity', signatures],
  ['--sign-passphrase-file --policy --insecure-policy --registries.d --key', signatures],
  [
    '--all -a',
    ['did you mean --all-tags?', 'ocictl images and ocictl tags list everything; ocictl rmi removes images by name'],
  ],
  ['--tree', 'ocictl inspect store:NAME shows the platforms of an image'],
  ['--no-prune', 'a layer stays while another image needs it: leave it out'],
  ['--platform', 'images are taken with all their platforms; ocictl copy --platform takes some of them'],
  ['--automated', 'Docker Hub has no automated builds any more: leave it out'],
  ['--stars', ['did you mean --filter stars=N?', 'ocictl search --filter stars=N finds repositories with N stars']],
  ['--list-tags', 'ocictl tags REPO lists the tags of a repository'],
  ['--size -s', shown],
  ['--type', 'ocictl inspect is for images alone: leave it out'],
  ['--disable-content-trust', 'there is no content trust to disable: leave it out'],
  ['--encryption-key --decryption-key --encrypt-layer', encryption],
  ['--retry-times --retry --retry-delay', retries],
  ['--jobs -j --concurrency --image-parallel-copies', parallel],
  ['--command-timeout --timeout --request-timeout', timeout],
  ['--digestfile --image-refs --export-manifest --iidfile', '--json prints the digest'],
  ['--additional-tag', 'ocictl tag --remote REF TAG… sets more tags in a registry'],
  ['--no-clobber -n', ['did you mean --if-absent?', file]],
  ['--recursive -r --digest-tags --force-recursive', referrers],
  ['--oci-layout --from-oci-layout --to-oci-layout --oci-layout-path', layout],
  ['--output -o --input -i --archive --cache_path', file],
  ['--debug -d -D --log-level -l --verbosity --logopt', verbose],
  ['--last --start', ['did you mean --after TAG?', 'ocictl tags --after TAG starts behind a tag']],
  ['--include --exclude', ['did you mean --filter PATTERN?', 'ocictl tags lists all tags of a repository']],
  ['--sort-tags', ['did you mean --sort?', 'ocictl tags lists all tags of a repository']],
  ['--header --user-agent', headers],
  ['--allow-nondistributable-artifacts', 'allow-nondistributable-artifacts in daemon.json names hosts for such layers'],
  ['--registries-conf', '$CONTAINERS_REGISTRIES_CONF names the file'],
  ['--tmpdir --src-shared-blob-dir --dest-shared-blob-dir', 'nothing is kept outside the destination: leave it out'],
  ['--dest-precompute-digests --dest-oci-accept-uncompressed-layers', 'images are copied as they are: leave it out'],
  ['--template', ['did you mean --format TEMPLATE?', 'ocictl inspect --format prints by a template']],
  ['--artifact-platform', 'did you mean --set-platform OS/ARCH?'],
  ['--disable-path-validation', 'files are named below the current directory: change into that of the file'],
  ['--subject', 'ocictl attach REF FILE attaches files to an image'],
  ['--by-digest', 'a NAME without a tag is pushed by its digest alone'],
  ['--file --file-title --file-media-type', 'files are written behind REF, as FILE or FILE:TYPE'],
  ['--config-file --config-type', ['did you mean --config FILE:TYPE?', config]],
  ['--pretty --descriptor', ['did you mean --json?', 'ocictl inspect --raw prints the manifest']],
];

export const otherOptions: ReadonlyMap<string, Hints> = new Map(
  table.flatMap(([names, hints]) => names.split(' ').map((name) => [name, hints] as const)),
);
