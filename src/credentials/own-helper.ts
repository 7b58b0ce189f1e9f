/** The name of our own credential helper, which uses the keychain. */
export const ownHelper = 'ocictl';
