# fish completion for ocictl, made from its commands: do not edit.

# Prints the command that is typed and how many arguments stand after it: `pull 0`. No command yet: `'' 0`.
function __ocictl_place
    set -l words (commandline -opc)
    set -l command ''
    set -l count 0
    set -l waiting no
    set -l ended no
    for word in $words[2..-1]
        if test $waiting = yes
            set waiting no
        else if test $ended = no -a "$word" = --
            set ended yes
        else if test $ended = no; and string match -q -- '-?*' $word
            contains -- "$command $word" $__ocictl_taking; and set waiting yes
        else if test -z "$command"
            set command $word
        else
            set count (math $count + 1)
        end
    end
    printf '%s\n' "$command" $count
end

function __ocictl_at -a command count
    set -l place (__ocictl_place)
    test "$place[1]" = "$command"; or return 1
    test -z "$count" -o "$place[2]" = "$count"
end

# The words after the commas that were typed.
function __ocictl_list
    set -l typed (commandline -ct | string replace -r -- '^--[^=]*=' '' | string replace -r -- '[^,]*$' '')
    printf '%s\n' $typed$argv
end

function __ocictl_images
    command ocictl __complete images 2>/dev/null
end

# Options that take the next word, behind their command.
set -g __ocictl_taking ' --config' 'pull --platform' 'pull --registry-mirror' 'pull --insecure-registry' 'pull --config' 'push --platform' 'push --registry-mirror' 'push --insecure-registry' 'push --config' 'copy --platform' 'copy --registry-mirror' 'copy --insecure-registry' 'copy --config' 'tag --config' 'images --config' 'rmi --config' 'inspect --platform' 'inspect --format' 'inspect --registry-mirror' 'inspect --insecure-registry' 'digest --platform' 'digest --registry-mirror' 'digest --insecure-registry' 'digest --config' 'login -u' 'login --username' 'login -p' 'login --password' 'login --insecure-registry' 'login --config' 'logout --config' 'search -f' 'search --filter' 'search --limit' 'search --format' 'search --insecure-registry' 'search --config' 'tags --limit' 'tags --after' 'tags --registry-mirror' 'tags --insecure-registry' 'tags --config' 'delete --registry-mirror' 'delete --insecure-registry' 'delete --config' 'serve --addr' 'serve --allow-host' 'serve --root' 'serve --mirror-of' 'serve --config' 'completion --config' 'version --config'

complete -c ocictl -e
complete -c ocictl -f
complete -c ocictl -n '__ocictl_at \'\'' -l config -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Directory of Docker\'s config.json (default $DOCKER_CONFIG or ~/.docker)'
complete -c ocictl -n '__ocictl_at \'\'' -s v -l verbose -d 'Tell requests and decisions on stderr'
complete -c ocictl -n '__ocictl_at \'\'' -s h -l help -d 'Show help'
complete -c ocictl -n '__ocictl_at \'\'' -s V -l version -d 'Show the version'
complete -c ocictl -n '__ocictl_at \'\'' -a pull -d 'Download an image from a registry into the local store'
complete -c ocictl -n '__ocictl_at \'\'' -a push -d 'Upload an image of the local store to a registry'
complete -c ocictl -n '__ocictl_at \'\'' -a copy -d 'Copy an image from one place to another, unchanged'
complete -c ocictl -n '__ocictl_at \'\'' -a tag -d 'Give an image of the local store another name'
complete -c ocictl -n '__ocictl_at \'\'' -a images -d 'List the images of the local store'
complete -c ocictl -n '__ocictl_at \'\'' -a rmi -d 'Remove images from the local store'
complete -c ocictl -n '__ocictl_at \'\'' -a inspect -d 'Show what an image is made of, without pulling it'
complete -c ocictl -n '__ocictl_at \'\'' -a digest -d 'Print the digest of an image'
complete -c ocictl -n '__ocictl_at \'\'' -a login -d 'Log in to a registry'
complete -c ocictl -n '__ocictl_at \'\'' -a logout -d 'Log out from a registry'
complete -c ocictl -n '__ocictl_at \'\'' -a search -d 'Search a registry for repositories'
complete -c ocictl -n '__ocictl_at \'\'' -a tags -d 'List the tags of a repository'
complete -c ocictl -n '__ocictl_at \'\'' -a delete -d 'Delete a tag or a manifest from a registry'
complete -c ocictl -n '__ocictl_at \'\'' -a serve -d 'Run a registry'
complete -c ocictl -n '__ocictl_at \'\'' -a completion -d 'Print the completion script of a shell'
complete -c ocictl -n '__ocictl_at \'\'' -a version -d 'Show the version of ocictl and of what it runs on'
complete -c ocictl -n '__ocictl_at \'\'' -a help -d 'Show the help of a command'
complete -c ocictl -n '__ocictl_at pull' -s a -l all-tags -d 'Pull every tag of the repository'
complete -c ocictl -n '__ocictl_at pull' -l platform -r -f -a '(__ocictl_list linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 linux/ppc64le linux/s390x linux/riscv64 windows/amd64 all)' -d 'Platforms to pull, comma-separated, or all'
complete -c ocictl -n '__ocictl_at pull' -s q -l quiet -d 'Print only the full name of what was pulled'
complete -c ocictl -n '__ocictl_at pull' -l json -d 'Print the result as JSON; a failure as JSON on stderr'
complete -c ocictl -n '__ocictl_at pull' -l registry-mirror -r -f -d 'Ask this mirror of Docker Hub first; may be repeated'
complete -c ocictl -n '__ocictl_at pull' -l insecure-registry -r -f -d 'Registry or CIDR that may use plain http or any certificate'
complete -c ocictl -n '__ocictl_at pull' -l config -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Directory of Docker\'s config.json (default $DOCKER_CONFIG or ~/.docker)'
complete -c ocictl -n '__ocictl_at pull' -s v -l verbose -d 'Tell requests and decisions on stderr'
complete -c ocictl -n '__ocictl_at pull' -s h -l help -d 'Show help'
complete -c ocictl -n '__ocictl_at pull 0' -f -a '(__ocictl_images)' -d 'Local image'
complete -c ocictl -n '__ocictl_at push' -s a -l all-tags -d 'Push every tag of the repository that is in the store'
complete -c ocictl -n '__ocictl_at push' -l platform -r -f -a 'linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 linux/ppc64le linux/s390x linux/riscv64 windows/amd64 all' -d 'Push the image for this platform alone, without the index'
complete -c ocictl -n '__ocictl_at push' -s q -l quiet -d 'Print only the full name of what was pushed'
complete -c ocictl -n '__ocictl_at push' -l json -d 'Print the result as JSON; a failure as JSON on stderr'
complete -c ocictl -n '__ocictl_at push' -l registry-mirror -r -f -d 'Ask this mirror of Docker Hub first; may be repeated'
complete -c ocictl -n '__ocictl_at push' -l insecure-registry -r -f -d 'Registry or CIDR that may use plain http or any certificate'
complete -c ocictl -n '__ocictl_at push' -l config -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Directory of Docker\'s config.json (default $DOCKER_CONFIG or ~/.docker)'
complete -c ocictl -n '__ocictl_at push' -s v -l verbose -d 'Tell requests and decisions on stderr'
complete -c ocictl -n '__ocictl_at push' -s h -l help -d 'Show help'
complete -c ocictl -n '__ocictl_at push 0' -f -a '(__ocictl_images)' -d 'Local image'
complete -c ocictl -n '__ocictl_at copy' -l platform -r -f -a 'linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 linux/ppc64le linux/s390x linux/riscv64 windows/amd64 all' -d 'Copy the image for this platform alone, without the index'
complete -c ocictl -n '__ocictl_at copy' -l if-absent -d 'Refuse to overwrite a tag that points at something else'
complete -c ocictl -n '__ocictl_at copy' -s q -l quiet -d 'No progress'
complete -c ocictl -n '__ocictl_at copy' -l json -d 'Print the result as JSON; a failure as JSON on stderr'
complete -c ocictl -n '__ocictl_at copy' -l registry-mirror -r -f -d 'Ask this mirror of Docker Hub first; may be repeated'
complete -c ocictl -n '__ocictl_at copy' -l insecure-registry -r -f -d 'Registry or CIDR that may use plain http or any certificate'
complete -c ocictl -n '__ocictl_at copy' -l config -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Directory of Docker\'s config.json (default $DOCKER_CONFIG or ~/.docker)'
complete -c ocictl -n '__ocictl_at copy' -s v -l verbose -d 'Tell requests and decisions on stderr'
complete -c ocictl -n '__ocictl_at copy' -s h -l help -d 'Show help'
complete -c ocictl -n '__ocictl_at copy 0' -f -a '(__ocictl_images)' -d 'Local image'
complete -c ocictl -n '__ocictl_at copy 1' -f -a '(__ocictl_images)' -d 'Local image'
complete -c ocictl -n '__ocictl_at tag' -l config -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Directory of Docker\'s config.json (default $DOCKER_CONFIG or ~/.docker)'
complete -c ocictl -n '__ocictl_at tag' -s v -l verbose -d 'Tell requests and decisions on stderr'
complete -c ocictl -n '__ocictl_at tag' -s h -l help -d 'Show help'
complete -c ocictl -n '__ocictl_at tag 0' -f -a '(__ocictl_images)' -d 'Local image'
complete -c ocictl -n '__ocictl_at tag 1' -f -a '(__ocictl_images)' -d 'Local image'
complete -c ocictl -n '__ocictl_at images' -s q -l quiet -d 'Print only image IDs'
complete -c ocictl -n '__ocictl_at images' -l digests -d 'Show the digest of what each tag points at'
complete -c ocictl -n '__ocictl_at images' -l no-trunc -d 'Do not shorten image IDs'
complete -c ocictl -n '__ocictl_at images' -l json -d 'Print the result as JSON; a failure as JSON on stderr'
complete -c ocictl -n '__ocictl_at images' -l config -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Directory of Docker\'s config.json (default $DOCKER_CONFIG or ~/.docker)'
complete -c ocictl -n '__ocictl_at images' -s v -l verbose -d 'Tell requests and decisions on stderr'
complete -c ocictl -n '__ocictl_at images' -s h -l help -d 'Show help'
complete -c ocictl -n '__ocictl_at images 0' -f -a '(__ocictl_images)' -d 'Local image'
complete -c ocictl -n '__ocictl_at rmi' -s f -l force -d 'Remove an ID or digest with all its tags; do not mind an image that is not there'
complete -c ocictl -n '__ocictl_at rmi' -l json -d 'Print the result as JSON; a failure as JSON on stderr'
complete -c ocictl -n '__ocictl_at rmi' -l config -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Directory of Docker\'s config.json (default $DOCKER_CONFIG or ~/.docker)'
complete -c ocictl -n '__ocictl_at rmi' -s v -l verbose -d 'Tell requests and decisions on stderr'
complete -c ocictl -n '__ocictl_at rmi' -s h -l help -d 'Show help'
complete -c ocictl -n '__ocictl_at rmi' -f -a '(__ocictl_images)' -d 'Local image'
complete -c ocictl -n '__ocictl_at inspect' -l platform -r -f -a 'linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 linux/ppc64le linux/s390x linux/riscv64 windows/amd64 all' -d 'Show the image for this platform'
complete -c ocictl -n '__ocictl_at inspect' -l json -d 'Print the result as JSON; a failure as JSON on stderr'
complete -c ocictl -n '__ocictl_at inspect' -l format -r -f -a 'json' -d 'Print by a Go template, or json'
complete -c ocictl -n '__ocictl_at inspect' -l raw -d 'Print the manifest, or with --config the config, byte for byte'
complete -c ocictl -n '__ocictl_at inspect' -l config -d 'Print the image\'s config'
complete -c ocictl -n '__ocictl_at inspect' -l no-tags -d 'Do not list the tags of the repository'
complete -c ocictl -n '__ocictl_at inspect' -l registry-mirror -r -f -d 'Ask this mirror of Docker Hub first; may be repeated'
complete -c ocictl -n '__ocictl_at inspect' -l insecure-registry -r -f -d 'Registry or CIDR that may use plain http or any certificate'
complete -c ocictl -n '__ocictl_at inspect' -s v -l verbose -d 'Tell requests and decisions on stderr'
complete -c ocictl -n '__ocictl_at inspect' -s h -l help -d 'Show help'
complete -c ocictl -n '__ocictl_at inspect 0' -f -a '(__ocictl_images)' -d 'Local image'
complete -c ocictl -n '__ocictl_at digest' -l platform -r -f -a 'linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 linux/ppc64le linux/s390x linux/riscv64 windows/amd64 all' -d 'The digest of the image for this platform'
complete -c ocictl -n '__ocictl_at digest' -l json -d 'Print the result as JSON; a failure as JSON on stderr'
complete -c ocictl -n '__ocictl_at digest' -l registry-mirror -r -f -d 'Ask this mirror of Docker Hub first; may be repeated'
complete -c ocictl -n '__ocictl_at digest' -l insecure-registry -r -f -d 'Registry or CIDR that may use plain http or any certificate'
complete -c ocictl -n '__ocictl_at digest' -l config -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Directory of Docker\'s config.json (default $DOCKER_CONFIG or ~/.docker)'
complete -c ocictl -n '__ocictl_at digest' -s v -l verbose -d 'Tell requests and decisions on stderr'
complete -c ocictl -n '__ocictl_at digest' -s h -l help -d 'Show help'
complete -c ocictl -n '__ocictl_at digest 0' -f -a '(__ocictl_images)' -d 'Local image'
complete -c ocictl -n '__ocictl_at login' -s u -l username -r -f -d 'User name'
complete -c ocictl -n '__ocictl_at login' -s p -l password -r -f -d 'Password or token; others on this machine can see it here'
complete -c ocictl -n '__ocictl_at login' -l password-stdin -d 'Read the password from standard input'
complete -c ocictl -n '__ocictl_at login' -l insecure-registry -r -f -d 'Registry or CIDR that may use plain http or any certificate'
complete -c ocictl -n '__ocictl_at login' -l json -d 'Print the result as JSON; a failure as JSON on stderr'
complete -c ocictl -n '__ocictl_at login' -l config -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Directory of Docker\'s config.json (default $DOCKER_CONFIG or ~/.docker)'
complete -c ocictl -n '__ocictl_at login' -s v -l verbose -d 'Tell requests and decisions on stderr'
complete -c ocictl -n '__ocictl_at login' -s h -l help -d 'Show help'
complete -c ocictl -n '__ocictl_at logout' -l json -d 'Print the result as JSON; a failure as JSON on stderr'
complete -c ocictl -n '__ocictl_at logout' -l config -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Directory of Docker\'s config.json (default $DOCKER_CONFIG or ~/.docker)'
complete -c ocictl -n '__ocictl_at logout' -s v -l verbose -d 'Tell requests and decisions on stderr'
complete -c ocictl -n '__ocictl_at logout' -s h -l help -d 'Show help'
complete -c ocictl -n '__ocictl_at search' -s f -l filter -r -f -d 'Only is-official=true, or stars=N and more; may be repeated'
complete -c ocictl -n '__ocictl_at search' -l limit -r -f -d 'At most this many results, 1 to 100 (default 25)'
complete -c ocictl -n '__ocictl_at search' -l no-trunc -d 'Do not shorten descriptions'
complete -c ocictl -n '__ocictl_at search' -l format -r -f -a 'json' -d 'Print with a Go template, "table TEMPLATE", or json'
complete -c ocictl -n '__ocictl_at search' -l json -d 'Print the result as JSON; a failure as JSON on stderr'
complete -c ocictl -n '__ocictl_at search' -l insecure-registry -r -f -d 'Registry or CIDR that may use plain http or any certificate'
complete -c ocictl -n '__ocictl_at search' -l config -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Directory of Docker\'s config.json (default $DOCKER_CONFIG or ~/.docker)'
complete -c ocictl -n '__ocictl_at search' -s v -l verbose -d 'Tell requests and decisions on stderr'
complete -c ocictl -n '__ocictl_at search' -s h -l help -d 'Show help'
complete -c ocictl -n '__ocictl_at tags' -l limit -r -f -d 'Stop after this many tags'
complete -c ocictl -n '__ocictl_at tags' -l after -r -f -d 'Start behind this tag'
complete -c ocictl -n '__ocictl_at tags' -l json -d 'Print the result as JSON; a failure as JSON on stderr'
complete -c ocictl -n '__ocictl_at tags' -l registry-mirror -r -f -d 'Ask this mirror of Docker Hub first; may be repeated'
complete -c ocictl -n '__ocictl_at tags' -l insecure-registry -r -f -d 'Registry or CIDR that may use plain http or any certificate'
complete -c ocictl -n '__ocictl_at tags' -l config -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Directory of Docker\'s config.json (default $DOCKER_CONFIG or ~/.docker)'
complete -c ocictl -n '__ocictl_at tags' -s v -l verbose -d 'Tell requests and decisions on stderr'
complete -c ocictl -n '__ocictl_at tags' -s h -l help -d 'Show help'
complete -c ocictl -n '__ocictl_at tags 0' -f -a '(__ocictl_images)' -d 'Local image'
complete -c ocictl -n '__ocictl_at delete' -l yes -d 'Delete a digest with all its tags'
complete -c ocictl -n '__ocictl_at delete' -l json -d 'Print the result as JSON; a failure as JSON on stderr'
complete -c ocictl -n '__ocictl_at delete' -l registry-mirror -r -f -d 'Ask this mirror of Docker Hub first; may be repeated'
complete -c ocictl -n '__ocictl_at delete' -l insecure-registry -r -f -d 'Registry or CIDR that may use plain http or any certificate'
complete -c ocictl -n '__ocictl_at delete' -l config -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Directory of Docker\'s config.json (default $DOCKER_CONFIG or ~/.docker)'
complete -c ocictl -n '__ocictl_at delete' -s v -l verbose -d 'Tell requests and decisions on stderr'
complete -c ocictl -n '__ocictl_at delete' -s h -l help -d 'Show help'
complete -c ocictl -n '__ocictl_at delete 0' -f -a '(__ocictl_images)' -d 'Local image'
complete -c ocictl -n '__ocictl_at serve' -l addr -r -f -d 'Where to listen; port 0 takes a free one (default 127.0.0.1:5000)'
complete -c ocictl -n '__ocictl_at serve' -l allow-host -r -f -d 'Answer to this name too, where only this machine reaches it'
complete -c ocictl -n '__ocictl_at serve' -l root -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Keep images in this directory'
complete -c ocictl -n '__ocictl_at serve' -l memory -d 'Keep images in memory, until it stops'
complete -c ocictl -n '__ocictl_at serve' -l store -d 'Offer the images of the local store, read-only'
complete -c ocictl -n '__ocictl_at serve' -l mirror-of -r -f -d 'Offer what came from this domain under plain names, as its mirror'
complete -c ocictl -n '__ocictl_at serve' -l read-only -d 'Refuse pushes and deletes'
complete -c ocictl -n '__ocictl_at serve' -l config -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Directory of Docker\'s config.json (default $DOCKER_CONFIG or ~/.docker)'
complete -c ocictl -n '__ocictl_at serve' -s v -l verbose -d 'Tell requests and decisions on stderr'
complete -c ocictl -n '__ocictl_at serve' -s h -l help -d 'Show help'
complete -c ocictl -n '__ocictl_at completion' -l config -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Directory of Docker\'s config.json (default $DOCKER_CONFIG or ~/.docker)'
complete -c ocictl -n '__ocictl_at completion' -s v -l verbose -d 'Tell requests and decisions on stderr'
complete -c ocictl -n '__ocictl_at completion' -s h -l help -d 'Show help'
complete -c ocictl -n '__ocictl_at completion 0' -f -a 'bash zsh fish'
complete -c ocictl -n '__ocictl_at version' -l json -d 'Print the result as JSON; a failure as JSON on stderr'
complete -c ocictl -n '__ocictl_at version' -l config -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Directory of Docker\'s config.json (default $DOCKER_CONFIG or ~/.docker)'
complete -c ocictl -n '__ocictl_at version' -s v -l verbose -d 'Tell requests and decisions on stderr'
complete -c ocictl -n '__ocictl_at version' -s h -l help -d 'Show help'
complete -c ocictl -n '__ocictl_at help 0' -f -a 'pull push copy tag images rmi inspect digest login logout search tags delete serve completion version help'
