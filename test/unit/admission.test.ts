import { describe, expect, it } from "vitest";
import { type Claimed, givesAdmin, isAdmitted, isStillAdmitted } from "../../worker/registry/people/admission.ts";
import { type Provider, readProviders } from "../../worker/registry/providers.ts";

function provider(admit: string, admins = ""): Provider {
  const { providers, problems } = readProviders({
    OIDC_PROVIDERS: "institute",
    OIDC_INSTITUTE_ISSUER: "https://id.institute.example",
    OIDC_INSTITUTE_CLIENT_ID: "registry",
    OIDC_INSTITUTE_ADMIT: admit,
    OIDC_INSTITUTE_ADMINS: admins,
  });
  const [only] = providers;
  if (only === undefined) throw new Error(problems.join("; "));
  return only;
}

const nobodySpecial: Claimed = { email: null, emailVerified: false, groups: [], organizations: [] };
const at = (email: string): Claimed => ({ ...nobodySpecial, email, emailVerified: true });
const inGroups = (...groups: string[]): Claimed => ({ ...nobodySpecial, groups });

describe("a domain", () => {
  const institute = provider("domain:institute.example");

  it.each(["a@institute.example", "A@INSTITUTE.Example", '"a@b"@institute.example'])("has %s", (email) => {
    expect(isAdmitted(institute, at(email))).toBe(true);
  });

  it.each([
    "a@sub.institute.example",
    "a@institute.example.evil.example",
    "a@evilinstitute.example",
    "a@institute.example@evil.example",
    "institute.example.",
    "a@institute.example ",
    "",
  ])("does not have %j", (email) => {
    expect(isAdmitted(institute, at(email))).toBe(false);
  });

  it("has nobody whose address is not verified", () => {
    expect(isAdmitted(institute, { ...at("a@institute.example"), emailVerified: false })).toBe(false);
  });
});

describe("a group", () => {
  it("is meant in exactly its letters", () => {
    const guests = provider("group:Guests");
    expect(isAdmitted(guests, inGroups("others", "Guests"))).toBe(true);
    for (const name of ["guests", "Guests2", "/Guests", ""]) expect(isAdmitted(guests, inGroups(name))).toBe(false);
  });

  it("of another kind is another thing", () => {
    expect(isAdmitted(provider("group:a"), { ...nobodySpecial, organizations: ["a"] })).toBe(false);
  });
});

describe("several rules", () => {
  it("admit whom one of them does", () => {
    const several = provider("domain:institute.example, group:guests");
    expect(isAdmitted(several, inGroups("guests"))).toBe(true);
    expect(isAdmitted(several, at("a@institute.example"))).toBe(true);
    expect(isAdmitted(several, nobodySpecial)).toBe(false);
  });
});

describe("everyone and nobody", () => {
  it("are what they say, for who is new", () => {
    expect(isAdmitted(provider("everyone"), nobodySpecial)).toBe(true);
    expect(isAdmitted(provider("nobody"), at("a@institute.example"))).toBe(false);
  });

  it("keep who is there, but a rule does not keep who does not fit it any more", () => {
    expect(isStillAdmitted(provider("nobody"), nobodySpecial)).toBe(true);
    expect(isStillAdmitted(provider("everyone"), nobodySpecial)).toBe(true);
    expect(isStillAdmitted(provider("group:guests"), nobodySpecial)).toBe(false);
  });
});

describe("an administrator by claim", () => {
  it("is who is in a group named for it, whoever else is admitted", () => {
    const institute = provider("everyone", "group:admins");
    expect(givesAdmin(institute, inGroups("admins"))).toBe(true);
    expect(givesAdmin(institute, inGroups("admin"))).toBe(false);
    expect(givesAdmin(provider("everyone"), inGroups("admins"))).toBe(false);
  });
});
