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
 * How people come into a team: `open`, whoever is signed in may join; `invitation`, by a link alone.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Joining".
 */
export type Joining = "open" | "invitation";
/**
 * In the collections of the team's own entities, its members are contributors and its owners are owners. Owners look after the team.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "TeamRole".
 */
export type TeamRole = "owner" | "member";
/**
 * One of the two.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "EntityOwner".
 */
export type EntityOwner =
  | {
      user: string;
    }
  | {
      team: string;
    };
/**
 * Who sees it: everybody, whoever is signed in, or its people alone.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Visibility".
 */
export type Visibility = "public" | "internal" | "private";
/**
 * A reader pulls, a contributor pushes too, an owner may do everything. Each may do what those before it may.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "CollectionRole".
 */
export type CollectionRole = "owner" | "contributor" | "reader";
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
    query: {
      preview?: "1";
    };
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
    query: {
      preview?: "1";
    };
    body: null;
    answer: null;
    needsIfMatch: true;
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
  "GET /api/v1/teams": {
    path: {};
    query: {
      after?: string;
      q?: string;
      mine?: "1";
    };
    body: null;
    answer: TeamPage;
    needsIfMatch: false;
  };
  "POST /api/v1/teams": {
    path: {};
    query: {};
    body: NewTeam;
    answer: Team;
    needsIfMatch: false;
  };
  "GET /api/v1/teams/{team}": {
    path: {
      team: string;
    };
    query: {};
    body: null;
    answer: Team;
    needsIfMatch: false;
  };
  "PATCH /api/v1/teams/{team}": {
    path: {
      team: string;
    };
    query: {};
    body: TeamEdit;
    answer: Team;
    needsIfMatch: true;
  };
  "DELETE /api/v1/teams/{team}": {
    path: {
      team: string;
    };
    query: {
      preview?: "1";
    };
    body: null;
    answer: null;
    needsIfMatch: true;
  };
  "GET /api/v1/teams/{team}/picture": {
    path: {
      team: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "PUT /api/v1/teams/{team}/picture": {
    path: {
      team: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "DELETE /api/v1/teams/{team}/picture": {
    path: {
      team: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "GET /api/v1/teams/{team}/members": {
    path: {
      team: string;
    };
    query: {
      after?: string;
    };
    body: null;
    answer: TeamMemberPage;
    needsIfMatch: false;
  };
  "POST /api/v1/teams/{team}/members": {
    path: {
      team: string;
    };
    query: {};
    body: null;
    answer: TeamMember;
    needsIfMatch: false;
  };
  "PUT /api/v1/teams/{team}/members/{username}": {
    path: {
      team: string;
      username: string;
    };
    query: {};
    body: TeamMemberEdit;
    answer: TeamMember;
    needsIfMatch: false;
  };
  "DELETE /api/v1/teams/{team}/members/{username}": {
    path: {
      team: string;
      username: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "GET /api/v1/teams/{team}/invitations": {
    path: {
      team: string;
    };
    query: {};
    body: null;
    answer: Invitations;
    needsIfMatch: false;
  };
  "POST /api/v1/teams/{team}/invitations": {
    path: {
      team: string;
    };
    query: {};
    body: NewInvitation;
    answer: MadeInvitation;
    needsIfMatch: false;
  };
  "DELETE /api/v1/teams/{team}/invitations/{id}": {
    path: {
      team: string;
      id: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "POST /api/v1/invitations/preview": {
    path: {};
    query: {};
    body: InvitationSecret;
    answer: ShownInvitation;
    needsIfMatch: false;
  };
  "POST /api/v1/invitations/acceptance": {
    path: {};
    query: {};
    body: InvitationSecret;
    answer: AcceptedInvitation;
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
    answer: UserDetail;
    needsIfMatch: false;
  };
  "GET /api/v1/users/{username}": {
    path: {
      username: string;
    };
    query: {};
    body: null;
    answer: UserDetail;
    needsIfMatch: false;
  };
  "PATCH /api/v1/users/{username}": {
    path: {
      username: string;
    };
    query: {};
    body: UserEdit;
    answer: UserDetail;
    needsIfMatch: true;
  };
  "DELETE /api/v1/users/{username}": {
    path: {
      username: string;
    };
    query: {
      preview?: "1";
    };
    body: null;
    answer: null;
    needsIfMatch: true;
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
  "GET /api/v1/quotas/{account}": {
    path: {
      account: string;
    };
    query: {};
    body: null;
    answer: AccountQuota;
    needsIfMatch: false;
  };
  "PUT /api/v1/quotas/{account}": {
    path: {
      account: string;
    };
    query: {};
    body: NewQuota;
    answer: AccountQuota;
    needsIfMatch: false;
  };
  "POST /api/v1/uploads": {
    path: {};
    query: {};
    body: NewUpload;
    answer: BegunUpload;
    needsIfMatch: false;
  };
  "GET /api/v1/uploads": {
    path: {};
    query: {
      after?: string;
    };
    body: null;
    answer: UploadPage;
    needsIfMatch: false;
  };
  "GET /api/v1/uploads/{id}": {
    path: {
      id: string;
    };
    query: {};
    body: null;
    answer: UploadWithParts;
    needsIfMatch: false;
  };
  "DELETE /api/v1/uploads/{id}": {
    path: {
      id: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "PUT /api/v1/uploads/{id}/parts/{number}": {
    path: {
      id: string;
      number: number;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "POST /api/v1/uploads/{id}/completion": {
    path: {
      id: string;
    };
    query: {};
    body: null;
    answer: UploadWithParts;
    needsIfMatch: false;
  };
  "GET /api/v1/collections/{entity}/{collection}/uploads": {
    path: {
      entity: string;
      collection: string;
    };
    query: {
      after?: string;
    };
    body: null;
    answer: UploadIntoPage;
    needsIfMatch: false;
  };
  "DELETE /api/v1/collections/{entity}/{collection}/uploads/{id}": {
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
  "GET /api/v1/entities": {
    path: {};
    query: {
      after?: string;
    };
    body: null;
    answer: EntityPage;
    needsIfMatch: false;
  };
  "GET /api/v1/entities/{entity}": {
    path: {
      entity: string;
    };
    query: {};
    body: null;
    answer: Entity;
    needsIfMatch: false;
  };
  "PATCH /api/v1/entities/{entity}": {
    path: {
      entity: string;
    };
    query: {};
    body: EntityEdit;
    answer: Entity;
    needsIfMatch: true;
  };
  "PUT /api/v1/entities/{entity}/owner": {
    path: {
      entity: string;
    };
    query: {
      preview?: "1";
    };
    body: EntityOwner;
    answer: null;
    needsIfMatch: true;
  };
  "GET /api/v1/collections": {
    path: {};
    query: {
      after?: string;
      sort?: "name" | "updated" | "stars" | "pulls";
      entity?: string;
      mine?: "1";
      starred?: "1";
      orphaned?: "1";
    };
    body: null;
    answer: CollectionPage;
    needsIfMatch: false;
  };
  "POST /api/v1/collections": {
    path: {};
    query: {};
    body: NewCollection;
    answer: Collection;
    needsIfMatch: false;
  };
  "GET /api/v1/collections/{entity}/{collection}": {
    path: {
      entity: string;
      collection: string;
    };
    query: {};
    body: null;
    answer: Collection;
    needsIfMatch: false;
  };
  "PATCH /api/v1/collections/{entity}/{collection}": {
    path: {
      entity: string;
      collection: string;
    };
    query: {};
    body: CollectionEdit;
    answer: Collection;
    needsIfMatch: true;
  };
  "DELETE /api/v1/collections/{entity}/{collection}": {
    path: {
      entity: string;
      collection: string;
    };
    query: {
      preview?: "1";
    };
    body: null;
    answer: null;
    needsIfMatch: true;
  };
  "GET /api/v1/collections/{entity}/{collection}/references": {
    path: {
      entity: string;
      collection: string;
    };
    query: {};
    body: null;
    answer: References;
    needsIfMatch: false;
  };
  "GET /api/v1/collections/{entity}/{collection}/activity": {
    path: {
      entity: string;
      collection: string;
    };
    query: {
      after?: string;
    };
    body: null;
    answer: ActivityPage;
    needsIfMatch: false;
  };
  "POST /api/v1/collections/{entity}/{collection}/hand-over": {
    path: {
      entity: string;
      collection: string;
    };
    query: {
      preview?: "1";
    };
    body: HandOverTo;
    answer: HandOver;
    needsIfMatch: true;
  };
  "DELETE /api/v1/collections/{entity}/{collection}/hand-over": {
    path: {
      entity: string;
      collection: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "POST /api/v1/collections/{entity}/{collection}/hand-over/acceptance": {
    path: {
      entity: string;
      collection: string;
    };
    query: {};
    body: null;
    answer: HandOver;
    needsIfMatch: false;
  };
  "DELETE /api/v1/collections/{entity}/{collection}/hand-over/acceptance": {
    path: {
      entity: string;
      collection: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "GET /api/v1/me/hand-overs": {
    path: {};
    query: {
      after?: string;
    };
    body: null;
    answer: OfferPage;
    needsIfMatch: false;
  };
  "GET /api/v1/collections/{entity}/{collection}/people": {
    path: {
      entity: string;
      collection: string;
    };
    query: {};
    body: null;
    answer: PeopleOfCollection;
    needsIfMatch: false;
  };
  "GET /api/v1/collections/{entity}/{collection}/candidates": {
    path: {
      entity: string;
      collection: string;
    };
    query: {
      after?: string;
      q?: string;
    };
    body: null;
    answer: CandidatePage;
    needsIfMatch: false;
  };
  "PUT /api/v1/collections/{entity}/{collection}/people/{kind}/{name}": {
    path: {
      entity: string;
      collection: string;
      kind: "users" | "teams";
      name: string;
    };
    query: {};
    body: NewRole;
    answer: null;
    needsIfMatch: false;
  };
  "DELETE /api/v1/collections/{entity}/{collection}/people/{kind}/{name}": {
    path: {
      entity: string;
      collection: string;
      kind: "users" | "teams";
      name: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "GET /api/v1/me/stars": {
    path: {};
    query: {
      after?: string;
    };
    body: null;
    answer: StarPage;
    needsIfMatch: false;
  };
  "PUT /api/v1/collections/{entity}/{collection}/star": {
    path: {
      entity: string;
      collection: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "DELETE /api/v1/collections/{entity}/{collection}/star": {
    path: {
      entity: string;
      collection: string;
    };
    query: {};
    body: null;
    answer: null;
    needsIfMatch: false;
  };
  "GET /api/v1/collections/{entity}/{collection}/containers": {
    path: {
      entity: string;
      collection: string;
    };
    query: {
      after?: string;
      sort?: "name" | "updated" | "pulls" | "size";
    };
    body: null;
    answer: ListedContainerPage;
    needsIfMatch: false;
  };
  "POST /api/v1/containers/{entity}/{collection}": {
    path: {
      entity: string;
      collection: string;
    };
    query: {};
    body: NewContainer;
    answer: Container;
    needsIfMatch: false;
  };
  "GET /api/v1/containers/{entity}/{collection}/{container}": {
    path: {
      entity: string;
      collection: string;
      container: string;
    };
    query: {};
    body: null;
    answer: ContainerDetails;
    needsIfMatch: false;
  };
  "PATCH /api/v1/containers/{entity}/{collection}/{container}": {
    path: {
      entity: string;
      collection: string;
      container: string;
    };
    query: {};
    body: ContainerEdit;
    answer: Container;
    needsIfMatch: true;
  };
  "DELETE /api/v1/containers/{entity}/{collection}/{container}": {
    path: {
      entity: string;
      collection: string;
      container: string;
    };
    query: {
      preview?: "1";
    };
    body: null;
    answer: null;
    needsIfMatch: true;
  };
  "GET /api/v1/containers/{entity}/{collection}/{container}/images": {
    path: {
      entity: string;
      collection: string;
      container: string;
    };
    query: {
      after?: string;
      untagged?: "1";
      pending?: "1";
    };
    body: null;
    answer: ImagePage;
    needsIfMatch: false;
  };
  "GET /api/v1/containers/{entity}/{collection}/{container}/images/{digest}": {
    path: {
      entity: string;
      collection: string;
      container: string;
      digest: string;
    };
    query: {};
    body: null;
    answer: ImageDetails;
    needsIfMatch: false;
  };
  "PATCH /api/v1/containers/{entity}/{collection}/{container}/images/{digest}": {
    path: {
      entity: string;
      collection: string;
      container: string;
      digest: string;
    };
    query: {};
    body: ImageEdit;
    answer: null;
    needsIfMatch: true;
  };
  "DELETE /api/v1/containers/{entity}/{collection}/{container}/images/{digest}": {
    path: {
      entity: string;
      collection: string;
      container: string;
      digest: string;
    };
    query: {
      preview?: "1";
    };
    body: null;
    answer: null;
    needsIfMatch: true;
  };
  "GET /api/v1/containers/{entity}/{collection}/{container}/tags": {
    path: {
      entity: string;
      collection: string;
      container: string;
    };
    query: {
      after?: string;
      sort?: "natural" | "name" | "updated";
      order?: "asc" | "desc";
    };
    body: null;
    answer: TagPage;
    needsIfMatch: false;
  };
  "GET /api/v1/containers/{entity}/{collection}/{container}/tags/{tag}": {
    path: {
      entity: string;
      collection: string;
      container: string;
      tag: string;
    };
    query: {};
    body: null;
    answer: Tag;
    needsIfMatch: false;
  };
  "PUT /api/v1/containers/{entity}/{collection}/{container}/tags/{tag}": {
    path: {
      entity: string;
      collection: string;
      container: string;
      tag: string;
    };
    query: {};
    body: TagTarget;
    answer: SetTag;
    needsIfMatch: false;
  };
  "PATCH /api/v1/containers/{entity}/{collection}/{container}/tags/{tag}": {
    path: {
      entity: string;
      collection: string;
      container: string;
      tag: string;
    };
    query: {
      arch?: string;
    };
    body: TagEdit;
    answer: null;
    needsIfMatch: true;
  };
  "DELETE /api/v1/containers/{entity}/{collection}/{container}/tags/{tag}": {
    path: {
      entity: string;
      collection: string;
      container: string;
      tag: string;
    };
    query: {
      arch?: string;
      preview?: "1";
    };
    body: null;
    answer: null;
    needsIfMatch: true;
  };
  "GET /api/v1/containers/{entity}/{collection}/{container}/tags/{tag}/history": {
    path: {
      entity: string;
      collection: string;
      container: string;
      tag: string;
    };
    query: {
      after?: string;
    };
    body: null;
    answer: TagHistoryPage;
    needsIfMatch: false;
  };
  "GET /api/v1/search": {
    path: {};
    query: {
      q: string;
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
  "POST /api/v1/containers/{entity}/{collection}/{container}/images/{digest}/shares": {
    path: {
      entity: string;
      collection: string;
      container: string;
      digest: string;
    };
    query: {};
    body: NewShare;
    answer: MadeShare;
    needsIfMatch: false;
  };
  "GET /api/v1/containers/{entity}/{collection}/{container}/images/{digest}/shares": {
    path: {
      entity: string;
      collection: string;
      container: string;
      digest: string;
    };
    query: {
      after?: string;
    };
    body: null;
    answer: SharePage;
    needsIfMatch: false;
  };
  "DELETE /api/v1/containers/{entity}/{collection}/{container}/images/{digest}/shares/{id}": {
    path: {
      entity: string;
      collection: string;
      container: string;
      digest: string;
      id: string;
    };
    query: {};
    body: null;
    answer: RevokedShare;
    needsIfMatch: false;
  };
  "GET /api/v1/me/shares": {
    path: {};
    query: {
      after?: string;
    };
    body: null;
    answer: OwnSharePage;
    needsIfMatch: false;
  };
  "GET /api/v1/shared/{secret}": {
    path: {
      secret: string;
    };
    query: {};
    body: null;
    answer: SharedImage;
    needsIfMatch: false;
  };
  "POST /api/v1/shared/{secret}/downloads": {
    path: {
      secret: string;
    };
    query: {};
    body: null;
    answer: ShareDownload;
    needsIfMatch: false;
  };
  "GET /api/v1/statistics": {
    path: {};
    query: {};
    body: null;
    answer: Statistics;
    needsIfMatch: false;
  };
  "GET /api/v1/statistics/sizes": {
    path: {};
    query: {
      after?: string;
      collection?: string;
    };
    body: null;
    answer: SizePage;
    needsIfMatch: false;
  };
  "GET /api/v1/collections/{entity}/{collection}/statistics": {
    path: {
      entity: string;
      collection: string;
    };
    query: {
      days?: string;
    };
    body: null;
    answer: PullStatistics;
    needsIfMatch: false;
  };
  "GET /api/v1/containers/{entity}/{collection}/{container}/statistics": {
    path: {
      entity: string;
      collection: string;
      container: string;
    };
    query: {
      days?: string;
    };
    body: null;
    answer: PullStatistics;
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
   * Where one's own collections are; a robot has none. Not told to a token for one collection.
   */
  entity: string | null;
  createdAt: Time;
  /**
   * Of one's own collections. A robot has none, and so holds nothing. Null to a token for one collection.
   */
  quota: Quota | null;
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
 * via the `definition` "Quota".
 */
export interface Quota {
  /**
   * Of the images there are. One counts once in each collection that has it.
   */
  usedBytes: number;
  /**
   * Of images on their way.
   */
  reservedBytes: number;
  /**
   * How much there may be in all; null for any number.
   */
  quotaBytes: number | null;
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
 * What deleting an account would do.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Deletion".
 */
export interface Deletion {
  deletes: {
    /**
     * Entities that nobody gets.
     */
    entities: string[];
    collections: string[];
    images: number;
    tags: number;
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
     * Places in teams.
     */
    teams: number;
    /**
     * Links into teams that were made and not used.
     */
    invitations: number;
    /**
     * Pipelines that push in the account's name, wherever, or to what is deleted.
     */
    publishers: number;
    /**
     * Share links that work: the account's, wherever, and those to images that are deleted.
     */
    shares: number;
    /**
     * Hand-overs that the account offers, or is offered.
     */
    offers: number;
    stars: number;
    /**
     * Pushes that are under way: the account's, wherever, and those to what is deleted.
     */
    uploads: number;
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
   * The user or team that looks after it; null when they are gone.
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
  /**
   * The team it is to belong to; null for yourself.
   */
  team?: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "RobotEdit".
 */
export interface RobotEdit {
  description?: string;
  isDisabled?: boolean;
  /**
   * An administrator, or a team of yours.
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
 * via the `definition` "TeamPage".
 */
export interface TeamPage {
  items: Team[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Team".
 */
export interface Team {
  name: string;
  description: string;
  joining: Joining;
  /**
   * The path of its picture; null without one.
   */
  picture: string | null;
  /**
   * What you are in it; null where you are not.
   */
  role: TeamRole | null;
  createdAt: Time;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "NewTeam".
 */
export interface NewTeam {
  /**
   * The team's name, which is its entity's too.
   */
  name: string;
  description?: string;
  /**
   * How people come into a team: `open`, whoever is signed in may join; `invitation`, by a link alone.
   */
  joining?: "open" | "invitation";
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "TeamEdit".
 */
export interface TeamEdit {
  description?: string;
  joining?: Joining;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "TeamMemberPage".
 */
export interface TeamMemberPage {
  items: TeamMember[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "TeamMember".
 */
export interface TeamMember {
  username: string;
  role: TeamRole;
  joinedAt: Time;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "TeamMemberEdit".
 */
export interface TeamMemberEdit {
  role: TeamRole;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Invitations".
 */
export interface Invitations {
  items: Invitation[];
}
/**
 * A link that brings one person into a team, without its secret.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Invitation".
 */
export interface Invitation {
  id: string;
  role: TeamRole;
  /**
   * Whom it is for, to tell it from others.
   */
  note: string;
  createdBy: string;
  createdAt: Time;
  expiresAt: Time;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "NewInvitation".
 */
export interface NewInvitation {
  /**
   * In the collections of the team's own entities, its members are contributors and its owners are owners. Owners look after the team.
   */
  role?: "owner" | "member";
  note?: string;
  /**
   * Seven, unless said otherwise.
   */
  days?: number | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "MadeInvitation".
 */
export interface MadeInvitation {
  id: string;
  role: TeamRole;
  /**
   * Whom it is for, to tell it from others.
   */
  note: string;
  createdBy: string;
  createdAt: Time;
  expiresAt: Time;
  /**
   * The link itself. It is shown this once.
   */
  link: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "InvitationSecret".
 */
export interface InvitationSecret {
  /**
   * What stands behind the `#` of the link.
   */
  secret: string;
}
/**
 * What an invitation leads to, for whoever holds it.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ShownInvitation".
 */
export interface ShownInvitation {
  team: {
    name: string;
    description: string;
  };
  role: TeamRole;
  invitedBy: string;
  expiresAt: Time;
  /**
   * What you are in the team already; null where you are not in it.
   */
  yourRole: TeamRole | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "AcceptedInvitation".
 */
export interface AcceptedInvitation {
  team: string;
  member: TeamMember;
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
 * via the `definition` "UserDetail".
 */
export interface UserDetail {
  username: string;
  role: SiteRole;
  isDisabled: boolean;
  createdAt: Time;
  /**
   * Whether the role comes from a claim of an identity provider.
   */
  isAdminByClaim: boolean;
  quota: Quota;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "UserEdit".
 */
export interface UserEdit {
  isDisabled?: boolean;
  role?: SiteRole;
  /**
   * How many bytes; null for what `USER_QUOTA_BYTES` or `TEAM_QUOTA_BYTES` says.
   */
  quotaBytes?: number | null;
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
 * via the `definition` "AccountQuota".
 */
export interface AccountQuota {
  account: string;
  isTeam: boolean;
  /**
   * Whether an administrator gave it; else it is what the settings say for all.
   */
  isOwnNumber: boolean;
  quota: Quota;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "NewQuota".
 */
export interface NewQuota {
  /**
   * How many bytes; null for what `USER_QUOTA_BYTES` or `TEAM_QUOTA_BYTES` says.
   */
  quotaBytes: number | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "NewUpload".
 */
export interface NewUpload {
  entity: string;
  collection: string;
  container: string;
  /**
   * `sha256.` and the file's SHA-256 in hexadecimal.
   */
  digest: string;
  sizeBytes: number;
  /**
   * Set when the image is published.
   *
   * @maxItems 20
   */
  tags?: string[];
  description?: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "BegunUpload".
 */
export interface BegunUpload {
  published: boolean;
  upload: UploadWithParts | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "UploadWithParts".
 */
export interface UploadWithParts {
  id: string;
  entity: string;
  collection: string;
  container: string;
  digest: string;
  sizeBytes: number;
  /**
   * The size of each part, but for the last, which has what is left.
   */
  partBytes: number;
  /**
   * How many there are.
   */
  parts: number;
  state: "open" | "verifying" | "published" | "refused";
  /**
   * How far verifying is.
   */
  verifiedBytes: number;
  /**
   * Why it was refused; null where it was not.
   */
  reason: {
    code: string;
    message: string;
  } | null;
  createdAt: Time;
  /**
   * A moment in UTC, such as `2026-11-25T04:10:00.000Z`.
   */
  expiresAt: string;
  /**
   * The numbers of the parts that are there, in order.
   */
  received: number[];
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "UploadPage".
 */
export interface UploadPage {
  items: Upload[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * An image on its way, in parts.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Upload".
 */
export interface Upload {
  id: string;
  entity: string;
  collection: string;
  container: string;
  digest: string;
  sizeBytes: number;
  /**
   * The size of each part, but for the last, which has what is left.
   */
  partBytes: number;
  /**
   * How many there are.
   */
  parts: number;
  state: "open" | "verifying" | "published" | "refused";
  /**
   * How far verifying is.
   */
  verifiedBytes: number;
  /**
   * Why it was refused; null where it was not.
   */
  reason: {
    code: string;
    message: string;
  } | null;
  createdAt: Time;
  /**
   * A moment in UTC, such as `2026-11-25T04:10:00.000Z`.
   */
  expiresAt: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "UploadIntoPage".
 */
export interface UploadIntoPage {
  items: UploadInto[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * An image on its way into a collection, from whatever client.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "UploadInto".
 */
export interface UploadInto {
  id: string;
  container: string;
  digest: string;
  sizeBytes: number;
  state: "open" | "verifying";
  /**
   * Who sends it; null for a user who was deleted.
   */
  username: string | null;
  createdAt: Time;
  /**
   * A moment in UTC, such as `2026-11-25T04:10:00.000Z`.
   */
  expiresAt: string;
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
 * via the `definition` "EntityPage".
 */
export interface EntityPage {
  items: {
    entity: string;
    /**
     * Markdown.
     */
    description: string;
  }[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Entity".
 */
export interface Entity {
  entity: string;
  /**
   * Markdown.
   */
  description: string;
  /**
   * Null for whoever is not signed in.
   */
  owner: Account | null;
  /**
   * Of all its collections, each content once in each. For its people alone.
   */
  sizeBytes: number | null;
  createdAt: Time;
  /**
   * What you may do with it.
   */
  may: ("create-collection" | "edit")[];
}
/**
 * Somebody who can own things: a user or a team.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Account".
 */
export interface Account {
  name: string;
  kind: "user" | "team";
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "EntityEdit".
 */
export interface EntityEdit {
  /**
   * Markdown.
   */
  description: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "CollectionPage".
 */
export interface CollectionPage {
  items: ListedCollection[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ListedCollection".
 */
export interface ListedCollection {
  entity: string;
  collection: string;
  shortName: string | null;
  /**
   * The beginning of its description.
   */
  summary: string;
  visibility: Visibility;
  stars: number;
  /**
   * Whether you have starred it.
   */
  isStarred: boolean;
  pulls: number;
  images: number;
  sizeBytes: number;
  createdAt: Time;
  updatedAt: Time;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "NewCollection".
 */
export interface NewCollection {
  entity: string;
  name: string;
  /**
   * Markdown.
   */
  description?: string;
  /**
   * Null for what the registry makes of new ones.
   */
  visibility?: Visibility | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Collection".
 */
export interface Collection {
  entity: string;
  collection: string;
  /**
   * Two-part references find it by this.
   */
  shortName: string | null;
  /**
   * Markdown.
   */
  description: string;
  visibility: Visibility;
  /**
   * Who owns its entity; null for whoever is not signed in.
   */
  owner: Account | null;
  /**
   * What you are in it; null where you only see it.
   */
  role: CollectionRole | null;
  /**
   * Why, in words: `contributor through team imaging`.
   */
  reason: string | null;
  /**
   * What you may do with it.
   */
  may: ("push" | "delete-image" | "manage" | "see-people" | "star" | "hand-over")[];
  isStarred: boolean;
  stars: number;
  pulls: number;
  images: number;
  /**
   * Each content once.
   */
  sizeBytes: number;
  createdAt: Time;
  updatedAt: Time;
  /**
   * The entity it is offered to; for whoever may hand it over.
   */
  offered: {
    entity: string;
    expiresAt: Time;
  } | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "CollectionEdit".
 */
export interface CollectionEdit {
  name?: string;
  /**
   * Markdown.
   */
  description?: string;
  visibility?: Visibility;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "References".
 */
export interface References {
  /**
   * References that would lead nowhere, without their tags: the first 100.
   */
  breaks: string[];
  /**
   * The short name, by which references go on; null where it has none.
   */
  shortName: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ActivityPage".
 */
export interface ActivityPage {
  items: Act[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Act".
 */
export interface Act {
  at: Time;
  actor: string;
  action: string;
  target: string;
  detail: {
    [k: string]: unknown;
  } | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "HandOverTo".
 */
export interface HandOverTo {
  entity: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "HandOver".
 */
export interface HandOver {
  state: "moved" | "offered";
  /**
   * Where it is now, or would be.
   */
  entity: string;
  collection: string;
  /**
   * Until when the offer can be taken; null where it has moved.
   */
  expiresAt: Time | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "OfferPage".
 */
export interface OfferPage {
  items: Offer[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Offer".
 */
export interface Offer {
  entity: string;
  collection: string;
  /**
   * Markdown.
   */
  description: string;
  images: number;
  sizeBytes: number;
  offeredBy: string;
  /**
   * The entity it would go to: yours, or one of a team you own.
   */
  to: string;
  expiresAt: Time;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "PeopleOfCollection".
 */
export interface PeopleOfCollection {
  items: PersonOfCollection[];
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "PersonOfCollection".
 */
export interface PersonOfCollection {
  name: string;
  kind: "user" | "robot" | "team";
  role: CollectionRole;
  /**
   * Such as `owner of the entity`, or `contributor through team imaging`.
   */
  reason: string;
  /**
   * Whether it was given here; what comes with the entity cannot be changed here.
   */
  isGranted: boolean;
  isDisabled: boolean;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "CandidatePage".
 */
export interface CandidatePage {
  items: {
    name: string;
    kind: "user" | "robot" | "team";
  }[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "NewRole".
 */
export interface NewRole {
  role: CollectionRole;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "StarPage".
 */
export interface StarPage {
  items: {
    entity: string;
    collection: string;
    /**
     * Markdown.
     */
    description: string;
    stars: number;
    starredAt: Time;
  }[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ListedContainerPage".
 */
export interface ListedContainerPage {
  items: ListedContainer[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ListedContainer".
 */
export interface ListedContainer {
  name: string;
  /**
   * Its first 300 characters.
   */
  description: string;
  topics: string[];
  readOnly: boolean;
  /**
   * Of its images together.
   */
  sizeBytes: number;
  imageCount: number;
  pullCount: number;
  createdAt: Time;
  updatedAt: Time;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "NewContainer".
 */
export interface NewContainer {
  name: string;
  /**
   * Markdown, as it was written.
   */
  description?: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Container".
 */
export interface Container {
  entity: string;
  collection: string;
  name: string;
  /**
   * Markdown, as it was written.
   */
  description: string;
  /**
   * Whether nothing may be pushed, tagged or deleted in it.
   */
  readOnly: boolean;
  /**
   * Of its images together.
   */
  sizeBytes: number;
  imageCount: number;
  pullCount: number;
  createdAt: Time;
  updatedAt: Time;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ContainerDetails".
 */
export interface ContainerDetails {
  entity: string;
  collection: string;
  name: string;
  /**
   * Markdown, as it was written.
   */
  description: string;
  /**
   * Whether nothing may be pushed, tagged or deleted in it.
   */
  readOnly: boolean;
  /**
   * Of its images together.
   */
  sizeBytes: number;
  imageCount: number;
  pullCount: number;
  createdAt: Time;
  updatedAt: Time;
  /**
   * Its collection's, as it counts.
   */
  visibility: "public" | "internal" | "private";
  topics: string[];
  /**
   * For people of the collection.
   */
  createdBy: string | null;
  newestImage: Image | null;
  /**
   * The first page of its tags, in natural order.
   */
  tags: {
    items: Tag[];
    next: string | null;
  };
  /**
   * What you are in its collection.
   */
  role: ("owner" | "contributor" | "reader") | null;
  /**
   * Why, such as `contributor through team imaging`.
   */
  reason: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Image".
 */
export interface Image {
  /**
   * `sha256.` and 64 hexadecimal digits: the SHA-256 of the file.
   */
  digest: string;
  description: string;
  /**
   * Null, as what stands below, while its bytes are still to come.
   */
  arch: string | null;
  sizeBytes: number | null;
  signed: boolean | null;
  encrypted: boolean | null;
  frozen: boolean;
  createdAt: Time;
  publishedAt: Time | null;
  /**
   * In natural order, a hundred at most.
   */
  tags: string[];
  tagCount: number;
  inspection: Inspection;
  /**
   * Null for who may not push.
   */
  state: ImageState | null;
}
/**
 * What became of reading what an image says of itself.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Inspection".
 */
export interface Inspection {
  state: "pending" | "done" | "failed";
  /**
   * Why it failed, for who may push.
   */
  reason: string | null;
}
/**
 * How far an image is, for who may push it.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ImageState".
 */
export interface ImageState {
  is: "registered" | "verifying" | "published" | "refused" | "corrupt";
  /**
   * How far verifying is.
   */
  percent: number | null;
  /**
   * Why it was refused.
   */
  reason: string | null;
}
/**
 * A tag, with the image it is on for each architecture.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Tag".
 */
export interface Tag {
  name: string;
  /**
   * A moment in UTC, such as `2026-11-25T04:10:00.000Z`.
   */
  updatedAt: string;
  architectures: {
    arch: string;
    /**
     * `sha256.` and 64 hexadecimal digits: the SHA-256 of the file.
     */
    digest: string;
    sizeBytes: number;
    /**
     * Whether the tag stays on this image.
     */
    frozen: boolean;
    /**
     * Whether the image stays.
     */
    imageFrozen: boolean;
    updatedAt: Time;
  }[];
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ContainerEdit".
 */
export interface ContainerEdit {
  name?: string;
  /**
   * Markdown, as it was written.
   */
  description?: string;
  readOnly?: boolean;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ImagePage".
 */
export interface ImagePage {
  items: Image[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ImageDetails".
 */
export interface ImageDetails {
  /**
   * `sha256.` and 64 hexadecimal digits: the SHA-256 of the file.
   */
  digest: string;
  description: string;
  /**
   * Null, as what stands below, while its bytes are still to come.
   */
  arch: string | null;
  sizeBytes: number | null;
  signed: boolean | null;
  encrypted: boolean | null;
  frozen: boolean;
  createdAt: Time;
  publishedAt: Time | null;
  /**
   * In natural order, a hundred at most.
   */
  tags: string[];
  tagCount: number;
  inspection: Inspection;
  /**
   * Null for who may not push.
   */
  state: ImageState | null;
  /**
   * Of keys that its signatures name; they were not verified.
   */
  fingerprints: string[];
  /**
   * Who pushed it, for people of the collection.
   */
  createdBy: string | null;
  labels: {
    [k: string]: string;
  };
  /**
   * The definition file it was built from, as the image carries it.
   */
  definition: string | null;
  /**
   * Header, objects, signatures and scripts as they were read; null while nothing was.
   */
  metadata: {
    [k: string]: unknown;
  } | null;
  /**
   * Share links that work, for owners of the collection.
   */
  shares: number | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ImageEdit".
 */
export interface ImageEdit {
  frozen: boolean;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "TagPage".
 */
export interface TagPage {
  items: Tag[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "TagTarget".
 */
export interface TagTarget {
  /**
   * `sha256.` and 64 hexadecimal digits: the SHA-256 of the file.
   */
  digest: string;
  /**
   * What the image is thought to be built for; it is checked.
   */
  arch?: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "SetTag".
 */
export interface SetTag {
  /**
   * Whether it waits for the image's bytes.
   */
  isWaiting: boolean;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "TagEdit".
 */
export interface TagEdit {
  frozen: boolean;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "TagHistoryPage".
 */
export interface TagHistoryPage {
  items: {
    arch: string;
    /**
     * Null where the tag was deleted.
     */
    digest: string | null;
    at: Time;
    /**
     * Who set it, for people of the collection.
     */
    by: string | null;
  }[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
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
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "NewShare".
 */
export interface NewShare {
  days?: number;
  maxDownloads?: number | null;
  /**
   * Whom it is for, to tell it from others.
   */
  note?: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "MadeShare".
 */
export interface MadeShare {
  share: Share;
  /**
   * The link.
   */
  url: string;
}
/**
 * A link by which anybody pulls one image, without what could be used as one.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Share".
 */
export interface Share {
  id: string;
  note: string;
  createdAt: Time;
  expiresAt: Time;
  /**
   * Download URLs that it gave out.
   */
  downloads: number;
  /**
   * Null for any number.
   */
  maxDownloads: number | null;
  createdBy: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "SharePage".
 */
export interface SharePage {
  items: Share[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "RevokedShare".
 */
export interface RevokedShare {
  urlsEndBy: Time;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "OwnSharePage".
 */
export interface OwnSharePage {
  items: OwnShare[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "OwnShare".
 */
export interface OwnShare {
  id: string;
  note: string;
  createdAt: Time;
  expiresAt: Time;
  /**
   * Download URLs that it gave out.
   */
  downloads: number;
  /**
   * Null for any number.
   */
  maxDownloads: number | null;
  entity: string;
  collection: string;
  container: string;
  digest: string;
}
/**
 * The image of a share link, and nothing of where it stands.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "SharedImage".
 */
export interface SharedImage {
  /**
   * The link itself, ending in a file's name.
   */
  url: string;
  container: string;
  tag: string | null;
  digest: string;
  arch: string;
  sizeBytes: number;
  signed: boolean;
  encrypted: boolean;
  expiresAt: Time;
  /**
   * Null for any number.
   */
  downloadsLeft: number | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ShareDownload".
 */
export interface ShareDownload {
  /**
   * Where the bytes are, in however many ranges.
   */
  url: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Statistics".
 */
export interface Statistics {
  collections: number;
  containers: number;
  images: number;
  /**
   * Each content once in a collection.
   */
  bytes: number;
  pulls: number;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "SizePage".
 */
export interface SizePage {
  items: {
    /**
     * `ENTITY/COLLECTION`, or `ENTITY/COLLECTION/CONTAINER`.
     */
    name: string;
    /**
     * In a collection each content counts once, so it may be less than its containers together.
     */
    bytes: number;
    images: number;
    /**
     * Null for a container.
     */
    containers: number | null;
  }[];
  /**
   * Goes into `after` for the page behind this one; null at the end.
   */
  next: string | null;
}
/**
 * A pull is a download that was begun, by whichever protocol or share link; its bytes are the image's size. Days are in UTC. Pulls are counted within a minute or two.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "PullStatistics".
 */
export interface PullStatistics {
  since: string;
  /**
   * Since it was made, whatever `days` says.
   */
  allTimePulls: number;
  total: {
    pulls: number;
    bytes: number;
  };
  /**
   * Days without pulls are left out.
   */
  days: {
    day: string;
    pulls: number;
    bytes: number;
  }[];
  /**
   * Those that were pulled most, 100 at most. Pulls by digest and by share links have none.
   */
  tags: {
    container: string;
    tag: string | null;
    pulls: number;
    bytes: number;
  }[];
  architectures: {
    arch: string;
    pulls: number;
    bytes: number;
  }[];
}
/**
 * What deleting a collection would do.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "CollectionDeletion".
 */
export interface CollectionDeletion {
  containers: number;
  images: number;
  tags: number;
  /**
   * Freed when the last download has ended: content that is nowhere else you see. Whoever else has it keeps it.
   */
  bytes: number;
  /**
   * Share links that work, and would end.
   */
  shares: number;
  /**
   * Pipelines that push to it.
   */
  publishers: number;
  /**
   * Users, robots and teams with a role in it.
   */
  people: number;
  /**
   * Pushes to it that are under way.
   */
  uploads: number;
  /**
   * 1 while it is offered to somebody.
   */
  offers: number;
  /**
   * References that would lead nowhere, without their tags: the first 100.
   */
  breaks: string[];
  /**
   * What must be settled first, in sentences.
   */
  obstacles: string[];
}
/**
 * What deleting a container, or something in it, would take along.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ContentDeletion".
 */
export interface ContentDeletion {
  images: number;
  /**
   * Of the first hundred of them.
   */
  digests: string[];
  /**
   * References by tag that break, one for each architecture.
   */
  tags: number;
  /**
   * The first hundred of them.
   */
  tagNames: string[];
  /**
   * By how much the collection gets smaller: freed when nobody else has the same content, and the last download has ended.
   */
  bytes: number;
  /**
   * Share links that work, and end.
   */
  shares: number;
  /**
   * Pushes that are under way to what goes.
   */
  uploads: number;
  /**
   * What must be settled first, in sentences; empty where nothing is in the way.
   */
  obstacles: string[];
}
/**
 * What goes to somebody else with an entity.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "EntityMove".
 */
export interface EntityMove {
  from: Account;
  to: Account;
  collections: number;
  sizeBytes: number;
  /**
   * Share links that end: their makers would not own the collection any more.
   */
  shares: number;
  /**
   * Pipelines that end: who set them up could not push any more.
   */
  publishers: number;
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
/**
 * What deleting a team would do.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "TeamDeletion".
 */
export interface TeamDeletion {
  deletes: {
    entities: string[];
    collections: string[];
    images: number;
    tags: number;
    /**
     * Freed when nobody else has the same content, and the last download has ended.
     */
    bytes: number;
    /**
     * Links that still work: to its images, those that its robots made, and its people where it alone lets them.
     */
    shares: number;
    /**
     * Pipelines that push to its collections, in the name of its robots, or of its people where it alone lets them.
     */
    publishers: number;
    /**
     * Pushes that are under way: to its collections, and those of its robots.
     */
    uploads: number;
    robots: string[];
    /**
     * Of its robots.
     */
    tokens: number;
    /**
     * People who are in it.
     */
    members: number;
    invitations: number;
    /**
     * Roles that it and its robots have in collections of others.
     */
    grants: number;
    /**
     * Hand-overs of its collections, or to it.
     */
    offers: number;
  };
  /**
   * What stays, in sentences.
   */
  keeps: string[];
  /**
   * What must be settled first, in sentences; empty where nothing is in the way.
   */
  obstacles: string[];
}
