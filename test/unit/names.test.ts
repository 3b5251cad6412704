import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { paths, pathsWithSecrets } from "../../ui/paths.ts";
import { app } from "../../worker/app.ts";
import { admin } from "../../worker/protocols/admin/routes.ts";
import { library } from "../../worker/protocols/library/routes.ts";
import { sregistry } from "../../worker/protocols/sregistry/routes.ts";
import { api } from "../../worker/protocols/web/api.ts";
import { blobs } from "../../worker/protocols/web/blobs.ts";
import { crawlers } from "../../worker/protocols/web/crawlers.ts";
import { pages, uiRoutes, uiRoutesWithSecrets } from "../../worker/protocols/web/pages.ts";
import { shared } from "../../worker/protocols/web/shared.ts";
import { RegistryError } from "../../worker/registry/errors.ts";
import { limits } from "../../worker/registry/limits.ts";
import {
  parseContainerPath,
  parseEntityName,
  parseImageReference,
  parseName,
  parseTag,
  parseTaggedReference,
  parseTopic,
  reservedNames,
} from "../../worker/registry/names.ts";
import { anyText, codeOf } from "../support/expectations.ts";

const digest = `sha256.${"0123456789abcdef".repeat(4)}`;

describe("a name", () => {
  it.each(["a", "0", "alice", "a.b", "a-b_c.d", "x".repeat(80)])("may be %s", (name) => {
    expect(parseName(name)).toBe(name);
  });

  it.each(["", ".", "..", "-a", "a-", "a..b", "a--b", "a/b", "a b", "é", "a\n", "a:b", "\u212a", "x".repeat(81)])(
    "may not be %j: it is refused, never changed into another",
    (text) => {
      expect(codeOf(() => parseName(text))).toBe("name-invalid");
    },
  );

  it("is lower-cased", () => {
    expect(parseName("Alice")).toBe("alice");
  });

  it("is refused or safe in a path, a URL and a shell line, whatever is typed", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const name = resultOf(() => parseName(text));
        if (name === null) return;
        expect(encodeURIComponent(name)).toBe(name);
        expect(name).toBe(text.toLowerCase());
        expect(parseName(name)).toBe(name);
      }),
    );
  });

  it("is shown in the refusal short and without control characters", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const error = thrownBy(() => parseName(text));
        if (error === null) return;
        expect(error.message).toMatch(/^[\x20-\x7e]+$/);
        expect(error.message.length).toBeLessThan(220);
      }),
    );
  });
});

describe("a name of an entity", () => {
  it.each([...reservedNames])("is not %s, in any case: that is reserved", (name) => {
    const expected = codeOf(() => parseName(name)) === null ? "name-reserved" : "name-invalid";
    expect(codeOf(() => parseEntityName(name))).toBe(expected);
    expect(codeOf(() => parseEntityName(name.toUpperCase()))).toBe(expected);
  });

  it.each(["alice", "my-lab", "libraries"])("may be %s", (name) => {
    expect(parseEntityName(name)).toBe(name);
  });
});

describe("an address of the registry cannot be taken by an entity's name:", () => {
  const all = [app, admin, api, blobs, crawlers, library, pages, shared, sregistry];
  // One kind of address begins with an entity's name, for shub clients.
  const routes = all
    .flatMap((hono) => hono.routes.map(({ path }) => path))
    .filter((path) => !path.startsWith("/:entity/api/container"));
  const addresses = [...routes, ...uiRoutes, ...Object.values(paths)];
  const firstSegments = new Set(addresses.map((path) => path.split("/")[1] ?? "").filter((first) => /\w/.test(first)));

  it.each([...firstSegments])("/%s", (first) => {
    expect(first).not.toMatch(/[:*{]/);
    expect(reservedNames.has(first)).toBe(true);
  });

  it("and these are the addresses there are", () => {
    expect([...firstSegments].sort()).toEqual([
      "account",
      "admin",
      "api",
      "assets",
      "auth",
      "blobs",
      "collections",
      "container",
      "invitations",
      "login",
      "pks",
      "robots.txt",
      "s",
      "sitemap-collections.xml",
      "sitemap-containers.xml",
      "sitemap.xml",
      "static",
      "terms",
      "upload",
      "v1",
      "v2",
      "version",
    ]);
  });

  it("and every page of the UI is one the Worker answers with status 200", () => {
    expect([...uiRoutes].sort()).toEqual(Object.values(paths).sort());
  });

  it("and page and Worker agree on which pages nobody else's script gets into", () => {
    expect([...uiRoutesWithSecrets].sort()).toEqual([...pathsWithSecrets].sort());
  });
});

describe("a tag", () => {
  it.each(["latest", "v1", "V1.0", "_x", "1", "a..b", "a-", "t".repeat(128)])(
    "may be %s, and keeps its case",
    (tag) => {
      expect(parseTag(tag)).toBe(tag);
      expect(parseImageReference(`a/b/c:${tag}`).selector).toEqual({ kind: "tag", tag });
    },
  );

  it.each(["", "-a", ".a", "a b", "a/b", "a:b", "é", "t".repeat(129)])("may not be %j", (tag) => {
    expect(codeOf(() => parseTag(tag))).toBe("tag-invalid");
  });

  it.each([digest, digest.toUpperCase(), "sif.2ff3a2ba-8a3e-4b2c-a04d-1d7f4c5e1b2a"])(
    "may not be %s, which names an image by its content",
    (tag) => {
      expect(codeOf(() => parseTag(tag))).toBe("tag-invalid");
    },
  );
});

describe("a topic", () => {
  it.each([
    ["Debian", "debian"],
    ["  Deep \t\n Learning ", "deep learning"],
    ["Äpfel", "äpfel"],
    ["A\u0308pfel", "äpfel"],
    ["c++ & r:4", "c++ & r:4"],
    ["生物", "生物"],
    ["x".repeat(50), "x".repeat(50)],
  ])("%j is %j: lower-cased, with single spaces", (text, topic) => {
    expect(parseTopic(text)).toBe(topic);
  });

  it.each(["", " ", "a/b", "a\\b", "a,b", "a\u0000b", "\u202e", "\ud800", "\u200b", "x".repeat(51), " ".repeat(9999)])(
    "may not be %j",
    (text) => {
      expect(codeOf(() => parseTopic(text))).toBe("topic-invalid");
    },
  );

  it("is the same when it is read again, whatever was typed", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const topic = resultOf(() => parseTopic(text));
        if (topic !== null) expect(parseTopic(topic)).toBe(topic);
      }),
    );
  });
});

describe("a reference", () => {
  it("of three parts names entity, collection and container", () => {
    expect(parseImageReference("alice/tools/app:v1")).toEqual({
      path: { entity: "alice", collection: "tools", container: "app" },
      selector: { kind: "tag", tag: "v1" },
    });
  });

  it("of two parts names a collection by its short name", () => {
    expect(parseImageReference("tools/app:v1").path).toEqual({ entity: null, collection: "tools", container: "app" });
  });

  it("of one part means a container of the short name `library`", () => {
    expect(parseImageReference("app").path).toEqual({ entity: null, collection: "library", container: "app" });
  });

  it("without a tag means `latest`", () => {
    expect(parseImageReference("a/b/c").selector).toEqual({ kind: "tag", tag: "latest" });
  });

  it("by digest names the content, in each number of parts", () => {
    for (const path of ["c", "b/c", "a/b/c"]) {
      expect(parseImageReference(`${path}:${digest}`).selector).toEqual({ kind: "digest", digest });
    }
  });

  it("with several tags means the first, as in the clients", () => {
    expect(parseImageReference("a/b/c:v1,v2").selector).toEqual({ kind: "tag", tag: "v1" });
  });

  it("means the same in any case of names; tags keep theirs", () => {
    expect(parseImageReference("Alice/Tools/App:V1")).toEqual({
      path: { entity: "alice", collection: "tools", container: "app" },
      selector: { kind: "tag", tag: "V1" },
    });
  });

  it.each([
    "",
    "/",
    "a//b",
    "/a/b/c",
    "a/b/c/",
    "a/b/c/d",
    "a/b/c:",
    "a/b/c:v1:v2",
    "a/../c",
    "\u212a/b/c",
    "a/b/c:sif.x y",
    `c:${digest.toUpperCase()}`,
    `c:${"a".repeat(600)}`,
  ])("is none in %j", (text) => {
    expect(codeOf(() => parseImageReference(text))).toBe("reference-invalid");
  });

  const name = fc.stringMatching(/^[a-z0-9]{1,20}(?:[._-][a-z0-9]{1,20}){0,2}$/);
  const tag = fc
    .stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,30}$/)
    .filter((text) => codeOf(() => parseTag(text)) === null);

  it("that names what may exist is understood, whatever the names are", () => {
    fc.assert(
      fc.property(fc.tuple(name, name, name), tag, ([entity, collection, container], tag) => {
        const path = { entity, collection, container };
        expect(parseImageReference(`${entity}/${collection}/${container}:${tag}`)).toEqual({
          path,
          selector: { kind: "tag", tag },
        });
      }),
    );
  });

  it("takes the tags that can be set, and no others", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const first = text.split(",")[0] ?? "";
        const isTaken = codeOf(() => parseImageReference(`a/b/c:${text}`)) === null;
        if (text.length < 500) expect(isTaken).toBe(codeOf(() => parseTag(first)) === null);
      }),
    );
  });

  it("is understood, or refused as one: no text does anything else", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(["reference-invalid", null]).toContain(codeOf(() => parseImageReference(text)));
      }),
    );
  });

  it("that is understood holds only names that could be created", () => {
    const pieces = fc.array(fc.constantFrom(..."aB9.-_/:,é ", "..", "sha256.", "%2e"), { maxLength: 20 });
    fc.assert(
      fc.property(pieces, (some) => {
        const path = parseContainerPath(some.join(""));
        if (path === null) return;
        for (const part of [path.entity, path.collection, path.container]) {
          if (part !== null) expect(parseName(part)).toBe(part);
        }
      }),
    );
  });
});

it("three names of full length and two slashes fit a repository name of OCI, of 255 characters", () => {
  expect(3 * limits.nameLength + 2).toBeLessThanOrEqual(255);
});

function resultOf<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}

function thrownBy(act: () => unknown): RegistryError | null {
  try {
    act();
    return null;
  } catch (error) {
    if (error instanceof RegistryError) return error;
    throw error;
  }
}

describe("a reference of sregistry's and shub's clients", () => {
  const hex = "0123456789abcdef".repeat(4);

  it.each([
    ["demo/tool", null, "demo", "tool", "latest", null],
    ["Demo/Tool:V1", null, "demo", "tool", "V1", null],
    ["alice/demo/tool:1.0", "alice", "demo", "tool", "1.0", null],
    [`demo/tool:1@${hex.slice(0, 32)}`, null, "demo", "tool", "1", `sha256.${hex.slice(0, 32)}`],
    [`demo/tool@${hex.slice(0, 40).toUpperCase()}`, null, "demo", "tool", "latest", `sha256.${hex.slice(0, 40)}`],
    [`demo/tool:1@sha256.${hex}`, null, "demo", "tool", "1", `sha256.${hex}`],
    [`demo/tool:sha256.${hex}`, null, "demo", "tool", `sha256.${hex}`, `sha256.${hex}`],
  ])("%s is understood", (text, entity, collection, container, tag, digestPrefix) => {
    const { typed: _, ...reference } = parseTaggedReference(text);
    expect(reference).toEqual({ path: { entity, collection, container }, tag, digestPrefix });
  });

  it("keeps the names as they were typed, which is what is signed", () => {
    expect(parseTaggedReference("Alice/Demo/Tool:V1").typed).toEqual({
      collection: "Alice/Demo",
      container: "Tool",
      tag: "V1",
    });
  });

  it.each(["", "tool", "a/b/c/d", "a/b:", "a/b@", "a/b:1@abc", "a/b:1:2", "a/-b", "a//b", "a/b:1@2@3", "a/b:../x"])(
    "%j is refused",
    (text) => {
      expect(codeOf(() => parseTaggedReference(text))).toBe("reference-invalid");
    },
  );

  it("is understood, or refused as one: no text does anything else", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(["reference-invalid", null]).toContain(codeOf(() => parseTaggedReference(text)));
      }),
    );
  });
});
