import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isWellFormedToken, newToken, readAuthorization } from "../../worker/access/credentials.ts";
import { limits } from "../../worker/registry/limits.ts";
import { anyText } from "../support/expectations.ts";

describe("a new token", () => {
  const token = newToken();

  it("is long enough for `apptainer remote login --tokenfile`, and short enough for it", () => {
    expect(token.length).toBeGreaterThanOrEqual(limits.tokenMinLength);
    expect(token.length).toBeLessThanOrEqual(limits.tokenMaxLength);
  });

  it("can stand in a URL, a header, a file and a shell line as it is", () => {
    expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(encodeURIComponent(token)).toBe(token);
  });

  it("is recognisable: sreg_, 200 random characters, and a checksum", () => {
    expect(token).toMatch(/^sreg_[A-Za-z0-9_-]{200}[0-9a-f]{8}$/);
    expect(isWellFormedToken(token)).toBe(true);
  });

  it("given out once stays well formed: this one is from 0.1.0", () => {
    expect(isWellFormedToken(`sreg_${"Ab3-".repeat(50)}a8ed1553`)).toBe(true);
  });

  it("is another one each time", () => {
    expect(new Set(Array.from({ length: 100 }, newToken)).size).toBe(100);
  });
});

describe("a mistyped token", () => {
  it("is refused without a look-up, whichever character is wrong", () => {
    const token = newToken();
    for (let index = 0; index < token.length; index++) {
      const other = token[index] === "a" ? "b" : "a";
      expect(isWellFormedToken(token.slice(0, index) + other + token.slice(index + 1)), `character ${index}`).toBe(
        false,
      );
    }
  });

  it.each([
    ["cut short", (token: string) => token.slice(0, -1)],
    ["with something behind", (token: string) => `${token}0`],
    ["with a line break", (token: string) => `${token}\n`],
    ["with two characters exchanged", (token: string) => token.replace(/^(sreg_.*?)(.)(?!\2)(.)/, "$1$3$2")],
    ["in capitals", (token: string) => token.toUpperCase()],
  ])("is refused %s", (_, spoil) => {
    expect(isWellFormedToken(spoil(newToken()))).toBe(false);
  });

  it("is no text that was not made here", () => {
    fc.assert(fc.property(anyText, (text) => !isWellFormedToken(text)));
  });
});

describe("an Authorization header", () => {
  it.each([undefined, null, "", "   ", "Bearer", "Bearer ", "bearer", "BEARER  "])(
    "%j is anonymous: apptainer's key commands send `Bearer ` when logged out",
    (header) => {
      expect(readAuthorization(header)).toEqual({ kind: "none" });
    },
  );

  it.each(["Bearer abc", "bearer abc", "BEARER abc", "BEARER\tabc", "  Bearer   abc  "])(
    "%j presents a token",
    (header) => {
      expect(readAuthorization(header)).toEqual({ kind: "token", token: "abc" });
    },
  );

  it.each([
    "abc",
    "Basic YWxpY2U6c2VjcmV0",
    "Token abc",
    "Bearer abc def",
    "Bearer, abc",
    `Bearer ${"x".repeat(4097)}`,
  ])("%.30j is a credential that cannot be used, and never anonymous", (header) => {
    expect(readAuthorization(header)).toEqual({ kind: "unusable" });
  });

  it("with anything in it but an empty bearer token is never anonymous", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        if (text.trim() === "" || /^bearer$/i.test(text.trim())) return;
        expect(readAuthorization(text).kind).not.toBe("none");
        expect(readAuthorization(`Bearer ${text}`).kind).not.toBe("none");
      }),
    );
  });

  it("gives back the token that was put in", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\x21-\x7e]{1,300}$/), (token) => {
        expect(readAuthorization(`Bearer ${token}`)).toEqual({ kind: "token", token });
      }),
    );
  });
});
