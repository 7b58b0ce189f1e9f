/** The options that stand before or after any command's name. */
export const globalOptions = {
  config: {
    flags: '--config <dir>',
    summary: "Directory of Docker's config.json (default $DOCKER_CONFIG or ~/.docker)",
  },
  verbose: { flags: '-v, --verbose', summary: 'Tell requests and decisions on stderr; twice, headers too' },
} as const;
