import type { DefinitionFile } from "./definition-file.ts";

/** Names of images that are an operating system and nothing else, as their publishers write them. */
const known: ReadonlySet<string> = new Set(
  (
    "almalinux alpine alt altlinux amazonlinux archlinux busybox centos clearlinux clefos debian devuan euleros " +
    "fedora gentoo kalilinux mageia manjaro manjarolinux nixos opensuse oraclelinux photon raspbian redhat " +
    "rockylinux scientificlinux slackware sles ubuntu voidlinux wolfi"
  ).split(" "),
);

/** Publishers of nothing but one operating system: what they call an image is one of its editions. */
const publishers: ReadonlySet<string> = new Set(
  "almalinux archlinux gentoo kalilinux opensuse rockylinux scientificlinux voidlinux".split(" "),
);

/** Images whose names are not the system's. */
const otherNames: readonly (readonly [RegExp, string])[] = [
  [/^ubi\d*(-|$)/, "redhat"],
  [/^rhel\d*(-|$)/, "redhat"],
  [/^kali(-|$)/, "kalilinux"],
  [/^wolfi-base$/, "wolfi"],
  [/^centos\d+$/, "centos"],
  [/^ubuntu-debootstrap$/, "ubuntu"],
];

/** What an address of packages has in it, for the agents that install a system from packages. */
const mirrors: readonly (readonly [RegExp, string])[] = [
  [/ubuntu/, "ubuntu"],
  [/debian/, "debian"],
  [/kali/, "kalilinux"],
  [/devuan/, "devuan"],
  [/raspbian/, "raspbian"],
  [/centos/, "centos"],
  [/fedora/, "fedora"],
  [/rocky/, "rockylinux"],
  [/alma/, "almalinux"],
  [/scientific/, "scientificlinux"],
  [/oracle/, "oraclelinux"],
  [/amazon/, "amazonlinux"],
  [/redhat|rhel|ubi\d/, "redhat"],
  [/opensuse/, "opensuse"],
];

const ubuntuReleases = /^(trusty|xenial|bionic|focal|jammy|noble|plucky|questing)$/;
const debianReleases = /^(wheezy|jessie|stretch|buster|bullseye|bookworm|trixie|forky|sid|stable|testing|unstable)$/;

/**
 * The operating system that an image was made from, in one lower-case word: what sregistry makes a topic of.
 * Null where the definition names none that is known; an image made from one that has more in it is not one.
 */
export function operatingSystemOf({ stages }: DefinitionFile): string | null {
  const header = new Map(Object.entries(stages.at(-1)?.header ?? {}));
  const from = (header.get("from") ?? "").toLowerCase();
  const mirror = (header.get("mirrorurl") ?? "").toLowerCase();
  switch ((header.get("bootstrap") ?? "").toLowerCase()) {
    case "scratch":
      return null;
    case "busybox":
      return "busybox";
    case "arch":
      return "archlinux";
    case "zypper":
      return (header.get("product") ?? "").toLowerCase().startsWith("sle") ? "sles" : "opensuse";
    case "debootstrap":
      return systemOfMirror(mirror) ?? systemOfRelease((header.get("osversion") ?? "").toLowerCase());
    case "yum":
    case "dnf":
      return systemOfMirror(mirror);
    case "localimage":
    case "docker-archive":
    case "oci-archive":
    case "oci":
      return systemOfFile(from);
    default:
      return systemOfReference(from);
  }
}

/** @param from like docker.io/library/ubuntu:22.04@sha256:… or library://host/entity/collection/ubuntu:tag */
function systemOfReference(from: string): string | null {
  const [withoutDigest = ""] = from.trim().split("@", 1);
  const parts = withoutDigest.replace(/^[a-z-]+:\/\//, "").split("/");
  const [name = ""] = (parts.at(-1) ?? "").split(":", 1);
  const publisher = parts.at(-2) ?? "";
  return systemOfName(name) ?? (publishers.has(publisher) ? publisher : null);
}

/** A client that pulls ubuntu:22.04 calls the file ubuntu_22.04.sif. */
function systemOfFile(path: string): string | null {
  const file = path
    .split("/")
    .filter((part) => part !== "")
    .at(-1);
  const [name = ""] = (file ?? "").replace(/\.(sif|simg|img|tar|tar\.gz|tgz)$/, "").split(/[_:]/, 1);
  return systemOfName(name);
}

function systemOfName(name: string): string | null {
  const other = otherNames.find(([pattern]) => pattern.test(name));
  if (other !== undefined) return other[1];
  return known.has(name) ? name : null;
}

function systemOfMirror(address: string): string | null {
  return mirrors.find(([pattern]) => pattern.test(address))?.[1] ?? null;
}

function systemOfRelease(release: string): string | null {
  if (ubuntuReleases.test(release)) return "ubuntu";
  return debianReleases.test(release) ? "debian" : null;
}
