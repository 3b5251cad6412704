import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ContainerDetails, Image } from "../../ui/api/schema.d.ts";
import { firstLine, pullReference, roleWords, signatureWords, stateWords } from "../../ui/components/catalog/words.ts";
import { addressOf, sorts, wantedBy } from "../../ui/pages/CollectionsPage.data.ts";
import { catalogPath, namesAt } from "../../ui/paths.ts";
import { isCatalogAddress } from "../../worker/protocols/web/pages.ts";
import { reservedNames } from "../../worker/registry/names.ts";

describe("the address of a collection's or container's page", () => {
  it("is known by its form, in any case of the letters", () => {
    expect(namesAt("/Alice/my-tools")).toEqual(["alice", "my-tools"]);
    expect(namesAt("/alice/tools/app")).toEqual(["alice", "tools", "app"]);
  });

  it.each(["/", "/alice", "/alice/", "/alice/tools/", "/alice//app", "/a/b/c/d", "//alice/tools", "/alice/%74ools"])(
    "is not %s",
    (path) => {
      expect([namesAt(path), isCatalogAddress(path)]).toEqual([null, false]);
    },
  );

  it("is the same to the pages as to the Worker, but that the Worker knows what no entity is called", () => {
    const piece = fc.oneof(
      fc.constantFrom(..."aZ9.-_/: ", "..", "%2e", "tags", "K", "a".repeat(79), "a".repeat(80)),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 9 }), (some) => {
        const path = `/${some.join("")}`;
        const first = path.split("/")[1]?.toLowerCase() ?? "";
        const mayBeEntity = !reservedNames.has(first);
        expect(isCatalogAddress(path)).toBe(namesAt(path) !== null && mayBeEntity);
      }),
    );
  });

  it.each(["tags", "Collections", "v2", "static", "cdn-cgi"])("is nothing below /%s, which no entity has", (first) => {
    expect(isCatalogAddress(`/${first}/tools`)).toBe(false);
  });

  it("leads back to the names it was made of", () => {
    expect(namesAt(catalogPath("alice", "tools", "app"))).toEqual(["alice", "tools", "app"]);
  });
});

describe("the list of collections", () => {
  it("is found again by the address that asks for it", () => {
    for (const { sort } of sorts) {
      for (const isMine of [false, true]) {
        const { search } = new URL(addressOf({ sort, isMine }), "https://registry.example.org");
        expect(wantedBy(search)).toEqual({ sort, isMine });
      }
    }
  });

  it("is sorted by name where the address says nothing that it could be sorted by", () => {
    expect(wantedBy("?sort=<script>&mine=yes")).toEqual({ sort: "name", isMine: false });
  });
});

describe("in words", () => {
  it("a description's first line is the first that says something", () => {
    expect(firstLine("\n\n## The tools \n\nof our lab")).toBe("The tools");
    expect(firstLine("#tag, not a heading")).toBe("#tag, not a heading");
    expect(firstLine(" \n ")).toBe("");
  });

  it("a role says where it comes from, once", () => {
    expect(roleWords({ role: null, reason: null })).toBeNull();
    expect(roleWords({ role: "contributor", reason: "contributor through team imaging" })).toBe(
      "Contributor through team imaging",
    );
    expect(roleWords({ role: "owner", reason: "administrator of the registry" })).toBe(
      "Owner: administrator of the registry",
    );
    expect(roleWords({ role: "reader", reason: null })).toBe("Reader");
  });

  it("an image's state says why, and how far", () => {
    expect(stateWords({ is: "verifying", percent: 40, reason: null })).toBe("Being verified (40 %)");
    expect(stateWords({ is: "refused", percent: null, reason: "it is no SIF file" })).toBe(
      "Refused: it is no SIF file",
    );
    expect([signatureWords({ signed: true }), signatureWords({ signed: null })]).toEqual([
      "Signed; apptainer verify says by whom",
      "Not signed",
    ]);
  });
});

describe("the line that pulls a container", () => {
  const digest = `sha256.${"0".repeat(64)}`;
  const container = (tags: string[] | null) =>
    ({
      ...{ entity: "alice", collection: "tools", name: "app" },
      newestImage: tags === null ? null : ({ tags, digest } as Image),
    }) as ContainerDetails;

  it("names the tag that was asked for, else the newest image's, latest before others, else its content", () => {
    expect(pullReference(container(["v1"]), { name: "v0", updatedAt: "", architectures: [] })).toBe(
      "alice/tools/app:v0",
    );
    expect(pullReference(container(["latest", "v1"]), null)).toBe("alice/tools/app:latest");
    expect(pullReference(container(["v1.9", "v1.10"]), null)).toBe("alice/tools/app:v1.10");
    expect(pullReference(container([]), null)).toBe(`alice/tools/app:${digest}`);
  });

  it("is none where there is nothing to pull", () => {
    expect(pullReference(container(null), null)).toBeNull();
  });
});
