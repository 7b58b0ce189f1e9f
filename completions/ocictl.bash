# bash completion for ocictl, made from its commands: do not edit.

# Sets `takes` to what the option $2 of the command $1 takes; fails for a switch.
_ocictl_takes() {
  case "$1 $2" in
    ' --config' | 'pull --certs-dir' | 'pull --config' | 'push --certs-dir' | 'push --config' | 'copy --certs-dir' | 'copy --config' | 'sync --certs-dir' | 'sync --config' | 'save --certs-dir' | 'save --config' | 'load --config' | 'tag --certs-dir' | 'tag --config' | 'images --config' | 'rmi --config' | 'prune --config' | 'df --config' | 'scrub --certs-dir' | 'scrub --config' | 'inspect --certs-dir' | 'digest --certs-dir' | 'digest --config' | 'discover --certs-dir' | 'discover --config' | 'files --certs-dir' | 'files --config' | 'cat --certs-dir' | 'cat --config' | 'export --certs-dir' | 'export --config' | 'extract -o' | 'extract --output' | 'extract --certs-dir' | 'extract --config' | 'diff --certs-dir' | 'diff --config' | 'history --certs-dir' | 'history --config' | 'login --certs-dir' | 'login --config' | 'logout --config' | 'whoami --config' | 'with-login --certs-dir' | 'with-login --config' | 'auth --certs-dir' | 'auth --config' | 'sbom --certs-dir' | 'sbom --config' | 'search --certs-dir' | 'search --config' | 'repos --certs-dir' | 'repos --config' | 'catalog --certs-dir' | 'catalog --config' | 'tags --certs-dir' | 'tags --config' | 'delete --certs-dir' | 'delete --config' | 'append --certs-dir' | 'append --config' | 'flatten --certs-dir' | 'flatten --config' | 'squash --certs-dir' | 'squash --config' | 'rebase --certs-dir' | 'rebase --config' | 'check-base --certs-dir' | 'check-base --config' | 'validate --certs-dir' | 'validate --config' | 'mutate --certs-dir' | 'mutate --config' | 'attach --certs-dir' | 'sign --certs-dir' | 'sign --config' | 'verify --trust-store' | 'verify --certs-dir' | 'verify --config' | 'attest --certs-dir' | 'attest --config' | 'verify-attestation --trust-store' | 'verify-attestation --certs-dir' | 'verify-attestation --config' | 'doctor --certs-dir' | 'doctor --config' | 'serve --root' | 'serve --config' | 'config --config' | 'completion --config' | 'version --config' | 'manifest --config' | 'blob --config' | 'index --config' | 'artifact --config' | 'key --config' | 'storage --config' | 'manifest get --certs-dir' | 'manifest get --config' | 'manifest head --certs-dir' | 'manifest head --config' | 'manifest put --certs-dir' | 'manifest put --config' | 'manifest delete --certs-dir' | 'manifest delete --config' | 'blob get --certs-dir' | 'blob get --config' | 'blob head --certs-dir' | 'blob head --config' | 'blob put --certs-dir' | 'blob put --config' | 'blob delete --certs-dir' | 'blob delete --config' | 'index create --certs-dir' | 'index create --config' | 'index add --certs-dir' | 'index add --config' | 'index remove --certs-dir' | 'index remove --config' | 'index annotate --certs-dir' | 'index annotate --config' | 'index list --certs-dir' | 'index list --config' | 'artifact pull -o' | 'artifact pull --output' | 'artifact pull --certs-dir' | 'artifact push --certs-dir' | 'key generate --config' | 'storage gc --root' | 'storage gc --config' | 'storage fsck --root' | 'storage fsck --certs-dir' | 'storage fsck --config' | 'storage stats --root' | 'storage stats --config' | 'storage copy --config') takes='directory' ;;
    'pull --platform' | 'copy --platform' | 'save --platform' | 'append --platform' | 'flatten --platform' | 'squash --platform' | 'rebase --platform' | 'mutate --platform' | 'index create --platform' | 'index add --platform' | 'index remove --platform' | 'index annotate --platform') takes='list linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 linux/ppc64le linux/s390x linux/riscv64 windows/amd64 all' ;;
    'pull --progress' | 'push --progress' | 'copy --progress' | 'sync --progress' | 'save --progress' | 'load --progress' | 'scrub --progress' | 'append --progress' | 'flatten --progress' | 'squash --progress' | 'rebase --progress' | 'mutate --progress' | 'attach --progress' | 'index create --progress' | 'index add --progress' | 'index remove --progress' | 'index annotate --progress' | 'artifact pull --progress' | 'artifact push --progress' | 'storage fsck --progress' | 'storage copy --progress') takes='words auto bars plain json none' ;;
    'pull --policy' | 'copy --plan' | 'copy --apply' | 'copy --policy' | 'sync --lock' | 'sync --policy' | 'save -o' | 'save --output' | 'save --policy' | 'load -i' | 'load --input' | 'load --receipt' | 'load --policy' | 'cat --policy' | 'export -o' | 'export --output' | 'export --policy' | 'extract --policy' | 'sbom -o' | 'sbom --output' | 'delete --save' | 'append --policy' | 'append -f' | 'append --file' | 'append --prefix' | 'flatten --policy' | 'squash --policy' | 'rebase --policy' | 'mutate --policy' | 'mutate -w' | 'mutate --workdir' | 'mutate --volume' | 'mutate --unset-volume' | 'attach --annotation-file' | 'sign --key' | 'sign --password-file' | 'verify --key' | 'verify --trusted-root' | 'verify --policy' | 'attest --predicate' | 'attest --key' | 'attest --password-file' | 'verify-attestation --key' | 'verify-attestation --trusted-root' | 'doctor --policy' | 'serve --tls-cert' | 'serve --tls-key' | 'serve --client-ca' | 'serve --issue-tokens' | 'manifest get -o' | 'manifest get --output' | 'manifest delete --save' | 'blob get -o' | 'blob get --output' | 'index create --policy' | 'index add --policy' | 'index remove --policy' | 'index annotate --policy' | 'artifact pull --policy' | 'artifact push --annotation-file' | 'key generate --password-file') takes='file' ;;
    'pull --registry-mirror' | 'pull --insecure-registry' | 'pull --creds' | 'pull -u' | 'pull --username' | 'push --insecure-registry' | 'push --creds' | 'push -u' | 'push --username' | 'copy --registry-mirror' | 'copy --insecure-registry' | 'copy --src-creds' | 'copy --dest-creds' | 'sync --registry-mirror' | 'sync --insecure-registry' | 'sync --host-creds' | 'save --since' | 'save --registry-mirror' | 'save --insecure-registry' | 'save --creds' | 'save -u' | 'save --username' | 'load --into' | 'tag --insecure-registry' | 'tag --creds' | 'tag -u' | 'tag --username' | 'images -f' | 'images --filter' | 'scrub --registry-mirror' | 'scrub --insecure-registry' | 'scrub --creds' | 'scrub -u' | 'scrub --username' | 'inspect --registry-mirror' | 'inspect --insecure-registry' | 'inspect --creds' | 'inspect -u' | 'inspect --username' | 'digest --registry-mirror' | 'digest --insecure-registry' | 'digest --creds' | 'digest -u' | 'digest --username' | 'discover --artifact-type' | 'discover --depth' | 'discover --registry-mirror' | 'discover --insecure-registry' | 'discover --creds' | 'discover -u' | 'discover --username' | 'files --layer' | 'files --registry-mirror' | 'files --insecure-registry' | 'files --creds' | 'files -u' | 'files --username' | 'cat --layer' | 'cat --registry-mirror' | 'cat --insecure-registry' | 'cat --creds' | 'cat -u' | 'cat --username' | 'export --layer' | 'export --registry-mirror' | 'export --insecure-registry' | 'export --creds' | 'export -u' | 'export --username' | 'extract --layer' | 'extract --registry-mirror' | 'extract --insecure-registry' | 'extract --creds' | 'extract -u' | 'extract --username' | 'diff --registry-mirror' | 'diff --insecure-registry' | 'diff --creds' | 'diff -u' | 'diff --username' | 'history --registry-mirror' | 'history --insecure-registry' | 'history --creds' | 'history -u' | 'history --username' | 'login -u' | 'login --username' | 'login -p' | 'login --password' | 'login --insecure-registry' | 'with-login -u' | 'with-login --username' | 'with-login --insecure-registry' | 'auth --scope' | 'auth --insecure-registry' | 'auth --creds' | 'auth -u' | 'auth --username' | 'sbom --registry-mirror' | 'sbom --insecure-registry' | 'sbom --creds' | 'sbom -u' | 'sbom --username' | 'search -f' | 'search --filter' | 'search --limit' | 'search --insecure-registry' | 'search --creds' | 'search -u' | 'search --username' | 'repos --filter' | 'repos --limit' | 'repos --insecure-registry' | 'repos --creds' | 'repos -u' | 'repos --username' | 'catalog --filter' | 'catalog --limit' | 'catalog --insecure-registry' | 'catalog --creds' | 'catalog -u' | 'catalog --username' | 'tags --filter' | 'tags --limit' | 'tags --after' | 'tags --registry-mirror' | 'tags --insecure-registry' | 'tags --creds' | 'tags -u' | 'tags --username' | 'delete --match' | 'delete --older-than' | 'delete --keep' | 'delete --insecure-registry' | 'delete --creds' | 'delete -u' | 'delete --username' | 'append -t' | 'append --tag' | 'append --registry-mirror' | 'append --insecure-registry' | 'append --src-creds' | 'append --dest-creds' | 'append --owner' | 'flatten -t' | 'flatten --tag' | 'flatten --registry-mirror' | 'flatten --insecure-registry' | 'flatten --src-creds' | 'flatten --dest-creds' | 'squash -t' | 'squash --tag' | 'squash --registry-mirror' | 'squash --insecure-registry' | 'squash --src-creds' | 'squash --dest-creds' | 'squash --from' | 'rebase -t' | 'rebase --tag' | 'rebase --registry-mirror' | 'rebase --insecure-registry' | 'rebase --src-creds' | 'rebase --dest-creds' | 'rebase --old-base' | 'rebase --new-base' | 'check-base --base' | 'check-base --registry-mirror' | 'check-base --insecure-registry' | 'check-base --creds' | 'check-base -u' | 'check-base --username' | 'validate --registry-mirror' | 'validate --insecure-registry' | 'validate --creds' | 'validate -u' | 'validate --username' | 'mutate -t' | 'mutate --tag' | 'mutate --registry-mirror' | 'mutate --insecure-registry' | 'mutate --src-creds' | 'mutate --dest-creds' | 'mutate --entrypoint' | 'mutate --cmd' | 'mutate -e' | 'mutate --env' | 'mutate --unset-env' | 'mutate --user' | 'mutate --label' | 'mutate --unset-label' | 'mutate -a' | 'mutate --annotation' | 'mutate --unset-annotation' | 'mutate --expose' | 'mutate --unset-expose' | 'mutate --stop-signal' | 'mutate --created' | 'mutate --author' | 'attach --artifact-type' | 'attach --config' | 'attach -a' | 'attach --annotation' | 'attach --title' | 'attach --created' | 'attach --insecure-registry' | 'attach --creds' | 'attach -u' | 'attach --username' | 'sign -a' | 'sign --annotation' | 'sign --sign-container-identity' | 'sign --insecure-registry' | 'sign --creds' | 'sign -u' | 'sign --username' | 'verify --certificate-identity' | 'verify --certificate-identity-regexp' | 'verify --certificate-oidc-issuer' | 'verify --certificate-oidc-issuer-regexp' | 'verify -a' | 'verify --annotation' | 'verify --registry-mirror' | 'verify --insecure-registry' | 'verify --creds' | 'verify -u' | 'verify --username' | 'attest --sign-container-identity' | 'attest --insecure-registry' | 'attest --creds' | 'attest -u' | 'attest --username' | 'verify-attestation --certificate-identity' | 'verify-attestation --certificate-identity-regexp' | 'verify-attestation --certificate-oidc-issuer' | 'verify-attestation --certificate-oidc-issuer-regexp' | 'verify-attestation --field' | 'verify-attestation --registry-mirror' | 'verify-attestation --insecure-registry' | 'verify-attestation --creds' | 'verify-attestation -u' | 'verify-attestation --username' | 'doctor --forget' | 'doctor --registry-mirror' | 'doctor --insecure-registry' | 'doctor --creds' | 'doctor -u' | 'doctor --username' | 'serve --addr' | 'serve --allow-host' | 'serve --mirror-of' | 'serve --trust-proxy' | 'serve --redirect-min' | 'serve --redirect-except' | 'serve --redirect-host' | 'serve --redirect-url' | 'serve --redirect-cloudfront' | 'serve --upload-timeout' | 'serve --min-rate' | 'serve --gc-interval' | 'serve --header' | 'serve --cors-origin' | 'serve --catalog-limit' | 'serve --metrics' | 'serve --drain' | 'manifest get --registry-mirror' | 'manifest get --insecure-registry' | 'manifest get --creds' | 'manifest get -u' | 'manifest get --username' | 'manifest head --registry-mirror' | 'manifest head --insecure-registry' | 'manifest head --creds' | 'manifest head -u' | 'manifest head --username' | 'manifest put --media-type' | 'manifest put --insecure-registry' | 'manifest put --creds' | 'manifest put -u' | 'manifest put --username' | 'manifest delete --insecure-registry' | 'manifest delete --creds' | 'manifest delete -u' | 'manifest delete --username' | 'blob get --range' | 'blob get --registry-mirror' | 'blob get --insecure-registry' | 'blob get --creds' | 'blob get -u' | 'blob get --username' | 'blob head --registry-mirror' | 'blob head --insecure-registry' | 'blob head --creds' | 'blob head -u' | 'blob head --username' | 'blob put --digest' | 'blob put --mount-from' | 'blob put --insecure-registry' | 'blob put --creds' | 'blob put -u' | 'blob put --username' | 'blob delete --insecure-registry' | 'blob delete --creds' | 'blob delete -u' | 'blob delete --username' | 'index create -t' | 'index create --tag' | 'index create --registry-mirror' | 'index create --insecure-registry' | 'index create --src-creds' | 'index create --dest-creds' | 'index create -a' | 'index create --annotation' | 'index create --entry-annotation' | 'index add -t' | 'index add --tag' | 'index add --registry-mirror' | 'index add --insecure-registry' | 'index add --src-creds' | 'index add --dest-creds' | 'index add -a' | 'index add --annotation' | 'index add --entry-annotation' | 'index remove -t' | 'index remove --tag' | 'index remove --registry-mirror' | 'index remove --insecure-registry' | 'index remove --src-creds' | 'index remove --dest-creds' | 'index annotate -t' | 'index annotate --tag' | 'index annotate --registry-mirror' | 'index annotate --insecure-registry' | 'index annotate --src-creds' | 'index annotate --dest-creds' | 'index annotate -a' | 'index annotate --annotation' | 'index annotate --unset-annotation' | 'index list --registry-mirror' | 'index list --insecure-registry' | 'index list --creds' | 'index list -u' | 'index list --username' | 'artifact pull --config' | 'artifact pull --registry-mirror' | 'artifact pull --insecure-registry' | 'artifact pull --creds' | 'artifact pull -u' | 'artifact pull --username' | 'artifact push --artifact-type' | 'artifact push --config' | 'artifact push -a' | 'artifact push --annotation' | 'artifact push --title' | 'artifact push --created' | 'artifact push -t' | 'artifact push --tag' | 'artifact push --insecure-registry' | 'artifact push --creds' | 'artifact push -u' | 'artifact push --username' | 'key generate --output-prefix' | 'storage gc --grace' | 'storage gc --upload-age' | 'storage fsck --from' | 'storage fsck --registry-mirror' | 'storage fsck --insecure-registry' | 'storage fsck --creds' | 'storage fsck -u' | 'storage fsck --username' | 'storage stats --limit') takes='' ;;
    'push --platform') takes='words linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 linux/ppc64le linux/s390x linux/riscv64 windows/amd64 all' ;;
    'copy --image-format' | 'save --image-format' | 'index create --image-format') takes='words oci docker' ;;
    'copy --compress' | 'save --compress' | 'append --compress' | 'flatten --compress' | 'squash --compress') takes='words gzip zstd none' ;;
    'save --outer') takes='words none gzip zstd' ;;
    'load --platform') takes='list linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 linux/ppc64le linux/s390x linux/riscv64 windows/amd64' ;;
    'images --format' | 'df --format' | 'inspect -f' | 'inspect --format' | 'discover --format' | 'search --format') takes='words json' ;;
    'inspect --platform' | 'digest --platform' | 'discover --platform' | 'files --platform' | 'cat --platform' | 'export --platform' | 'extract --platform' | 'diff --platform' | 'history --platform' | 'sbom --platform' | 'append --set-platform' | 'check-base --platform' | 'mutate --set-platform' | 'attach --platform' | 'verify --platform' | 'verify-attestation --platform' | 'doctor --platform' | 'manifest get --platform' | 'index create --set-platform' | 'index add --set-platform' | 'index annotate --set-platform' | 'artifact pull --platform' | 'artifact push --set-platform') takes='words linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 linux/ppc64le linux/s390x linux/riscv64 windows/amd64' ;;
    'login --store') takes='words file keychain helper' ;;
    'sbom --type') takes='words spdx cyclonedx syft' ;;
    'tags --sort') takes='words name semver created' ;;
    'sign --signature-format' | 'attest --signature-format') takes='words both tag bundle' ;;
    'verify --reference' | 'verify-attestation --reference') takes='words any repository exact' ;;
    'attest --type' | 'verify-attestation --type') takes='words slsaprovenance slsaprovenance02 slsaprovenance1 spdx spdxjson cyclonedx link vuln openvex custom' ;;
    'serve --auth') takes='words none htpasswd= token=' ;;
    'serve --access-log') takes='words text json combined none' ;;
    'artifact push --image-spec') takes='words v1.1 v1.0' ;;
    'storage gc --orphans') takes='words keep remove' ;;
    *) return 1 ;;
  esac
}

# Sets `takes` to what the argument $2 of the command $1 is, the first being 1.
_ocictl_argument() {
  case "$1 $2" in
    'pull '* | 'copy 1' | 'copy '* | 'save '* | 'inspect '* | 'digest '* | 'discover 1' | 'files 1' | 'cat 1' | 'export 1' | 'extract 1' | 'diff 1' | 'diff 2' | 'history 1' | 'auth 2' | 'sbom 1' | 'tags 1' | 'delete '* | 'append 1' | 'flatten 1' | 'squash 1' | 'rebase 1' | 'check-base 1' | 'validate 1' | 'mutate 1' | 'attach 1' | 'sign '* | 'verify '* | 'attest '* | 'verify-attestation '* | 'doctor 1' | 'manifest get 1' | 'manifest head '* | 'manifest put 1' | 'manifest delete '* | 'blob get 1' | 'blob head '* | 'blob put 1' | 'blob delete '* | 'index create '* | 'index add 1' | 'index add '* | 'index remove 1' | 'index annotate 1' | 'index list 1' | 'artifact pull 1' | 'artifact push 1') takes='image' ;;
    'push '* | 'tag 1' | 'tag '* | 'images 1' | 'rmi '* | 'scrub '*) takes='stored' ;;
    'sync 1' | 'attach '* | 'manifest put 2' | 'blob put 2' | 'artifact push '*) takes='file' ;;
    'auth 1') takes='words token' ;;
    'config 1') takes='words show path' ;;
    'completion 1') takes='words bash zsh fish' ;;
    'help 1') takes='words pull push copy sync save load tag images rmi prune df scrub inspect digest discover files cat export extract diff history login logout whoami with-login auth sbom search repos catalog tags delete append flatten squash rebase check-base validate mutate attach sign verify attest verify-attestation doctor serve config completion version manifest blob index artifact key storage help' ;;
    'manifest 1' | 'blob 1') takes='words get head put delete' ;;
    'index 1') takes='words create add remove annotate list' ;;
    'artifact 1') takes='words pull push' ;;
    'key 1') takes='words generate' ;;
    'storage 1') takes='words gc fsck stats copy' ;;
    'storage copy 1' | 'storage copy 2') takes='directory' ;;
    *) takes= ;;
  esac
}

# Sets `options` to the options of the command $1.
_ocictl_options() {
  case $1 in
    '') options='--config -v --verbose -h --help -V --version' ;;
    'pull') options='-a --all-tags --platform -q --quiet --json --progress --policy --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'push') options='-a --all-tags --platform -q --quiet --json --progress --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'copy') options='--platform --sparse --all -a --all-tags --referrers --digest-tags --if-absent --image-format --compress --replace --check --check-bytes --dry-run --plan --apply -q --quiet --json --progress --policy --registry-mirror --insecure-registry --certs-dir --src-creds --dest-creds --anonymous --config -v --verbose -h --help' ;;
    'sync') options='--delete --dry-run --keep-going --lock -q --quiet --json --progress --policy --registry-mirror --insecure-registry --certs-dir --host-creds --config -v --verbose -h --help' ;;
    'save') options='-o --output --platform --referrers --digest-tags --image-format --since --compress --outer --remote -q --quiet --json --progress --policy --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'load') options='-i --input --platform --into --receipt -q --quiet --json --progress --policy --config -v --verbose -h --help' ;;
    'tag') options='--remote --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'images') options='-a --all -q --quiet --digests --no-trunc -f --filter --format --json --config -v --verbose -h --help' ;;
    'rmi') options='-f --force --json --config -v --verbose -h --help' ;;
    'prune') options='--dry-run --json --config -v --verbose -h --help' ;;
    'df') options='-v --verbose --format --json --config -h --help' ;;
    'scrub') options='--repair -q --quiet --json --progress --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'inspect') options='--platform --json -f --format --raw --config --no-tags --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous -v --verbose -h --help' ;;
    'digest') options='--platform --full-ref --json --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'discover') options='--artifact-type --depth --platform --json --format --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'files') options='-l --long -R --recursive --layer --json --platform --remote --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'cat') options='--layer --platform --remote --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --policy --config -v --verbose -h --help' ;;
    'export') options='-o --output --layer --platform --remote --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --policy --config -v --verbose -h --help' ;;
    'extract') options='-o --output --layer --json --platform --remote --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --policy --config -v --verbose -h --help' ;;
    'diff') options='--exit-code --json --platform --remote --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'history') options='--files --json --platform --remote --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'login') options='-u --username -p --password --password-stdin --identity-token-stdin --store --no-verify --insecure-registry --certs-dir --json --config -v --verbose -h --help' ;;
    'logout') options='--all --json --config -v --verbose -h --help' ;;
    'whoami') options='--json --config -v --verbose -h --help' ;;
    'with-login') options='-u --username --password-stdin --no-verify --insecure-registry --certs-dir --config -v --verbose -h --help' ;;
    'auth') options='--scope --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'sbom') options='--type --list -o --output --platform --json --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'search') options='-f --filter --limit --no-trunc --format --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'repos') options='--filter --limit --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'catalog') options='--filter --limit --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'tags') options='--filter --sort --reverse --limit --after --json --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'delete') options='--match --older-than --keep --referrers --save --dry-run -y --yes --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'append') options='-t --tag -q --quiet --json --progress --policy --registry-mirror --insecure-registry --certs-dir --src-creds --dest-creds --anonymous --platform -f --file --prefix --owner --keep-times --compress --set-platform --base-annotations --config -v --verbose -h --help' ;;
    'flatten') options='-t --tag -q --quiet --json --progress --policy --registry-mirror --insecure-registry --certs-dir --src-creds --dest-creds --anonymous --platform --compress --config -v --verbose -h --help' ;;
    'squash') options='-t --tag -q --quiet --json --progress --policy --registry-mirror --insecure-registry --certs-dir --src-creds --dest-creds --anonymous --platform --from --compress --config -v --verbose -h --help' ;;
    'rebase') options='-t --tag -q --quiet --json --progress --policy --registry-mirror --insecure-registry --certs-dir --src-creds --dest-creds --anonymous --platform --old-base --new-base --config -v --verbose -h --help' ;;
    'check-base') options='--base --platform --json --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'validate') options='--fast -q --quiet --json --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'mutate') options='-t --tag -q --quiet --json --progress --policy --registry-mirror --insecure-registry --certs-dir --src-creds --dest-creds --anonymous --platform --entrypoint --unset-entrypoint --cmd --unset-cmd -e --env --unset-env --user --unset-user -w --workdir --unset-workdir --label --unset-label -a --annotation --unset-annotation --expose --unset-expose --volume --unset-volume --stop-signal --unset-stop-signal --created --unset-created --author --unset-author --set-platform --config -v --verbose -h --help' ;;
    'attach') options='--artifact-type --platform --config -a --annotation --annotation-file --title --created --keep-times -q --quiet --json --progress --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous -v --verbose -h --help' ;;
    'sign') options='--key --password-file --signature-format -a --annotation -r --recursive --sign-container-identity --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'verify') options='--key --certificate-identity --certificate-identity-regexp --certificate-oidc-issuer --certificate-oidc-issuer-regexp --trusted-root --trust-store --keep-trusted-root -a --annotation --reference --platform --json --policy --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'attest') options='--predicate --type --key --password-file --signature-format --replace -r --recursive --sign-container-identity --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'verify-attestation') options='--key --certificate-identity --certificate-identity-regexp --certificate-oidc-issuer --certificate-oidc-issuer-regexp --trusted-root --trust-store --keep-trusted-root --type --field --reference --statement --platform --json --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'doctor') options='--platform --forget --json --policy --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'serve') options='--addr --allow-host --root --memory --store --mirror-of --read-only --sparse --auth --tls-cert --tls-key --client-ca --trust-proxy --redirect --redirect-min --redirect-except --redirect-host --redirect-url --redirect-cloudfront --issue-tokens --upload-timeout --min-rate --gc-interval --shared --disable-delete --header --cors-origin --catalog-limit --access-log --metrics --drain --json --config -v --verbose -h --help' ;;
    'config') options='--json --config -v --verbose -h --help' ;;
    'completion') options='--config -v --verbose -h --help' ;;
    'version') options='--json --config -v --verbose -h --help' ;;
    'help') options='' ;;
    'manifest') options='--config -v --verbose -h --help' ;;
    'blob') options='--config -v --verbose -h --help' ;;
    'index') options='--config -v --verbose -h --help' ;;
    'artifact') options='--config -v --verbose -h --help' ;;
    'key') options='--config -v --verbose -h --help' ;;
    'storage') options='--config -v --verbose -h --help' ;;
    'manifest get') options='-o --output --platform --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'manifest head') options='--json --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'manifest put') options='--media-type --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'manifest delete') options='--referrers --save --dry-run -y --yes --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'blob get') options='-o --output --range --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'blob head') options='--json --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'blob put') options='--digest --mount-from --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'blob delete') options='-y --yes --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'index create') options='-t --tag -q --quiet --json --progress --policy --registry-mirror --insecure-registry --certs-dir --src-creds --dest-creds --anonymous --platform --set-platform -a --annotation --entry-annotation --image-format --config -v --verbose -h --help' ;;
    'index add') options='-t --tag -q --quiet --json --progress --policy --registry-mirror --insecure-registry --certs-dir --src-creds --dest-creds --anonymous --platform --set-platform -a --annotation --entry-annotation --config -v --verbose -h --help' ;;
    'index remove') options='-t --tag -q --quiet --json --progress --policy --registry-mirror --insecure-registry --certs-dir --src-creds --dest-creds --anonymous --platform --config -v --verbose -h --help' ;;
    'index annotate') options='-t --tag -q --quiet --json --progress --policy --registry-mirror --insecure-registry --certs-dir --src-creds --dest-creds --anonymous --platform -a --annotation --unset-annotation --set-platform --config -v --verbose -h --help' ;;
    'index list') options='--json --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'artifact pull') options='-o --output -k --keep-old --config --platform -q --quiet --json --progress --policy --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous -v --verbose -h --help' ;;
    'artifact push') options='--artifact-type --config -a --annotation --annotation-file --title --created --keep-times -t --tag --set-platform --index --image-spec -q --quiet --json --progress --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous -v --verbose -h --help' ;;
    'key generate') options='--output-prefix --password-file -f --force --json --config -v --verbose -h --help' ;;
    'storage gc') options='--root --dry-run --grace --upload-age --untagged --orphans --json --config -v --verbose -h --help' ;;
    'storage fsck') options='--root --bytes --repair --from --progress --json --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'storage stats') options='--root --limit --json --config -v --verbose -h --help' ;;
    'storage copy') options='--dry-run --progress --json --config -v --verbose -h --help' ;;
    *) options= ;;
  esac
}

_ocictl() {
  local rest=${COMP_LINE:0:COMP_POINT} blank word i count=0
  local -a words=()
  # Bash breaks words at ':', '=' and '@', which are parts of an image's name: they are put together again.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    blank=${rest%%[![:space:]]*}
    rest=${rest#"$blank"}
    word=${COMP_WORDS[i]}
    ((i == COMP_CWORD)) && word=$rest
    rest=${rest#"$word"}
    if [[ -z $blank && $count -gt 0 ]]; then
      words[count - 1]+=$word
    else
      words[count++]=$word
    fi
  done

  local current=${words[count - 1]} previous= command= takes= options= position=1 waiting= ended=
  for ((i = 1; i < count - 1; i++)); do
    word=${words[i]}
    previous=$word
    if [[ -n $waiting ]]; then
      waiting=
    elif [[ -z $ended && $word == -- ]]; then
      ended=1
    elif [[ -z $ended && $word == -?* ]]; then
      _ocictl_takes "$command" "$word" && waiting=1
    elif [[ -z $command ]]; then
      command=$word
    elif [[ ' manifest blob index artifact key storage ' == *" $command "* ]]; then
      command+=" $word"
    else
      ((position++))
    fi
  done

  # What comes before the text that is completed, and that text.
  local head= text=$current
  if [[ $current == *[\<\>]* ]]; then
    takes=file head=${current%"${current##*[<>]}"} text=${current##*[<>]}
  elif [[ $previous == *[\<\>] ]]; then
    takes=file
  elif [[ -n $waiting ]]; then
    _ocictl_takes "$command" "$previous"
  elif [[ -z $ended && $current == --*=* ]]; then
    _ocictl_takes "$command" "${current%%=*}" || return 0
    head=${current%%=*}= text=${current#*=}
  elif [[ -z $ended && $current == -* ]]; then
    _ocictl_options "$command"
    takes="words $options"
  elif [[ -z $command ]]; then
    takes='words pull push copy sync save load tag images rmi prune df scrub inspect digest discover files cat export extract diff history login logout whoami with-login auth sbom search repos catalog tags delete append flatten squash rebase check-base validate mutate attach sign verify attest verify-attestation doctor serve config completion version help manifest blob index artifact key storage'
  else
    _ocictl_argument "$command" "$position"
  fi
  # As it will be without quotes: names of files are compared as they are on the disk.
  text=${text#[\"\']} text=${text//\\/}
  if [[ $takes == list* && $text == *,* ]]; then
    head+=${text%,*}, text=${text##*,}
  fi

  # Readline puts the reply in place of what follows the last break in the word.
  local breaks=${COMP_WORDBREAKS//[[:space:]\"\']/} kept=$current reply
  while [[ -n $kept && $breaks != *"${kept: -1}"* ]]; do kept=${kept%?}; done
  COMPREPLY=()
  while IFS= read -r word; do
    # Compared here, since `compgen -W` would run what a name in a hostile store has in it.
    [[ -n $word && $word == "$text"* ]] || continue
    reply=$head$word
    COMPREPLY+=("${reply#"$kept"}")
  done < <(_ocictl_words "$takes" "$text")
  [[ $takes == file || $takes == directory ]] && compopt -o filenames 2>/dev/null
  return 0
}

# Prints what a place can hold, one in a line.
_ocictl_words() {
  case $1 in
    'words '* | 'list '*) printf '%s\n' ${1#* } ;;
    image) ocictl __complete images "$2" 2>/dev/null ;;
    stored) ocictl __complete images 2>/dev/null ;;
    file) compgen -f -- "$2" ;;
    directory) compgen -d -- "$2" ;;
  esac
}

complete -F _ocictl ocictl
