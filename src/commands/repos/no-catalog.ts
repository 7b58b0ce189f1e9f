/** Other ways to list repositories, for registries without a catalog API. */

interface NoCatalog {
  readonly hosts: RegExp;
  readonly instead: string;
}

/** Registries that refuse the list, or allow it to few users, each with its own way. */
const known: readonly NoCatalog[] = [
  // https://docs.docker.com/reference/api/hub/latest/
  {
    hosts: /^(?:index\.|registry-1\.)?docker\.io$/,
    instead: 'Docker Hub has no such list; ocictl search TERM looks for names',
  },
  // https://docs.github.com/en/rest/packages/packages
  {
    hosts: /^ghcr\.io$/,
    instead: "GitHub has no such list here; 'gh api /orgs/ORG/packages?package_type=container' lists an organisation's",
  },
  // https://docs.aws.amazon.com/cli/latest/reference/ecr/describe-repositories.html
  { hosts: /^public\.ecr\.aws$/, instead: "'aws ecr-public describe-repositories' lists your own" },
  {
    hosts: /\.dkr\.ecr[a-z-]*\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/,
    instead: "'aws ecr describe-repositories' lists them",
  },
  // https://learn.microsoft.com/en-us/cli/azure/acr/repository
  { hosts: /\.azurecr\.(?:io|cn|us)$/, instead: "'az acr repository list --name NAME' lists them" },
  // https://cloud.google.com/sdk/gcloud/reference/artifacts/docker/images/list
  { hosts: /(?:^|\.)gcr\.io$|-docker\.pkg\.dev$/, instead: "'gcloud artifacts docker images list' lists images" },
];

/** The hint for a registry that did not list its repositories. */
export function insteadOfCatalog(host: string, { mayLogIn }: { readonly mayLogIn: boolean }): string {
  const own = known.find(({ hosts }) => hosts.test(host))?.instead;
  if (own !== undefined) return own;
  const login = mayLogIn ? `log in as a user who may list them (ocictl login ${host}), or ` : '';
  return `${login}name a repository: ocictl tags ${host}/NAME; ocictl search ${host}/TERM if it has a search`;
}
