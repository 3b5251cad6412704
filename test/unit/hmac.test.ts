import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isCurrent,
  isSigned,
  payloadOf,
  readSignature,
  type SignatureKind,
  signatureEnd,
  timestampOf,
} from "../../worker/formats/hmac.ts";
import { anyText } from "../support/expectations.ts";

const KEY = "0123456789abcdef0123456789abcdef01234567";
const sign = (payload: string) => createHmac("sha256", KEY).update(payload).digest("hex");

interface Vector {
  kind: SignatureKind;
  collection: string;
  container: string;
  tag: string;
  timestamp: string;
  signature: string;
}

/** Made by the client's own code, its clock replaced; and those that the original server was seen to accept. */
const vectors: Vector[] = [
  ["push", "49a379d540c52b617cc1c0e2247bbcca21250df957f021f1f0bdc804d9f6eae7"],
  ["upload", "1eaffbdebe475f04911e9555c11141bf8f5c9f92e9d40f8afa86c2db606fd3c2"],
  ["pull", "f7d6d2416af19f9324d3965222b3cad8a1eebc958775e8716539b206e0161ff0"],
  ["delete", "4871110a7352b1ba7acc720c8503206d148b03d99daf383d8793fa2a55cc5e93"],
  ["build", "1921f5852ff3902ad2e9783c8165bccee8dd87929eb26093f6ae0feb86227bdd"],
].map(([kind = "", signature = ""]) => {
  const names = { collection: "demo", container: "tool", tag: "1.0", timestamp: "20240102T03Z" };
  return { kind: kind as SignatureKind, ...names, signature };
});

const dinosaur = { collection: "dinosaur", container: "avocado", timestamp: "20260102T03Z" };
vectors.push(
  {
    ...dinosaur,
    kind: "push",
    tag: "latest",
    signature: "6f4a55f59e135aa04e52b36dc017f9970157731d8c94a8af9b94629bc59baa96",
  },
  {
    ...dinosaur,
    kind: "pull",
    tag: "v1",
    signature: "31dff41a25244b0d5ff6e2ccb4204ed9996cacc13d1a79f591bd4dd0fce9bc35",
  },
  {
    ...dinosaur,
    kind: "upload",
    tag: "latest",
    signature: "cd7b72599bed9959c1dda66ec4d33f206a84e89cd3e96a613bfefdfb9669ff3e",
  },
  {
    ...dinosaur,
    kind: "delete",
    tag: "v1",
    signature: "f73bf05b36343dbb20fdffdfa0f740c552a0900bd9b1f25c5993b7531bc5a350",
  },
  {
    ...dinosaur,
    kind: "build",
    tag: "latest",
    signature: "13c6849109dd0d268f4a09ddc4555cfa510cd17970867017a3c6138e079b95ec",
  },
);

describe("what sregistry-cli signs", () => {
  it.each(vectors)("is this payload, for $kind of $collection/$container:$tag", (vector) => {
    expect(sign(payloadOf(vector, vector))).toBe(vector.signature);
  });

  it("is read from the header of the worked example", () => {
    const signature = vectors[0]?.signature ?? "";
    const header = `SREGISTRY-HMAC-SHA256 Credential=push/YWxpY2U=/20240102T03Z,Signature=${signature}`;
    expect(readSignature(header)).toEqual({ kind: "push", username: "alice", timestamp: "20240102T03Z", signature });
  });
});

const headerOf = (kind: string, user: string, timestamp = "20240102T03Z", signature = "a".repeat(64)) =>
  `SREGISTRY-HMAC-SHA256 Credential=${kind}/${user}/${timestamp},Signature=${signature}`;

describe("a signed header", () => {
  it("may name any user, one too whose base64 holds slashes, plus signs or equals signs", () => {
    fc.assert(
      fc.property(anyText, (username) => {
        // Half a surrogate pair cannot be written in UTF-8.
        fc.pre(username !== "" && Buffer.from(username).toString() === username);
        expect(readSignature(headerOf("pull", Buffer.from(username).toString("base64")))?.username).toBe(username);
      }),
    );
    const name = "ÿÿ>?";
    expect(Buffer.from(name).toString("base64")).toMatch(/[/+]/);
    expect(readSignature(headerOf("pull", Buffer.from(name).toString("base64")))?.username).toBe(name);
  });

  it.each([
    "",
    "SREGISTRY-HMAC-SHA256",
    "SREGISTRY-HMAC-SHA256 ",
    "Bearer x",
    "SREGISTRY-HMAC-SHA256 Credential=push/YWxpY2U=/20240102T03Z",
    "SREGISTRY-HMAC-SHA256 Signature=aa,Credential=push/YWxpY2U=/20240102T03Z",
    headerOf("push", "YWxpY2U=", "20240102T03"),
    headerOf("push", "YWxpY2U=", "20240102T03Z", "a".repeat(63)),
    headerOf("push", "YWxpY2U=", "20240102T03Z", "A".repeat(64)),
    headerOf("fetch", "YWxpY2U="),
    headerOf("push", ""),
    headerOf("push", "%%%"),
    headerOf("push", "/w=="),
    "SREGISTRY-HMAC-SHA256 Credential=push,Signature=".padEnd(200, "a"),
    "SREGISTRY-HMAC-SHA256 Credential=push/20240102T03Z,Signature=".padEnd(125, "a"),
  ])("that is none is told apart: %j", (header) => {
    expect(readSignature(header)).toBeNull();
  });

  it("is told apart whatever it holds, and never throws", () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), (text, isPrefixed) => {
        const header = isPrefixed ? `SREGISTRY-HMAC-SHA256 ${text}` : text;
        const read = readSignature(header);
        if (read !== null) expect(isSigned(header)).toBe(true);
      }),
    );
  });
});

describe("the hour of a signature", () => {
  const at = Date.UTC(2024, 0, 2, 3, 54, 59);

  it("is written in UTC", () => {
    expect(timestampOf(at)).toBe("20240102T03Z");
    expect(timestampOf(Date.UTC(2024, 11, 31, 23))).toBe("20241231T23Z");
  });

  it("is good in that hour and the next one, and never else", () => {
    const hours = ["20240102T01Z", "20240102T02Z", "20240102T03Z", "20240102T04Z", "20230102T03Z"];
    expect(hours.filter((hour) => isCurrent(hour, at))).toEqual(["20240102T02Z", "20240102T03Z"]);
    expect(isCurrent("20231231T23Z", Date.UTC(2024, 0, 1, 0, 30))).toBe(true);
  });

  it("is good five minutes before it begins, for a clock that is ahead", () => {
    expect(isCurrent("20240102T04Z", Date.UTC(2024, 0, 2, 3, 54, 59))).toBe(false);
    expect(isCurrent("20240102T04Z", Date.UTC(2024, 0, 2, 3, 55))).toBe(true);
  });

  it.each([
    ["20240102T03Z", at],
    ["20240102T04Z", Date.UTC(2024, 0, 2, 3, 59)],
  ])("is over when a used one is forgotten: %s", (hour, usedAt) => {
    const end = signatureEnd(usedAt);
    expect(isCurrent(hour, end - 1)).toBe(true);
    expect(isCurrent(hour, end)).toBe(false);
  });
});
