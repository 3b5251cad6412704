import fc from "fast-check";
import { type ErrorCode, RegistryError } from "../../worker/registry/errors.ts";

/** The code a function refuses with; null when it does not. Anything else that is thrown goes on. */
export function codeOf(act: () => unknown): ErrorCode | null {
  try {
    act();
    return null;
  } catch (error) {
    if (error instanceof RegistryError) return error.code;
    throw error;
  }
}

/** Texts as people and attackers type them: any Unicode, and much of what means something in a path or a header. */
export const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 100 }),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(..."aZ09.-_/:,%@?#&=+ \\\n\t\0~'\"<>éİ"), maxLength: 40 }),
  fc.constantFrom("__proto__", "constructor", "..", "a".repeat(5000)),
);
