/** The options that are allowed before or after the name of any command. */
export const globalOptions = {
  config: {
    flags: '--config <dir>',
    summary: "Directory of Docker's config.json (default $DOCKER_CONFIG or ~/.docker)",
  },
  verbose: { flags: '-v, --verbose', summary: 'Tell requests and decisions on stderr; twice, headers too' },
} as const;
