/**
 * The lines a user pastes into a shell to use this registry. They were tried with apptainer 1.4.5; the
 * pages show them and the tests of the clients run them, so that both stay true.
 */

/** What the lines are made from; `/api/v1/site` has both. */
export interface RegistryAddress {
  /** Such as `https://registry.example.org`, without a path. */
  origin: string;
  /** The remote's name on the user's machine. */
  uri: string;
}

/** An image that stands for the user's own: `entity/collection/container:tag`. */
export const exampleImage = "alice/tools/image:v1";

/**
 * Adds the registry to the client's remotes and makes it the one in use.
 *
 * `remote add` keeps `host:port` without its scheme, and every later command then reads the host as the
 * scheme and fails (`first path segment in URL cannot contain colon`). An entry that begins with the scheme
 * works, but no command writes one, so sed does. What it looks for is an entry that cannot work, so the
 * user's other remotes stay as they are.
 */
export function addRemote({ origin, uri }: RegistryAddress): string[] {
  const insecure = origin.startsWith("http:") ? "--insecure " : "";
  const add = `apptainer remote add --no-login ${insecure}${quote(uri)} ${quote(origin)}`;
  const use = `apptainer remote use ${quote(uri)}`;
  return needsScheme({ origin }) ? [add, giveScheme(origin), use] : [add, use];
}

/** Whether the registry's host has a colon: a port that is not the scheme's own, or an IPv6 address. */
export function needsScheme({ origin }: Pick<RegistryAddress, "origin">): boolean {
  return new URL(origin).host.includes(":");
}

/** Waits for a token to be pasted, and puts it into `token.txt`, which nobody else can read. It ends at Control and D. */
export function saveToken(): string[] {
  return ["(umask 077; cat > token.txt)"];
}

/** Logs in with a token that stands in `token.txt`. The client wants at least 200 characters there. */
export function login({ uri }: RegistryAddress): string[] {
  return [`apptainer remote login --tokenfile token.txt ${quote(uri)}`];
}

/** Pushes `image.sif` to the remote in use. `-U`: most images are not signed, and the client refuses those otherwise. */
export function push(_site: RegistryAddress, image: string = exampleImage): string[] {
  return [`apptainer push -U image.sif library://${image}`];
}

/** Pulls from the remote in use, into a file named after container and tag. */
export function pull(_site: RegistryAddress, image: string = exampleImage): string[] {
  return [`apptainer pull library://${image}`];
}

/**
 * Pulls a public image past the remote in use; no token is sent. The client all the same refuses where no
 * remote is in use, and asks the one that is for its key server. A packaged client comes with one.
 */
export function pullAnonymously({ origin }: RegistryAddress, image: string = exampleImage): string[] {
  return [`apptainer pull --library ${quote(origin)} library://${image}`];
}

/** Downloads a public image where no client is installed. */
export function download({ origin }: RegistryAddress, image: string = exampleImage): string[] {
  return [`curl -fLo image.sif ${quote(`${origin}/v1/imagefile/${image}`)}`];
}

/** Pulls the image of a share link, whose last part names the file. No registry need be among the client's remotes. */
export function pullShared(url: string): string[] {
  return [`apptainer pull ${quote(url)}`];
}

/** The same without a client, and checks that it is the very image. @param hex its SHA-256 */
export function downloadShared(url: string, hex: string): string[] {
  const file = new URL(url).pathname.split("/").at(-1) ?? "image.sif";
  return [`curl -fLo ${quote(file)} ${quote(url)}`, `echo "${hex}  ${file}" | sha256sum -c`];
}

/** Creates a user. This and the next two are for administrators, in the registry's folder. */
export function addUser(site: RegistryAddress, username: string): string[] {
  return [`npm run admin -- add-user --username ${quote(username)}${whichRegistry(site)}`];
}

/** Makes a token for a user who is there. `--silent`: npm's own words must not get into the file. */
export function addToken(site: RegistryAddress, username: string): string[] {
  return [`npm run --silent admin -- add-token --username ${quote(username)}${whichRegistry(site)} > token.txt`];
}

/** Makes a link that signs a user in, where there is no identity provider or none works. */
export function makeLoginLink(site: RegistryAddress, username: string): string[] {
  return [`npm run admin -- login-link --username ${quote(username)}${whichRegistry(site)}`];
}

/** What stands in `~/.sregistry` for sregistry-cli. */
export function sregistryFile({ origin }: RegistryAddress, username: string, key: string): string[] {
  const registry = {
    SREGISTRY_REGISTRY_BASE: origin,
    SREGISTRY_REGISTRY_USERNAME: username,
    SREGISTRY_REGISTRY_TOKEN: key,
  };
  return JSON.stringify({ SREGISTRY_CLIENT: "registry", registry }, null, 2).split("\n");
}

/** A deployed registry is named; one on this machine is found by its data. The command takes the admin secret nowhere without TLS. */
function whichRegistry({ origin }: RegistryAddress): string {
  return origin.startsWith("https:") ? ` --url ${quote(origin)}` : "";
}

/** YAML quotes an IPv6 address, because of its brackets: then any one character stands on either side. */
function giveScheme(origin: string): string {
  const { host } = new URL(origin);
  const mark = host.startsWith("[") ? ".\\?" : "";
  const written = `${mark}${host.replace(/[.[\]*^$]/g, "\\$&")}${mark}`;
  const wanted = host.startsWith("[") ? `"${origin}"` : origin;
  return `sed -i ${quoteAlways(`s|URI: ${written}$|URI: ${wanted}|`)} ~/.apptainer/remote.yaml`;
}

/** A word as a shell reads it back unchanged; brackets too, which zsh takes for a file pattern. */
function quote(word: string): string {
  return /^[\w.:/@%+-]+$/.test(word) ? word : quoteAlways(word);
}

function quoteAlways(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
