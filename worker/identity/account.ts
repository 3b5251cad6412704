/** What an identity provider says of whoever signed in there, whichever provider it is. */
export interface Account {
  /** With the subject, who it is. Nothing else says so. */
  issuer: string;
  subject: string;
  /** To show; may be empty. */
  name: string;
  email: string | null;
  /** Whether the provider says that the address is theirs. */
  emailVerified: boolean;
  /** What they might be called here, in whatever letters. */
  suggestedName: string;
  groups: readonly string[];
  organizations: readonly string[];
}

/** What goes to a provider with somebody, and must come back with them. */
export interface Attempt {
  state: string;
  nonce: string;
  /** Of PKCE: who exchanges the code is who asked for it. */
  verifier: string;
}
