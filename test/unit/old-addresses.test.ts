import { describe, expect, it } from "vitest";
import { addressNow, oldAddresses, oldAddressesToCome } from "../../worker/protocols/web/old-addresses.ts";
import { isCatalogAddress, uiRoutes } from "../../worker/protocols/web/pages.ts";
import { reservedNames } from "../../worker/registry/names.ts";

const at = (url: string, addresses = oldAddresses) => {
  const { pathname, searchParams } = new URL(url, "https://images.example.org");
  return addressNow(pathname, searchParams, addresses);
};

const isPage = (target: string) => {
  const path = target.replace(/\?.*$/, "");
  return (uiRoutes as readonly string[]).includes(path) || isCatalogAddress(path);
};

describe("an address of the original leads to where the same is now:", () => {
  it.each([
    ["/about", "/"],
    ["/login/", "/login"],
    ["/accounts/login/", "/login"],
    ["/accounts/login/?next=/token", "/login?next=%2Ftoken"],
    ["/terms/", "/terms"],
    ["/token", "/auth/tokens"],
    ["/token/", "/auth/tokens"],
    ["/token/update", "/auth/tokens"],
    ["/auth/tokens/", "/auth/tokens"],
    ["/u/profile", "/account"],
    ["/u/delete", "/account"],
    ["/collections/", "/collections"],
    ["/collections/my", "/collections?mine=1"],
    ["/collections/stars/", "/collections?sort=stars"],
    ["/collections/downloads", "/collections?sort=pulls"],
    ["/collections/alice/tools", "/alice/tools"],
    ["/collections/alice/tools/", "/alice/tools"],
    ["/containers/alice/tools/app:v1.0", "/alice/tools/app?tag=v1.0"],
    ["/containers/alice/tools/app:_build/", "/alice/tools/app?tag=_build"],
  ])("%s", (from, to) => {
    expect(at(from)).toBe(to);
    expect(isPage(to)).toBe(true);
  });

  it.each([
    ["/tags", "/topics"],
    ["/labels/key/maintainer", "/labels/maintainer"],
    ["/labels/key/org%2Flab/value/a%20b", "/labels/org%2Flab/a%20b"],
    ["/tools/sizes", "/statistics"],
    ["/u/profile/alice", "/alice"],
    ["/search/alpine", "/search?q=alpine"],
  ])("%s, once its page is there", (from, to) => {
    expect(at(from, oldAddressesToCome)).toBe(to);
    expect(at(from)).toBeNull();
  });
});

describe("no address leads anywhere else:", () => {
  const both = [...oldAddresses, ...oldAddressesToCome];

  it.each([
    "/",
    "/login",
    "/terms",
    "/auth/tokens",
    "/collections",
    "/collections/12",
    "/collections/12/settings",
    "/collections/12/delete/",
    "/collections/new",
    "/collections/alice/a..b",
    "/containers/12/tools/app:v1",
    "/containers/12/share/",
    "/containers/alice/tools/app:.v1",
    "/collections//evil.example",
    "/collections/%5Cevil.example/x",
    "/collections/.evil/x",
    "/collections/alice/%2F%2Fevil.example",
    "/containers/12",
    "/containers/tools/app:v1",
    "/teams/3/view",
    "/u/profile//evil.example",
    "/tokens",
  ])("%s", (path) => {
    expect(at(path, both)).toBeNull();
  });

  it.each(["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)"])(
    "nor does signing in, with next=%s",
    (next) => {
      expect(at(`/accounts/login/?next=${encodeURIComponent(next)}`)).toBe("/login");
    },
  );

  it("leads to itself", () => {
    for (const path of ["/", ...uiRoutes]) expect(at(path)).toBeNull();
  });

  it("is a name that somebody's entity could have", () => {
    const firsts = both.map(({ from }) => /^\^\\\/([a-z]+)/.exec(from.source)?.[1] ?? "");
    expect(firsts.filter((first) => !reservedNames.has(first))).toEqual([]);
  });
});
