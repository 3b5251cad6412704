/* Made by `npm run generate` from docs/openapi.json. */

/**
 * What somebody is on the whole registry. Each may do what those before it may.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "SiteRole".
 */
export type SiteRole = "user" | "admin" | "superuser";
/**
 * A moment in UTC, such as `2026-11-25T04:10:00.000Z`.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Time".
 */
export type Time = string;
/**
 * `pull` reads images, `push` adds images and tags, `manage` changes and deletes.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Scope".
 */
export type Scope = "pull" | "push" | "manage";
/**
 * How many each value would leave, the most frequent first.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Facet".
 */
export type Facet = {
  value: string;
  count: number;
}[];

/**
 * Every operation by method and path: what it takes, and what it answers when it succeeds.
 */
export interface Operations {
  "GET /api/v1/site": {
    path: {};
    query: {};
    body: null;
    answer: Site;
    needsIfMatch: false;
  };
  "GET /api/v1/terms": {
    path: {};
    query: {};
    body: null;
    answer: Terms;
    needsIfMatch: false;
  };
  "GET /api/v1/errors/{code}": {
    path: {
      code:
        | "unauthenticated"
        | "invalid-credential"
        | "insufficient-scope"
        | "session-required"
        | "terms-required"
        | "forbidden"
        | "not-found"
        | "no-such-route"
        | "reference-invalid"
        | "name-invalid"
        | "name-reserved"
        | "name-taken"
        | "tag-invalid"
        | "topic-invalid"
        | "digest-invalid"
        | "query-invalid"
        | "body-invalid"
        | "body-too-large"
        | "length-required"
        | "conflict"
        | "precondition-required"
        | "precondition-failed"
        | "limit-reached"
        | "pushing-disabled"
        | "collections-disabled"
        | "collection-limit"
        | "people-from-teams"
        | "last-owner"
        | "quota-exceeded"
        | "share-ended"
        | "picture-invalid"
        | "topic-limit"
        | "private-only"
        | "frozen"
        | "tag-frozen"
        | "read-only"
        | "image-too-large"
        | "size-mismatch"
        | "digest-mismatch"
        | "upload-expired"
        | "upload-used"
        | "upload-incomplete"
        | "upload-ended"
        | "parts-invalid"
        | "verifying"
        | "verification-failed"
        | "image-corrupt"
        | "sif-invalid"
        | "sif-unsupported"
        | "architecture-mismatch"
        | "capability-invalid"
        | "capability-expired"
        | "range-not-satisfiable"
        | "cross-site"
        | "https-required"
        | "sign-in-failed"
        | "sign-in-expired"
        | "not-admitted"
        | "identity-taken"
        | "last-identity"
        | "link-ended"
        | "provider-unavailable"
        | "publisher-refused"
        | "setting-locked"
        | "setting-invalid"
        | "keys-disabled"
        | "already-so"
        | "rate-limited"
        | "misdirected"
        | "misconfigured"
        | "unavailable"
        | "internal";
    };
    query: {};
    body: null;
    answer: ErrorCode;
    needsIfMatch: false;
  };
  "GET /api/v1/openapi.json": {
    path: {};
    query: {};
    body: null;
    answer: {
      [k: string]: unknown;
    };
    needsIfMatch: false;
  };
  "GET /api/v1/me": {
    path: {};
    query: {};
    body: null;
    answer: Me;
    needsIfMatch: false;
  };
  "DELETE /api/v1/me": {
    path: {};
    query: {};
    body: null;
    answer: null;
    needsIfMatch: true;
  };
  "PUT /api/v1/me/terms": {
    path: {};
    query: {};
    body: Agreement;
    answer: Me;
    needsIfMatch: false;
  };
  "GET /api/v1/me/deletion": {
    path: {};
    query: {};
    body: null;
    answer: Deletion;
    needsIfMatch: false;
  };
  "GET /api/v1/me/export": {
    path: {};
    query: {};
    body: null;
    answer: Export;
    needsIfMatch: false;
  };
  "POST /api/v1/sign-ins": {
    path: {};
    query: {};
    body: NewSignIn;
    answer: SignIn;
    needsIfMatch: false;
  };
  "GET /api/v1/registration": {
    path: {};
    query: {};
    body: null;
    answer: Registration;
    needsIfMatch: false;
  };
  "POST /api/v1/registration": {
    path: {};
    query: {};
    body: NewRegistration;
    answer: Me;
    needsIfMatch: false;
  };
  "POST /api/v1/sessions": {
    path: {};
    query: {};
    body: LoginLink;
    answer: Me;
    needsIfMatch: false;
  };
  "GET /api/v1/sessions": {
    path: {};
    query: {
      after?: string;
    };
    body: null;
    answer: SessionPage;
    needsIfMatch: false;
  };
  "DELETE /api/v1/sessions": {
    path: {};
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "DELETE /api/v1/sessions/{id}": {
    path: {
      id: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "GET /api/v1/identities": {
    path: {};
    query: {};
    body: null;
    answer: Identities;
    needsIfMatch: false;
  };
  "POST /api/v1/identities": {
    path: {};
    query: {};
    body: NewLink;
    answer: SignIn;
    needsIfMatch: false;
  };
  "DELETE /api/v1/identities/{id}": {
    path: {
      id: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "GET /api/v1/tokens": {
    path: {};
    query: {
      after?: string;
    };
    body: null;
    answer: TokenPage;
    needsIfMatch: false;
  };
  "POST /api/v1/tokens": {
    path: {};
    query: {};
    body: NewToken;
    answer: MadeToken;
    needsIfMatch: false;
  };
  "GET /api/v1/tokens/{id}": {
    path: {
      id: string;
    };
    query: {};
    body: null;
    answer: Token;
    needsIfMatch: false;
  };
  "DELETE /api/v1/tokens/{id}": {
    path: {
      id: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "GET /api/v1/sregistry-key": {
    path: {};
    query: {};
    body: null;
    answer: SregistryKey;
    needsIfMatch: false;
  };
  "POST /api/v1/sregistry-key": {
    path: {};
    query: {};
    body: null;
    answer: MadeSregistryKey;
    needsIfMatch: false;
  };
  "DELETE /api/v1/sregistry-key": {
    path: {};
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "GET /api/v1/robots": {
    path: {};
    query: {
      after?: string;
    };
    body: null;
    answer: RobotPage;
    needsIfMatch: false;
  };
  "POST /api/v1/robots": {
    path: {};
    query: {};
    body: NewRobot;
    answer: Robot;
    needsIfMatch: false;
  };
  "GET /api/v1/robots/{username}": {
    path: {
      username: string;
    };
    query: {};
    body: null;
    answer: Robot;
    needsIfMatch: false;
  };
  "PATCH /api/v1/robots/{username}": {
    path: {
      username: string;
    };
    query: {};
    body: RobotEdit;
    answer: Robot;
    needsIfMatch: true;
  };
  "DELETE /api/v1/robots/{username}": {
    path: {
      username: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "GET /api/v1/robots/{username}/tokens": {
    path: {
      username: string;
    };
    query: {
      after?: string;
    };
    body: null;
    answer: RobotTokenPage;
    needsIfMatch: false;
  };
  "POST /api/v1/robots/{username}/tokens": {
    path: {
      username: string;
    };
    query: {};
    body: NewToken;
    answer: MadeToken;
    needsIfMatch: false;
  };
  "DELETE /api/v1/robots/{username}/tokens/{id}": {
    path: {
      username: string;
      id: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "GET /api/v1/users": {
    path: {};
    query: {
      after?: string;
      q?: string;
    };
    body: null;
    answer: UserPage;
    needsIfMatch: false;
  };
  "POST /api/v1/users": {
    path: {};
    query: {};
    body: NewUser;
    answer: User;
    needsIfMatch: false;
  };
  "GET /api/v1/users/{username}": {
    path: {
      username: string;
    };
    query: {};
    body: null;
    answer: User;
    needsIfMatch: false;
  };
  "PATCH /api/v1/users/{username}": {
    path: {
      username: string;
    };
    query: {};
    body: UserEdit;
    answer: User;
    needsIfMatch: true;
  };
  "DELETE /api/v1/users/{username}": {
    path: {
      username: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "GET /api/v1/users/{username}/tokens": {
    path: {
      username: string;
    };
    query: {
      after?: string;
    };
    body: null;
    answer: UserTokenPage;
    needsIfMatch: false;
  };
  "DELETE /api/v1/users/{username}/credentials": {
    path: {
      username: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "GET /api/v1/settings": {
    path: {};
    query: {};
    body: null;
    answer: Settings;
    needsIfMatch: false;
  };
  "GET /api/v1/settings/{name}": {
    path: {
      name: string;
    };
    query: {};
    body: null;
    answer: Setting;
    needsIfMatch: false;
  };
  "PUT /api/v1/settings/{name}": {
    path: {
      name: string;
    };
    query: {};
    body: SettingChange;
    answer: Setting;
    needsIfMatch: true;
  };
  "DELETE /api/v1/settings/{name}": {
    path: {
      name: string;
    };
    query: {};
    body: null;
    answer: Setting;
    needsIfMatch: true;
  };
  "GET /api/v1/audit": {
    path: {};
    query: {
      after?: string;
      actor?: string;
      action?: string;
      target?: string;
      since?: string;
      until?: string;
    };
    body: null;
    answer: AuditPage;
    needsIfMatch: false;
  };
  "GET /api/v1/collections/{entity}/{collection}/publishers": {
    path: {
      entity: string;
      collection: string;
    };
    query: {};
    body: null;
    answer: Publishers;
    needsIfMatch: false;
  };
  "POST /api/v1/collections/{entity}/{collection}/publishers": {
    path: {
      entity: string;
      collection: string;
    };
    query: {};
    body: NewPublisher;
    answer: Publisher;
    needsIfMatch: false;
  };
  "DELETE /api/v1/collections/{entity}/{collection}/publishers/{id}": {
    path: {
      entity: string;
      collection: string;
      id: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "POST /api/v1/publisher-tokens": {
    path: {};
    query: {};
    body: TokenExchange;
    answer: PublisherToken;
    needsIfMatch: false;
  };
  "GET /api/v1/search": {
    path: {};
    query: {
      q?: string;
      arch?: string;
      signed?: "true" | "false" | "";
      collection?: string;
      label?: string[];
    };
    body: null;
    answer: ImageSearch;
    needsIfMatch: false;
  };
  "GET /api/v1/labels": {
    path: {};
    query: {
      after?: string;
    };
    body: null;
    answer: LabelKeyPage;
    needsIfMatch: false;
  };
  "GET /api/v1/labels/{key}": {
    path: {
      key: string;
    };
    query: {
      after?: string;
    };
    body: null;
    answer: LabelValuePage;
    needsIfMatch: false;
  };
  "GET /api/v1/labels/{key}/{value}": {
    path: {
      key: string;
      value: string;
    };
    query: {
      after?: string;
    };
    body: null;
    answer: LabelledImagePage;
    needsIfMatch: false;
  };
  "GET /api/v1/topics": {
    path: {};
    query: {
      after?: string;
    };
    body: null;
    answer: TopicPage;
    needsIfMatch: false;
  };
  "GET /api/v1/topics/{topic}": {
    path: {
      topic: string;
    };
    query: {
      after?: string;
    };
    body: null;
    answer: ContainerPage;
    needsIfMatch: false;
  };
  "GET /api/v1/containers/{entity}/{collection}/{container}/topics": {
    path: {
      entity: string;
      collection: string;
      container: string;
    };
    query: {};
    body: null;
    answer: Topics;
    needsIfMatch: false;
  };
  "PUT /api/v1/containers/{entity}/{collection}/{container}/topics/{topic}": {
    path: {
      entity: string;
      collection: string;
      container: string;
      topic: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "DELETE /api/v1/containers/{entity}/{collection}/{container}/topics/{topic}": {
    path: {
      entity: string;
      collection: string;
      container: string;
      topic: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Site".
 */
export interface Site {
  name: string;
  /**
   * A short id, and the remote's name in the lines to paste.
   */
  uri: string;
  contactEmail: string | null;
  institutionUrl: string | null;
  analyticsId: string | null;
  origin: string;
  version: string;
  signIn: {
    /**
     * Why nobody can sign in by a provider; null where they can.
     */
    obstacle: ("https-required" | "no-providers") | null;
    providers: {
      id: string;
      name: string;
    }[];
  };
  termsVersion: string | null;
  policies: {
    usersCreateCollections: boolean;
    collectionsPerUser: number | null;
    isPrivateOnly: boolean;
    isPrivateByDefault: boolean;
    isPushingDisabled: boolean;
    isAuthRequired: boolean;
  };
  limits: {
    imageBytes: number;
    requestBytes: number | null;
    tokenDays: number;
  };
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Terms".
 */
export interface Terms {
  version: string;
  text: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ErrorCode".
 */
export interface ErrorCode {
  code: string;
  title: string;
  status: number;
  help: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Me".
 */
export interface Me {
  username: string;
  role: SiteRole;
  isRobot: boolean;
  /**
   * Where one's own collections are; a robot has none.
   */
  entity: string | null;
  createdAt: Time;
  terms: {
    /**
     * The version one must have agreed to; null where there are none.
     */
    required: string | null;
    agreed: string | null;
    agreedAt: Time | null;
  };
  credential: {
    kind: "session" | "token";
    id: string;
    scopes: Scope[];
    /**
     * Whether it is good for one collection alone.
     */
    isNarrowed: boolean;
  };
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Agreement".
 */
export interface Agreement {
  /**
   * The version that was read.
   */
  version: string;
}
/**
 * What deleting one's account would do.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Deletion".
 */
export interface Deletion {
  deletes: {
    collections: string[];
    images: number;
    /**
     * Freed when nobody else has the same content, and the last download has ended.
     */
    bytes: number;
    tokens: number;
    sessions: number;
    identities: number;
    hasSregistryKey: boolean;
    /**
     * In collections of others.
     */
    memberships: number;
    /**
     * Pipelines that push in your name, wherever.
     */
    publishers: number;
  };
  handsOver: {
    what: string;
    to: string;
  }[];
  /**
   * What stays, in sentences.
   */
  keeps: string[];
  /**
   * What must be settled first, in sentences; empty where nothing is in the way.
   */
  obstacles: string[];
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Export".
 */
export interface Export {
  [k: string]: unknown;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "NewSignIn".
 */
export interface NewSignIn {
  provider: string;
  /**
   * A path of this registry to go on with.
   */
  next?: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "SignIn".
 */
export interface SignIn {
  /**
   * Where the browser goes next: the identity provider.
   */
  url: string;
}
/**
 * Somebody who has signed in for the first time and has no name here yet.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Registration".
 */
export interface Registration {
  provider: {
    id: string;
    name: string;
  };
  name: string;
  email: string | null;
  /**
   * A name that is free; empty where none came to mind.
   */
  suggestedUsername: string;
  /**
   * The version of the terms to agree to; null where there are none.
   */
  terms: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "NewRegistration".
 */
export interface NewRegistration {
  username: string;
  /**
   * The version agreed to.
   */
  terms?: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "LoginLink".
 */
export interface LoginLink {
  link: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "SessionPage".
 */
export interface SessionPage {
  items: Session[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Session".
 */
export interface Session {
  id: string;
  isCurrent: boolean;
  /**
   * A provider's id, or `login-link`.
   */
  signedInWith: string;
  userAgent: string;
  createdAt: Time;
  /**
   * A moment in UTC, such as `2026-11-25T04:10:00.000Z`.
   */
  lastUsedAt: string;
  expiresAt: Time;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Identities".
 */
export interface Identities {
  items: Identity[];
}
/**
 * An account elsewhere that one signs in with.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Identity".
 */
export interface Identity {
  id: string;
  provider: {
    id: string;
    name: string;
  };
  issuer: string;
  subject: string;
  name: string;
  email: string | null;
  isEmailVerified: boolean;
  createdAt: Time;
  lastUsedAt: Time;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "NewLink".
 */
export interface NewLink {
  provider: string;
  /**
   * A path of this registry to go on with.
   */
  next?: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "TokenPage".
 */
export interface TokenPage {
  items: Token[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * An access token, without what could be used as one.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Token".
 */
export interface Token {
  id: string;
  name: string;
  /**
   * Its last characters, to tell it from others.
   */
  hint: string;
  scopes: Scope[];
  /**
   * The one collection it is good for; null for all. `deleted` for one that is gone.
   */
  collection: string | null;
  createdAt: Time;
  expiresAt: Time | null;
  /**
   * To the hour.
   */
  lastUsedAt: Time | null;
  state: "active" | "expired" | "revoked";
  /**
   * The pipeline it was given to, as `REPOSITORY branch|tag REF`; null for one made by a person.
   */
  publisher: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "NewToken".
 */
export interface NewToken {
  name: string;
  /**
   * @minItems 1
   */
  scopes: Scope[];
  collection?: string | null;
  expiresInDays?: number | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "MadeToken".
 */
export interface MadeToken {
  token: Token;
  /**
   * The token itself. It is shown this once.
   */
  secret: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "SregistryKey".
 */
export interface SregistryKey {
  id: string;
  createdAt: Time;
  lastUsedAt: Time | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "MadeSregistryKey".
 */
export interface MadeSregistryKey {
  key: SregistryKey;
  secret: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "RobotPage".
 */
export interface RobotPage {
  items: Robot[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * A user who is no person: it holds tokens, and never signs in.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Robot".
 */
export interface Robot {
  username: string;
  description: string;
  /**
   * The user who looks after it; null when they are gone.
   */
  owner: string | null;
  isDisabled: boolean;
  createdAt: Time;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "NewRobot".
 */
export interface NewRobot {
  username: string;
  description?: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "RobotEdit".
 */
export interface RobotEdit {
  description?: string;
  isDisabled?: boolean;
  /**
   * An administrator.
   */
  owner?: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "RobotTokenPage".
 */
export interface RobotTokenPage {
  items: Token[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "UserPage".
 */
export interface UserPage {
  items: User[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "User".
 */
export interface User {
  username: string;
  role: SiteRole;
  isDisabled: boolean;
  createdAt: Time;
  /**
   * Whether the role comes from a claim of an identity provider.
   */
  isAdminByClaim: boolean;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "NewUser".
 */
export interface NewUser {
  username: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "UserEdit".
 */
export interface UserEdit {
  isDisabled?: boolean;
  role?: SiteRole;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "UserTokenPage".
 */
export interface UserTokenPage {
  items: Token[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Settings".
 */
export interface Settings {
  items: Setting[];
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Setting".
 */
export interface Setting {
  name: string;
  group: "site" | "policy" | "sign-in" | "network" | "secrets";
  /**
   * What may be set.
   */
  allowed: string;
  meaning: string;
  default: string;
  /**
   * The value that counts, as it is written; null where it is unset, or a secret.
   */
  value: string | null;
  /**
   * Whether it is something else than the default. All that is told of a secret.
   */
  isSet: boolean;
  source: "environment" | "database" | "default";
  /**
   * Whether it can be changed here: the environment locks what it says.
   */
  isEditable: boolean;
  updatedBy: string | null;
  updatedAt: Time | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "SettingChange".
 */
export interface SettingChange {
  value: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "AuditPage".
 */
export interface AuditPage {
  items: AuditEntry[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "AuditEntry".
 */
export interface AuditEntry {
  id: number;
  at: Time;
  actor: string;
  credential: string | null;
  action: string;
  target: string;
  detail: {
    [k: string]: unknown;
  } | null;
  requestId: string;
  /**
   * A keyed hash of the network address: equal ones were the same.
   */
  address: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Publishers".
 */
export interface Publishers {
  items: Publisher[];
}
/**
 * A pipeline that may push to a collection without a stored secret.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Publisher".
 */
export interface Publisher {
  id: string;
  issuer: string;
  repository: string;
  refKind: "branch" | "tag";
  ref: string;
  /**
   * The issuer's id of the repository, kept from its first token.
   */
  repositoryId: string | null;
  createdBy: string;
  createdAt: Time;
  lastUsedAt: Time | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "NewPublisher".
 */
export interface NewPublisher {
  issuer: string;
  repository: string;
  refKind: "branch" | "tag";
  /**
   * Its name; a `*` stands for any characters.
   */
  ref: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "TokenExchange".
 */
export interface TokenExchange {
  token: string;
  /**
   * `ENTITY/COLLECTION`
   */
  collection: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "PublisherToken".
 */
export interface PublisherToken {
  secret: string;
  expiresAt: Time;
  collection: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ImageSearch".
 */
export interface ImageSearch {
  items: FoundImage[];
  facets: {
    arch: Facet;
    signed: Facet;
    collection: Facet;
    label: Facet;
  };
  /**
   * Whether there are more that match than were looked at.
   */
  isCapped: boolean;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "FoundImage".
 */
export interface FoundImage {
  entity: string;
  collection: string;
  container: string;
  digest: string | null;
  tags: string[];
  arch: string | null;
  sizeBytes: number | null;
  signed: boolean | null;
  encrypted: boolean | null;
  /**
   * The image's; its container's where it has none.
   */
  description: string;
  topics: string[];
  labels: {
    [k: string]: string;
  };
  publishedAt: Time | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "LabelKeyPage".
 */
export interface LabelKeyPage {
  items: {
    key: string;
    /**
     * How many different values it has.
     */
    values: number;
    /**
     * How many images have it.
     */
    images: number;
  }[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "LabelValuePage".
 */
export interface LabelValuePage {
  items: {
    value: string;
    images: number;
  }[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "LabelledImagePage".
 */
export interface LabelledImagePage {
  items: {
    entity: string;
    collection: string;
    container: string;
    digest: string;
    arch: string | null;
    tags: string[];
  }[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "TopicPage".
 */
export interface TopicPage {
  items: {
    topic: string;
    containers: number;
  }[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ContainerPage".
 */
export interface ContainerPage {
  items: {
    entity: string;
    collection: string;
    container: string;
    description: string;
  }[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Topics".
 */
export interface Topics {
  topics: string[];
}
/**
 * RFC 9457 problem details.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Problem".
 */
export interface Problem {
  /**
   * An address that says more of the code.
   */
  type: string;
  /**
   * What is wrong, for everything with this code.
   */
  title: string;
  status: number;
  /**
   * What is wrong here.
   */
  detail: string;
  code: string;
  /**
   * The way out.
   */
  help: string;
  /**
   * Names the request in the registry's log.
   */
  requestId: string;
}
