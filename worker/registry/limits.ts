/**
 * Every number that bounds something, with its reason. Sizes are in bytes,
 * durations in seconds, unless the name says otherwise.
 */
const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const HOUR = 3600;
const DAY = 24 * HOUR;

export const limits = {
  /** One name component. Three of them and two slashes stay within OCI's 255 characters for a repository. */
  nameLength: 80,
  /** A tag, by OCI's grammar, so that every protocol can name it. */
  tagLength: 128,
  /** A raw reference as it stands in a URL, before it is parsed: three names, a tag or digest, and some slack. */
  referenceLength: 512,
  /** A description of an image, container or collection. */
  descriptionLength: 4 * KIB,
  /** A container's description in Markdown, as pages show it: a README. */
  readmeLength: 32 * KIB,
  /** Characters of it in a list. */
  listedDescriptionLength: 300,
  /** A JSON request body. The largest a client sends is a create body well under 4 KiB. */
  jsonBodyBytes: 64 * KIB,

  /** The most a client sends in a single PUT (scs-library-client 1.4: strictly above it asks for multipart). */
  singleUploadBytes: 64 * MIB,
  /** The most R2 takes in one PUT: 5 GiB less one part's minimum. */
  wholeUploadBytes: 5 * GIB - 5 * MIB,
  /** R2 takes parts of 5 MiB to 5 GiB, all but the last of one size, 10,000 at most. */
  partMinBytes: 5 * MIB,
  partMaxBytes: 5 * GIB - 5 * MIB,
  parts: 10_000,
  /** The parts an upload in a form goes to R2 in; a request holds two, and what comes in, of the 128 MB of an isolate. */
  formPartBytes: 8 * MIB,
  /** One read of such a body, in a buffer of its own: smaller ones cost time, larger ones memory. */
  formReadBytes: 256 * KIB,
  /** A text in such a form. The longest is what names the collection, a signed text of under 1 KiB. */
  formFieldBytes: 8 * KIB,
  /** The parts of such a form: four texts and the file, and one more to say that it is one too many. */
  formParts: 6,
  /** What a form may have beside its file: boundaries, headers and texts. */
  formOverheadBytes: 64 * KIB,
  /** How much of a refused form is read to its end before it is answered: clients that still send see no answer. */
  drainBytes: 16 * MIB,
  /** How long an upload URL can be used: 64 MiB at 20 KiB/s take 55 minutes. */
  uploadSeconds: HOUR,
  /** The longest a multipart upload stays open: R2 aborts one by itself after 7 days. */
  multipartMaxSeconds: 6 * DAY,
  /** An answer that completes a multipart upload: 10,000 part numbers and ETags of about 70 bytes each. */
  completeBodyBytes: MIB,
  /** How long after its URL ended an upload may still be completed: a PUT may begin in the last second. */
  completeGraceSeconds: HOUR,
  /** How long after that upkeep forgets it and frees its bytes: no request can still be running then. */
  forgetUploadGraceSeconds: HOUR,
  /** Open uploads of one image that completing looks through, newest first: retries and concurrent clients. */
  openUploadsPerImage: 8,
  /** Rows one upkeep statement takes: D1 binds 100 parameters at most. */
  upkeepBatch: 100,
  /** Statements of that many a run of upkeep makes at most, so that it stays within a Cron's time. */
  upkeepRounds: 50,

  /** One R2 read while an object is hashed; its bytes are streamed. A read that fails begins the verification anew. */
  hashSliceBytes: 64 * MIB,
  /** The buffer an object is hashed through, which is all that a verification holds of it. */
  hashReadBytes: MIB,
  /** How long completing a push waits for its verification; 5 GiB are read in that time here. */
  verifyWaitSeconds: 20,
  /** How often a job writes how far it is. */
  jobProgressSeconds: 2,
  /** A job that has not said anything for so long is started again: its process is gone. */
  jobStaleSeconds: 60,
  /** How often a job is tried before it is given up. With the delays between them that is about two hours. */
  jobAttempts: 20,
  /** The first and the longest delay before a job is tried again; it doubles in between. */
  jobRetryMinSeconds: 2,
  jobRetryMaxSeconds: 600,
  /** How long after its last download URL ended an object is deleted: answers begun in its last second are over. */
  deleteGraceSeconds: HOUR,

  /** One R2 read while serving, so that a request holds two of these at most (one going out, one ahead). */
  serveSliceBytes: 8 * MIB,
  /** Slices a request may be bringing into the cache. Where that is slower than the reader, the rest goes past it. */
  cachingSlices: 2,
  /** Slices all requests of an isolate may be bringing into the cache: each is held as a whole, of 128 MB in all. */
  isolateSlices: 6,
  /** A slice that is not in the cache by then never will be: its request was cut off, 30 seconds after its answer. */
  flightSeconds: 60,
  /** How long a request waits for a slice that another one is reading before it reads it itself. */
  sharedSliceSeconds: 10,
  /** A download URL lives for the slowest download we support, between one hour and one day. */
  downloadMinSeconds: HOUR,
  downloadMaxSeconds: 24 * HOUR,
  /** The slowest download: 1 MiB/s, and half as long again. */
  downloadBytesPerSecond: MIB,
  downloadSlack: 1.5,

  /** The first read of an image: header and descriptor table of every image that clients write (48 descriptors). */
  sifFirstReadBytes: 32 * KIB,
  /** The largest descriptor table read. Clients write 48 descriptors of 585 bytes. */
  sifDescriptors: 1024,
  /** Signatures whose fingerprints are kept for one image. */
  sifFingerprints: 64,
  /** All that is read to inspect an image: first read, the largest table (585 KiB), and metadata of a few KiB. */
  sifReadBytes: MIB,
  /** Metadata objects no further apart than this are fetched by one read: clients write them one after another. */
  sifReadGapBytes: 16 * KIB,
  /** What an inspection takes as JSON: a D1 row holds 2 MB, and the definition file may stand beside it once more. */
  sifInspectionBytes: MIB,
  /** One script, help text or definition file. Those that people write take a few KiB. */
  sifTextLength: 256 * KIB,
  /** A label's value: longer ones are somebody's data, and nobody searches for them. */
  sifLabelLength: 4 * KIB,
  /** The name of a label (sregistry has 250 characters for it), an environment script or an app. */
  sifKeyLength: 256,
  /** Labels of one image or app, its environment scripts, and apps: ten times what large images have. */
  sifKeys: 512,
  /** Things named that an inspection left out; the rest are counted. */
  sifLeftOut: 100,

  /** Shortest token `apptainer remote login --tokenfile` takes; longest is 4096. */
  tokenMinLength: 200,
  tokenMaxLength: 4096,
  /** Random bytes in a token: 200 characters of base64url. */
  tokenRandomBytes: 150,
  /** Random bytes in a key for sregistry-cli: as many as SHA-256 can make use of. */
  sregistryKeyRandomBytes: 32,
  /** A token's last use is written at most this often. */
  tokenLastUsedSeconds: HOUR,
  tokenNameLength: 100,
  tokenMaxDays: 3650,
  /** Shortest root secrets: 32 random bytes in base64url or hex are longer than this. */
  secretLength: 32,

  /** A session ends so long after its last use, and at the latest so long after it began. */
  sessionIdleSeconds: 14 * DAY,
  sessionMaxSeconds: 90 * DAY,
  /** Random bytes in a session's cookie, a login link, and whatever else is looked up by its hash. */
  secretRandomBytes: 32,
  /** How a browser calls itself, as a list of sessions shows it. */
  userAgentLength: 200,
  /** Sessions of one user; the one used longest ago ends when there would be more. */
  sessionsPerUser: 50,
  /** From beginning to sign in at a provider to coming back: somebody may have to look for a second factor. */
  signInSeconds: 600,
  /** From coming back to choosing a name. */
  registrationSeconds: 1800,
  loginLinkSeconds: 600,
  /** Attempts to sign in, to use a login link or to exchange a pipeline's token a minute, from one address. */
  signInsPerMinute: 30,
  /** The same where addresses are not known. */
  signInsPerMinuteOfAll: 300,
  /** How long a claim of an identity provider makes an administrator, without signing in again. */
  claimedRoleSeconds: 30 * DAY,
  /** An answer of an identity provider: tokens, user information and keys take a few KiB. */
  providerAnswerBytes: 256 * KIB,
  /** How long an identity provider may take to answer. */
  providerSeconds: 10,
  /** How long what an identity provider says of itself, and its keys, are kept. */
  providerCacheSeconds: 600,
  identitiesPerUser: 20,
  /** Collections that go with one account: what is known of them is one parameter of D1, which takes 2 MB. */
  deletedCollections: 5000,
  /** Rows one statement reads for the export of an account: a request has a thousand statements, and 128 MB. */
  exportPage: 1000,
  /** Where to go on after signing in: sealed with the rest it must fit into a cookie, of which browsers keep 4 KiB. */
  nextLength: KIB,
  /** What a provider calls somebody, as it is shown. */
  accountNameLength: 100,
  /** An e-mail address, by SMTP. */
  emailLength: 254,
  /** Tokens of one user that are neither revoked nor expired, beside those that pipelines were given. */
  tokensPerUser: 200,
  robotsPerOwner: 100,
  /** What a robot is for: some sentences. */
  robotDescriptionLength: 1024,
  publishersPerCollection: 50,
  /** Every question of rights goes through all of somebody's teams. */
  teamsPerUser: 100,
  /** In lists and previews as a whole. */
  membersPerTeam: 1000,
  peoplePerCollection: 500,
  invitationsPerTeam: 100,
  invitationMaxSeconds: 30 * DAY,
  invitationSeconds: 7 * DAY,
  /** A team's picture: shown at a few hundred pixels. */
  pictureBytes: MIB,
  /** How long one may be written before upkeep takes it for left behind: no request runs so long. */
  pictureSeconds: HOUR,
  sharesPerImage: 100,
  shareMaxSeconds: 365 * DAY,
  shareDownloads: 1_000_000,
  /** Share links that do not open, from one address a minute; a right one is never counted. */
  shareMissesPerMinute: 30,
  /** The same where addresses are not known. */
  shareMissesPerMinuteOfAll: 300,
  starsPerUser: 10_000,
  /** An offer of a collection, until somebody takes it. */
  handOverSeconds: 14 * DAY,
  /** A note that tells links apart. */
  noteLength: 200,
  /** A meter keeps its counts so long before it writes them down. */
  meterSeconds: 60,
  /** Different tags and architectures of a container that one report carries. */
  meterRows: 500,
  /** Days that statistics look back at most: a year, and the day it begins with. */
  statisticsDays: 366,
  /** Tags in statistics, those that were pulled most. The rest is in the totals. */
  statisticsTags: 100,
  /** Badges are shown by pages that many people read; their figures are a minute or two old anyway. */
  badgeCacheSeconds: 300,
  /** Parts of an upload by a browser: small enough to be sent again after a failure, and R2's parts are at most 10,000. */
  browserPartBytes: 16 * MIB,
  openUploadsPerUser: 100,
  /** The least a resumable upload stays open: somebody closes the laptop, and goes on the next day. */
  resumableMinSeconds: DAY,
  /** Tags asked for with one upload. */
  tagsPerUpload: 20,
  /** Missing parts that a refusal names. */
  missingParts: 10,
  /** A token for a pipeline: as long as a large push through one takes; it can be asked for again. */
  publisherTokenSeconds: HOUR,
  /** How long after its end such a token is still listed, so that a publisher leaves no endless list. */
  publisherTokenKeptSeconds: 7 * DAY,
  /** A pipeline's own token, a JWT of some KiB. */
  assertionLength: 16 * KIB,
  /** The oldest token of a pipeline taken: its use is remembered for so long. GitLab's live as long as a job may. */
  assertionMaxSeconds: DAY,
  /** After its keys were fetched, a CI service is not asked again for a key nobody knows: anybody can make one up. */
  keysRefreshSeconds: 60,
  /** How far clocks may be apart: those of isolates, and of whoever signs tokens. */
  clockSkewSeconds: 60,
  /** A repository or ref in a publisher's rule. */
  publisherRefLength: 256,

  /** For how long an isolate works with the run-time settings it read: until then a change may not be seen. */
  settingsCacheSeconds: 10,
  /** A setting's value: terms of use take some pages. */
  settingLength: 64 * KIB,

  /** Failed administrator sign-ins a minute before they are answered 429. A right secret always passes. */
  adminFailuresPerMinute: 20,

  /** Shortest and longest search text (the client refuses fewer than three characters). */
  searchMinLength: 3,
  searchMaxLength: 100,
  searchArchitectures: 16,
  /** What a search looks at and answers at most, 200 in all; the client prints every image. */
  searchCandidates: { image: 100, container: 50, collection: 25, entity: 25 },
  /** The same where only images are searched. */
  searchImages: 200,
  /** Of a word that more documents have, so many are ranked, the newest: ranking 100,000 takes 100 ms. */
  searchRanked: 500,
  /** Values of one facet shown, the most frequent first. */
  searchFacetValues: 20,
  /** Filters by label in one search. */
  searchLabels: 8,
  /** Words of such a filter that the index is asked for; each costs it a look. */
  searchLabelWords: 16,
  /** Characters of a definition file, and of an image's labels, that are indexed: people write some kilobytes. */
  searchIndexedText: 32 * KIB,
  /** People, and collections of an entity, whose right to see something the index knows. It is only a hint. */
  searchIndexedPeople: 1000,
  /** Changes indexed at once: their texts are in memory, twice, of 128 MB. */
  searchIndexBatch: 50,
  /** Characters of documents in one parameter; D1 takes 2 MB, and a character may have three bytes. */
  searchIndexParameter: 500_000,
  /** When to try again after the index could not be written. */
  searchRetrySeconds: 30,
  /** Things one step of rebuilding the index makes pending. */
  searchRebuildPage: 1000,
  /** Rows in one page of a list. */
  pageSize: 100,
  /** Tags of a container shown at once. A push asks for them and uses none; more would fill the Worker's memory. */
  listedTags: 10_000,
  /** Collections in one list for clients that know no pages: with their tags it stays within some megabytes. */
  listedCollections: 5000,
  /** Tags in one list that has the labels of their images with them. */
  listedItems: 5000,
  /** Characters of an image's labels in such a list: those that people write are fewer. */
  listedLabelsLength: 2 * KIB,
  /** Collections or tags in one page that a client asks for by `limit`. More than that is cut down to it. */
  offsetPage: 1000,
  /** Tags shown at once with all that was read of their images: each may hold some hundred kilobytes of text. */
  listedDetails: 20,
  /** Topics of a container: as many as a page shows without getting long. */
  topicsPerContainer: 50,
  /** A topic is a word or a few. */
  topicLength: 50,
  /** The longest value of a label in a list of them: with the labels of 10,000 tags that is 5 MB. */
  foundLabelLength: 512,
  /** Addresses in one part of the list for search engines, which take ten times that: it is written as one text. */
  sitemapAddresses: 5000,
  /** First digits of ids that name its parts: 4,096 of the 50,000 that search engines take. */
  sitemapDigits: 3,
  /** How long search engines may keep it. */
  sitemapCacheSeconds: HOUR,
  /** Names and digests that a preview of a deletion shows; the rest are counted. */
  previewNames: 100,
  /** Tags of an image shown in a list of images; the rest are counted. */
  tagsOfListedImage: 100,
  /** Names shown of a damaged blob: enough to know where to push it again. */
  namesOfBlob: 10,
  /** Rows one step of the integrity check reads: one R2 list call. */
  integrityPage: 1000,

  /** Discovery changes only with the deployment; clients fetch it with every command. */
  discoveryCacheSeconds: 300,
  /** What a client is told to wait when the database is overloaded, or it asked too often: by then one more passes. */
  retryAfterSeconds: 5,
} as const;

/** Seconds a multipart upload stays open: so long that each part may take as long as its URL lives. */
export function multipartSeconds(parts: number): number {
  return Math.min(parts * limits.uploadSeconds, limits.multipartMaxSeconds);
}

/**
 * Seconds a download URL of an image of this size lives: it must outlive the
 * slowest download, because clients never look at the status of a range answer.
 */
export function downloadSeconds(sizeBytes: number): number {
  const needed = Math.ceil((sizeBytes / limits.downloadBytesPerSecond) * limits.downloadSlack);
  return Math.min(Math.max(needed, limits.downloadMinSeconds), limits.downloadMaxSeconds);
}
