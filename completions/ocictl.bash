# bash completion for ocictl, made from its commands: do not edit.

# Sets `takes` to what the option $2 of the command $1 takes; fails for a switch.
_ocictl_takes() {
  case "$1 $2" in
    ' --config' | 'pull --certs-dir' | 'pull --config' | 'push --certs-dir' | 'push --config' | 'copy --certs-dir' | 'copy --config' | 'sync --certs-dir' | 'sync --config' | 'save --certs-dir' | 'save --config' | 'load --config' | 'tag --certs-dir' | 'tag --config' | 'images --config' | 'rmi --config' | 'prune --config' | 'df --config' | 'scrub --certs-dir' | 'scrub --config' | 'inspect --certs-dir' | 'digest --certs-dir' | 'digest --config' | 'login --certs-dir' | 'login --config' | 'logout --config' | 'whoami --config' | 'with-login --certs-dir' | 'with-login --config' | 'auth --certs-dir' | 'auth --config' | 'search --certs-dir' | 'search --config' | 'repos --certs-dir' | 'repos --config' | 'catalog --certs-dir' | 'catalog --config' | 'tags --certs-dir' | 'tags --config' | 'delete --certs-dir' | 'delete --config' | 'doctor --certs-dir' | 'doctor --config' | 'serve --root' | 'serve --config' | 'storage --root' | 'storage --config' | 'config --config' | 'completion --config' | 'version --config') takes='directory' ;;
    'pull --platform' | 'copy --platform' | 'save --platform') takes='list linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 linux/ppc64le linux/s390x linux/riscv64 windows/amd64 all' ;;
    'pull --progress' | 'push --progress' | 'copy --progress' | 'sync --progress' | 'save --progress' | 'load --progress' | 'scrub --progress') takes='words auto bars plain json none' ;;
    'pull --registry-mirror' | 'pull --insecure-registry' | 'pull --creds' | 'pull -u' | 'pull --username' | 'push --insecure-registry' | 'push --creds' | 'push -u' | 'push --username' | 'copy --registry-mirror' | 'copy --insecure-registry' | 'copy --src-creds' | 'copy --dest-creds' | 'sync --registry-mirror' | 'sync --insecure-registry' | 'sync --host-creds' | 'save --since' | 'save --registry-mirror' | 'save --insecure-registry' | 'save --creds' | 'save -u' | 'save --username' | 'load --into' | 'tag --insecure-registry' | 'tag --creds' | 'tag -u' | 'tag --username' | 'images -f' | 'images --filter' | 'scrub --registry-mirror' | 'scrub --insecure-registry' | 'scrub --creds' | 'scrub -u' | 'scrub --username' | 'inspect --registry-mirror' | 'inspect --insecure-registry' | 'inspect --creds' | 'inspect -u' | 'inspect --username' | 'digest --registry-mirror' | 'digest --insecure-registry' | 'digest --creds' | 'digest -u' | 'digest --username' | 'login -u' | 'login --username' | 'login -p' | 'login --password' | 'login --insecure-registry' | 'with-login -u' | 'with-login --username' | 'with-login --insecure-registry' | 'auth --scope' | 'auth --insecure-registry' | 'auth --creds' | 'auth -u' | 'auth --username' | 'search -f' | 'search --filter' | 'search --limit' | 'search --insecure-registry' | 'search --creds' | 'search -u' | 'search --username' | 'repos --filter' | 'repos --limit' | 'repos --insecure-registry' | 'repos --creds' | 'repos -u' | 'repos --username' | 'catalog --filter' | 'catalog --limit' | 'catalog --insecure-registry' | 'catalog --creds' | 'catalog -u' | 'catalog --username' | 'tags --filter' | 'tags --limit' | 'tags --after' | 'tags --registry-mirror' | 'tags --insecure-registry' | 'tags --creds' | 'tags -u' | 'tags --username' | 'delete --match' | 'delete --older-than' | 'delete --keep' | 'delete --insecure-registry' | 'delete --creds' | 'delete -u' | 'delete --username' | 'doctor --forget' | 'doctor --registry-mirror' | 'doctor --insecure-registry' | 'doctor --creds' | 'doctor -u' | 'doctor --username' | 'serve --addr' | 'serve --allow-host' | 'serve --mirror-of' | 'serve --trust-proxy' | 'serve --upload-timeout' | 'serve --min-rate' | 'storage --grace') takes='' ;;
    'push --platform') takes='words linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 linux/ppc64le linux/s390x linux/riscv64 windows/amd64 all' ;;
    'copy --image-format' | 'save --image-format') takes='words oci docker' ;;
    'copy --compress') takes='words gzip zstd none' ;;
    'copy --plan' | 'copy --apply' | 'sync --lock' | 'save -o' | 'save --output' | 'load -i' | 'load --input' | 'load --receipt' | 'serve --tls-cert' | 'serve --tls-key' | 'serve --client-ca' | 'serve --issue-tokens') takes='file' ;;
    'save --outer') takes='words none gzip zstd' ;;
    'load --platform') takes='list linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 linux/ppc64le linux/s390x linux/riscv64 windows/amd64' ;;
    'images --format' | 'df --format' | 'inspect -f' | 'inspect --format' | 'search --format') takes='words json' ;;
    'inspect --platform' | 'digest --platform' | 'doctor --platform') takes='words linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 linux/ppc64le linux/s390x linux/riscv64 windows/amd64' ;;
    'login --store') takes='words file keychain helper' ;;
    'tags --sort') takes='words name semver created' ;;
    'serve --auth') takes='words none htpasswd= token=' ;;
    *) return 1 ;;
  esac
}

# Sets `takes` to what the argument $2 of the command $1 is, the first being 1.
_ocictl_argument() {
  case "$1 $2" in
    'pull '* | 'copy 1' | 'copy '* | 'save '* | 'inspect '* | 'digest '* | 'auth 2' | 'tags 1' | 'delete '* | 'doctor 1') takes='image' ;;
    'push '* | 'tag 1' | 'tag '* | 'images 1' | 'rmi '* | 'scrub '*) takes='stored' ;;
    'sync 1') takes='file' ;;
    'auth 1') takes='words token' ;;
    'storage 1') takes='words gc' ;;
    'config 1') takes='words show path' ;;
    'completion 1') takes='words bash zsh fish' ;;
    'help 1') takes='words pull push copy sync save load tag images rmi prune df scrub inspect digest login logout whoami with-login auth search repos catalog tags delete doctor serve storage config completion version help' ;;
    *) takes= ;;
  esac
}

# Sets `options` to the options of the command $1.
_ocictl_options() {
  case $1 in
    '') options='--config -v --verbose -h --help -V --version' ;;
    'pull') options='-a --all-tags --platform -q --quiet --json --progress --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'push') options='-a --all-tags --platform -q --quiet --json --progress --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'copy') options='--platform --sparse --all -a --all-tags --referrers --digest-tags --if-absent --image-format --compress --replace --check --check-bytes --dry-run --plan --apply -q --quiet --json --progress --registry-mirror --insecure-registry --certs-dir --src-creds --dest-creds --anonymous --config -v --verbose -h --help' ;;
    'sync') options='--delete --dry-run --keep-going --lock -q --quiet --json --progress --registry-mirror --insecure-registry --certs-dir --host-creds --config -v --verbose -h --help' ;;
    'save') options='-o --output --platform --image-format --since --outer --remote -q --quiet --json --progress --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'load') options='-i --input --platform --into --receipt -q --quiet --json --progress --config -v --verbose -h --help' ;;
    'tag') options='--remote --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'images') options='-a --all -q --quiet --digests --no-trunc -f --filter --format --json --config -v --verbose -h --help' ;;
    'rmi') options='-f --force --json --config -v --verbose -h --help' ;;
    'prune') options='--dry-run --json --config -v --verbose -h --help' ;;
    'df') options='-v --verbose --format --json --config -h --help' ;;
    'scrub') options='--repair -q --quiet --json --progress --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'inspect') options='--platform --json -f --format --raw --config --no-tags --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous -v --verbose -h --help' ;;
    'digest') options='--platform --full-ref --json --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'login') options='-u --username -p --password --password-stdin --identity-token-stdin --store --no-verify --insecure-registry --certs-dir --json --config -v --verbose -h --help' ;;
    'logout') options='--all --json --config -v --verbose -h --help' ;;
    'whoami') options='--json --config -v --verbose -h --help' ;;
    'with-login') options='-u --username --password-stdin --no-verify --insecure-registry --certs-dir --config -v --verbose -h --help' ;;
    'auth') options='--scope --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'search') options='-f --filter --limit --no-trunc --format --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'repos') options='--filter --limit --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'catalog') options='--filter --limit --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'tags') options='--filter --sort --reverse --limit --after --json --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'delete') options='--match --older-than --keep --dry-run -y --yes --json --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'doctor') options='--platform --forget --json --registry-mirror --insecure-registry --certs-dir --creds -u --username --password-stdin --anonymous --config -v --verbose -h --help' ;;
    'serve') options='--addr --allow-host --root --memory --store --mirror-of --read-only --sparse --auth --tls-cert --tls-key --client-ca --trust-proxy --issue-tokens --upload-timeout --min-rate --json --config -v --verbose -h --help' ;;
    'storage') options='--root --dry-run --grace --untagged --json --config -v --verbose -h --help' ;;
    'config') options='--json --config -v --verbose -h --help' ;;
    'completion') options='--config -v --verbose -h --help' ;;
    'version') options='--json --config -v --verbose -h --help' ;;
    'help') options='' ;;
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
    takes='words pull push copy sync save load tag images rmi prune df scrub inspect digest login logout whoami with-login auth search repos catalog tags delete doctor serve storage config completion version help'
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
