/**
 * Every number that bounds something, with its reason. Sizes are in bytes,
 * durations in seconds, unless the name says otherwise.
 */
const KIB = 1024;
const MIB = 1024 * KIB;
const HOUR = 3600;

export const limits = {
  /** One name component. Three of them and two slashes stay within OCI's 255 characters for a repository. */
  nameLength: 80,
  /** A tag, by OCI's grammar, so that every protocol can name it. */
  tagLength: 128,
  /** A raw reference as it stands in a URL, before it is parsed: three names, a tag or digest, and some slack. */
  referenceLength: 512,
  /** A description of an image, container or collection. */
  descriptionLength: 4 * KIB,
  /** A JSON request body. The largest a client sends is a create body well under 4 KiB. */
  jsonBodyBytes: 64 * KIB,

  /** The most a client sends in a single PUT (scs-library-client 1.4: strictly above it asks for multipart). */
  singleUploadBytes: 64 * MIB,
  /** The most R2 takes in one PUT: 5 GiB less one part's minimum. */
  wholeUploadBytes: 5 * 1024 * MIB - 5 * MIB,
  /** How long an upload URL can be used: 64 MiB at 20 KiB/s take 55 minutes. */
  uploadSeconds: HOUR,
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

  /** One R2 read while serving, so that a request holds two of these at most (one going out, one ahead). */
  serveSliceBytes: 8 * MIB,
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

  /** Shortest token `apptainer remote login --tokenfile` takes; longest is 4096. */
  tokenMinLength: 200,
  tokenMaxLength: 4096,
  /** Random bytes in a token: 200 characters of base64url. */
  tokenRandomBytes: 150,
  /** A token's last use is written at most this often. */
  tokenLastUsedSeconds: HOUR,
  tokenNameLength: 100,
  tokenMaxDays: 3650,
  /** Shortest root secrets: 32 random bytes in base64url or hex are longer than this. */
  secretLength: 32,

  /** Failed administrator sign-ins a minute before they are answered 429. A right secret always passes. */
  adminFailuresPerMinute: 20,

  /** Shortest and longest search text (the client refuses fewer than three characters). */
  searchMinLength: 3,
  searchMaxLength: 100,
  searchArchitectures: 16,
  /** Rows a search answers per kind; the client prints them all. */
  searchResults: 100,
  /** Rows in one page of a list. */
  pageSize: 100,
  /** Tags of a container shown at once. A push asks for them and uses none; more would fill the Worker's memory. */
  listedTags: 10_000,
  /** Rows one step of the integrity check reads: one R2 list call. */
  integrityPage: 1000,

  /** Discovery changes only with the deployment; clients fetch it with every command. */
  discoveryCacheSeconds: 300,
  /** What a client is told to wait when the database is overloaded. */
  retryAfterSeconds: 5,
} as const;

/**
 * Seconds a download URL of an image of this size lives: it must outlive the
 * slowest download, because clients never look at the status of a range answer.
 */
export function downloadSeconds(sizeBytes: number): number {
  const needed = Math.ceil((sizeBytes / limits.downloadBytesPerSecond) * limits.downloadSlack);
  return Math.min(Math.max(needed, limits.downloadMinSeconds), limits.downloadMaxSeconds);
}
