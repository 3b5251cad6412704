import { describe, expect, it } from "vitest";
import { canSeal, seal, unseal } from "../../worker/storage/sealed.ts";

const first = { SEALING_SECRET: "the-first-sealing-secret-of-a-test", SEALING_SECRET_PREVIOUS: null };
const second = { SEALING_SECRET: "another-sealing-secret-of-the-test", SEALING_SECRET_PREVIOUS: null };
const rotated = { ...second, SEALING_SECRET_PREVIOUS: first.SEALING_SECRET };
const none = { SEALING_SECRET: null, SEALING_SECRET_PREVIOUS: null };

describe("a sealed text", () => {
  it("is read back where it was sealed, and holds nothing of it in clear", async () => {
    const sealed = await seal(first, "a key:1:2", "sregkey_text");
    expect(await unseal(first, "a key:1:2", sealed)).toEqual({ text: "sregkey_text", isCurrent: true });
    expect(Buffer.from(sealed, "base64url").toString("latin1")).not.toContain("sregkey");
  });

  it("is another one each time", async () => {
    expect(await seal(first, "a", "text")).not.toBe(await seal(first, "a", "text"));
  });

  it("cannot be moved to another row, nor changed in any byte", async () => {
    const sealed = await seal(first, "a key:1:2", "text");
    expect(await unseal(first, "a key:1:3", sealed)).toBeNull();
    const bytes = Buffer.from(sealed, "base64url");
    for (let place = 0; place < bytes.length; place++) {
      const changed = Buffer.from(bytes);
      changed[place] = (changed[place] ?? 0) ^ 1;
      expect(await unseal(first, "a key:1:2", changed.toString("base64url")), `byte ${place}`).toBeNull();
      expect(await unseal(first, "a key:1:2", bytes.subarray(0, place).toString("base64url"))).toBeNull();
    }
  });

  it("outlives a change of the secret, and says that it is to be sealed anew", async () => {
    const sealed = await seal(first, "a", "text");
    expect(await unseal(rotated, "a", sealed)).toEqual({ text: "text", isCurrent: false });
    expect(await unseal(second, "a", sealed)).toBeNull();
    expect(await unseal(none, "a", sealed)).toBeNull();
  });

  it("is not made without a secret", async () => {
    expect([canSeal(first), canSeal(none)]).toEqual([true, false]);
    await expect(seal(none, "a", "text")).rejects.toMatchObject({ code: "keys-disabled" });
  });
});
